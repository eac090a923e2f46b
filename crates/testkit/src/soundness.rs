//! The long sitting: programs without number held to every law, mistakes made on purpose and found, and one table of it all.
//!
//! `cargo xtask soundness` runs it; the tests beside the laws run a slice.

mod clock;
mod history;
#[cfg(feature = "faults")]
mod hunt;
mod sitting;
mod table;

pub use clock::cpu_seconds;
pub use history::History;
#[cfg(feature = "faults")]
pub use hunt::{Caught, Hunt, hunt};
pub use sitting::{Found, Limits, Sitting, sit};
pub use table::Row;
