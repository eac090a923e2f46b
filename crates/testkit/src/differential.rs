//! Programs near the border between what loads and what does not, for comparing verdicts with a host's.
//!
//! Those of [`containment`](crate::containment) are mostly accepted, for they are to run. These are there to be doubted: accesses
//! whose bounds are just right or just wrong ([`border()`]), and programs of others with something changed ([`mutate()`]).

mod border;
mod code;
mod mutate;

pub use border::border;
pub use code::{Code, Slot};
pub use mutate::mutate;
