//! Bytes as an object file.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bpfvet_testkit::fuzz::elf::run(bytes));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    bpfvet_fuzz::replay(bpfvet_testkit::fuzz::elf::run)
}
