//! Chores of the repository: `cargo xtask help` lists them.
//!
//! What judges the verifier lives here and in `testkit`, never in the crates that are judged.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "chores talk to the terminal")]

mod core_crates;
mod shell;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Chores of the bpfvet repository", disable_help_subcommand = false)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// The rules of the house: arrows between crates, invariants, headers, file lengths, licences, words that must not occur.
    Tidy,
    /// The core crates build without `std` and hold no call that can panic.
    Core,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().chore {
        Chore::Tidy => tidy::run(),
        Chore::Core => core_crates::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
