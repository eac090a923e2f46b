//! Verifies one program and says what it cost: one line, tab-separated. `cargo xtask bench` runs it, natively and under valgrind.
//!
//! ```text
//! measure [--repeat N] family NAME SIZE
//! measure [--repeat N] object FILE PROGRAM [BTF]
//! ```
//!
//! The line: verdict, instructions, states ever kept, most at one time, least nanoseconds of processor time, highest memory in KiB.
//! Neither the time nor the memory that making the request took is counted, only what comes after it; what the request itself and the
//! kernel's types take is there all the while.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command")]

use std::process::ExitCode;
use std::sync::Arc;

use bpfvet::Verifier;
use bpfvet::btf::Btf;
use bpfvet::elf::{Object, Options};
use bpfvet::explore::Stats;
use bpfvet::linux::Linux;
use bpfvet::platform::LoadRequest;
use bpfvet_testkit::families::Family;
use rustix::time::{ClockId, clock_gettime};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<String, String> {
    let (repeat, what) = match arguments {
        ["--repeat", repeat, what @ ..] => (repeat.parse().map_err(|_| "--repeat takes a number")?, what),
        what => (1, what),
    };
    let plain = || Linux::new(Linux::NEWEST).map_err(|error| error.to_string());
    let (request, linux) = match what {
        ["family", name, size] => {
            let family = Family::named(name).ok_or("there is no such family")?;
            (family.request(size.parse().map_err(|_| "a size is a number")?)?, plain()?)
        }
        ["object", file, program] => (of_object(file, program, None)?, plain()?),
        ["object", file, program, types] => {
            let bytes = std::fs::read(types).map_err(|error| format!("{types}: {error}"))?;
            let types = Arc::new(Btf::parse(bytes).map_err(|error| format!("{types}: {error}"))?);
            (of_object(file, program, Some(Arc::clone(&types)))?, plain()?.with_btf(types))
        }
        _ => return Err("measure [--repeat N] family NAME SIZE | object FILE PROGRAM [BTF]".to_owned()),
    };
    let (mut verdict, mut stats, mut least) = ("", Stats::default(), u128::MAX);
    forget_highest_memory();
    for _ in 0..repeat {
        let start = processor_time();
        (verdict, stats) = verified(&request, &linux);
        least = least.min(processor_time() - start);
    }
    let Stats { insns_processed, total_states, peak_states, .. } = stats;
    Ok(format!("{verdict}\t{insns_processed}\t{total_states}\t{peak_states}\t{least}\t{}", highest_memory()))
}

/// What is counted. Its name is what valgrind looks for, so it must stay a function of its own.
#[inline(never)]
fn verified(request: &LoadRequest, linux: &Linux) -> (&'static str, Stats) {
    match Verifier::new(linux).verify(request) {
        Ok(accepted) => ("accepted", accepted.stats),
        Err(rejection) => ("rejected", rejection.stats),
    }
}

fn of_object(file: &str, program: &str, types: Option<Arc<Btf>>) -> Result<LoadRequest, String> {
    let bytes = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    let mut options = Options { kernel_version: Some(Linux::NEWEST), ..Options::for_file(file) };
    if let Some(types) = types {
        options.kernel_btf = types.into();
    }
    let object = Object::parse(&bytes, &options).map_err(|error| format!("{file}: {error}"))?;
    let entry = object.programs().iter().find(|entry| entry.name == program).ok_or("there is no such program")?;
    object.load_request(entry).map_err(|error| format!("{file}: {program}: {error}"))
}

/// Nanoseconds that this thread has run.
fn processor_time() -> u128 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    u128::from(time.tv_sec.unsigned_abs()) * 1_000_000_000 + u128::from(time.tv_nsec.unsigned_abs())
}

/// Counts the most memory anew, where the system can (Linux's `clear_refs`); elsewhere the request's making counts too.
fn forget_highest_memory() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The most memory that this process has had, in KiB; 0 where the system does not tell.
fn highest_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
