//! One instruction on one state.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bpfvet_testkit::fuzz::vm_step::run(bytes));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    bpfvet_fuzz::replay(bpfvet_testkit::fuzz::vm_step::run)
}
