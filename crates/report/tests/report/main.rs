//! Texts, as they are printed.

mod catalogue;
mod host;
mod kernel_log;
mod kernel_text;
mod state_text;
