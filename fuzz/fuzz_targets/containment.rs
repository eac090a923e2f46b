//! Bytes as choices of a generator, for a program that is verified and run.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bpfvet_testkit::fuzz::containment::run(bytes));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    bpfvet_fuzz::replay(bpfvet_testkit::fuzz::containment::run)
}
