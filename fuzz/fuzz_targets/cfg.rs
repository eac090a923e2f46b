//! Bytes as a program, for its form: loaded by root, and by no one.
#![cfg_attr(fuzzing, no_main)]

use bpfvet_testkit::fuzz::cfg::run;

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| [true, false].into_iter().for_each(|privileged| run(bytes, privileged)));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    bpfvet_fuzz::replay(|bytes| [true, false].into_iter().for_each(|privileged| run(bytes, privileged)))
}
