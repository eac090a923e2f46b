//! The command: would this eBPF program load, on these kernels, and if not, why?
//!
//! **Invariant.** This crate knows arguments, files, colours, progress and exit statuses. It knows no rule of any verifier and
//! changes no verdict; it asks the facade and prints what it is told.

mod args;
mod fault;

mod host;
mod input;
mod pick;

mod check;
mod disasm;
mod explain;
mod kernels;
mod shape;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Args, Command};
use crate::fault::Fault;

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Check(check) => check::run(&check),
        Command::Disasm(disasm) => disasm::run(&disasm).map(|()| ExitCode::SUCCESS),
        Command::Cfg(cfg) => shape::run(&cfg).map(|()| ExitCode::SUCCESS),
        Command::Explain { code } => explain::run(code.as_deref()).map(|()| ExitCode::SUCCESS),
        Command::Kernels => kernels::run().map(|()| ExitCode::SUCCESS),
    };
    match result {
        Ok(code) => code,
        // Whoever reads our output has seen enough.
        Err(Fault::Closed) => ExitCode::from(fault::UNDECIDED),
        Err(Fault::Told(text)) => {
            fault::tell(&text);
            ExitCode::from(fault::UNDECIDED)
        }
    }
}

/// A line on standard error that is no failure.
fn note(text: &str) {
    // Nothing can be done about a standard error that is closed.
    let _ = writeln!(anstream::stderr(), "note: {text}");
}
