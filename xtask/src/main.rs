//! Chores of the repository: `cargo xtask help` lists them.
//!
//! What judges the verifier lives here and in `testkit`, never in the crates that are judged.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "chores talk to the terminal")]

mod bench;
mod core_crates;
mod differential;
mod golden;
mod lab;
mod numbers;
mod oracle;
mod prove;
mod selftests;
mod shell;
mod soundness;
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
    /// Fetch and build everything the judges need: kernel sources, kernels, tools, the kernel's selftests.
    Setup(lab::Setup),
    /// Two solvers prove the scalar domain's operators sound at 64 bits, and refute operators that were put wrong.
    Prove(prove::Options),
    /// Generated programs run inside what was verified, mistakes made on purpose are found, bugs of history are refused.
    Soundness(soundness::Options),
    /// Real kernels.
    #[command(subcommand)]
    Kernel(lab::KernelCommand),
    /// What a real kernel says of files: boots it, loads each program, one line each.
    Oracle(oracle::Oracle),
    /// What a real kernel knows of registers after each instruction of random arithmetic, beside what the domains know.
    Numbers(numbers::Numbers),
    /// The kernel's own tests: verdicts, messages and counts beside those of the real kernel.
    Selftests(selftests::Arguments),
    /// Our loader beside libbpf, on all of the kernel's own test objects.
    Golden(golden::Arguments),
    /// Random programs before this project and a real kernel: where they differ, made small.
    Differential(differential::Differential),
    /// Our verdicts beside those of real kernels, disagreements first, dangerous ones on top.
    Ladder(selftests::Ladder),
    /// What verifying costs, beside what it costs the kernel.
    Bench(bench::Options),
    /// The work of verifying a few programs, beside the record: fails where it grew.
    Work(bench::gate::Gate),
    /// Ask a real kernel about all of its own tests, and write the record that `selftests` compares with.
    Record(selftests::Recording),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().chore {
        Chore::Tidy => tidy::run(),
        Chore::Core => core_crates::run(),
        Chore::Setup(args) => lab::setup(&args),
        Chore::Prove(options) => prove::run(&options),
        Chore::Soundness(options) => soundness::run(&options),
        Chore::Kernel(command) => lab::kernel(&command),
        Chore::Oracle(args) => oracle::run(&args),
        Chore::Numbers(args) => numbers::run(&args),
        Chore::Selftests(args) => selftests::run(&args),
        Chore::Golden(args) => golden::run(&args),
        Chore::Differential(args) => differential::run(&args),
        Chore::Ladder(args) => selftests::ladder(&args),
        Chore::Bench(options) => bench::run(&options),
        Chore::Work(args) => bench::gate::run(&args),
        Chore::Record(args) => selftests::record(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
