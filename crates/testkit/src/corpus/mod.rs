//! The corpus: Markdown files whose headings name programs, whose prose says why, and whose comments say what must come out.
//!
//! ```text
//!  file ─markdown─▶ headings, settings, programs ─expect─▶ what must come out, by line
//!                                  │
//!                                  └─case─▶ load request, for each kernel ─run─▶ what comes out
//! ```
//!
//! `tests/corpus/README.md` explains the language and is a file of the corpus itself.

mod expect;
mod markdown;
mod settings;
mod text;

mod bless;
mod case;
mod run;

pub use bless::bless;
pub use case::Case;
pub use markdown::{Program, programs};
pub use run::{Runner, check};
