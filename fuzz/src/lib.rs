//! Fuzz targets: each is a few lines; the bodies live in `bpfvet-testkit`.
//!
//! Under `cargo fuzz` a target is libFuzzer's. Built in the ordinary way, it runs the files that it is given, each once: crashes and
//! seeds can be replayed with any toolchain.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs the target on every file that is named, and on every file in a directory that is named.
///
/// # Panics
///
/// Where the target does.
pub fn replay(target: impl Fn(&[u8])) -> ExitCode {
    match replay_all(target, std::env::args_os().skip(1).map(PathBuf::from).collect()) {
        Ok(count) => {
            // A standard output that is closed has nobody to tell.
            let _ = writeln!(io::stdout(), "{count} inputs survived");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn replay_all(target: impl Fn(&[u8]), mut paths: Vec<PathBuf>) -> io::Result<u32> {
    let mut count = 0_u32;
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            for entry in std::fs::read_dir(&path)? {
                paths.push(entry?.path());
            }
        } else {
            target(&std::fs::read(&path)?);
            count += 1;
        }
    }
    Ok(count)
}
