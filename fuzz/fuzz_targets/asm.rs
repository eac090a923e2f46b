//! Text as assembly.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|text: &str| bpfvet_testkit::fuzz::asm::run(text));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    bpfvet_fuzz::replay(|bytes| bpfvet_testkit::fuzz::asm::run(&String::from_utf8_lossy(bytes)))
}
