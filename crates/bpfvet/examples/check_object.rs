//! From an object file to a verdict on several kernels: `cargo run -p bpfvet --example check_object -- FILE.bpf.o`.

use std::error::Error;
use std::io::{self, Write as _};

use bpfvet::Verifier;
use bpfvet::elf::{Object, Options};
use bpfvet::linux::Linux;
use bpfvet::report::{Names, kernel_message};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("name an object file")?;
    let object = Object::parse(&std::fs::read(&path)?, &Options::for_file(&path))?;
    let mut out = io::stdout().lock();
    for version in Linux::PROFILES {
        let linux = Linux::new(*version)?;
        for program in object.programs() {
            let request = object.load_request(program)?;
            match Verifier::new(&linux).verify(&request) {
                Ok(accepted) => writeln!(out, "{linux}: {}: {} insns", program.name, accepted.stats.insns_processed)?,
                Err(rejection) => {
                    let names = Names::new(&request, &linux);
                    writeln!(out, "{linux}: {}: {}", program.name, kernel_message(&rejection.cause, &names))?;
                }
            }
        }
    }
    Ok(())
}
