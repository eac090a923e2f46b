//! What fuzzing begins with: the programs of the corpus and the objects of the examples, each for the targets that can read it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bpfvet::elf::{Object, Options};

use crate::corpus::{Case, programs};
use crate::fuzz;
use crate::machine::Choices;

/// An input for a target.
#[derive(Clone, Debug)]
pub struct Seed {
    /// The name of the target.
    pub target: &'static str,
    /// A name that no other seed of the target has.
    pub name: String,
    /// The input.
    pub bytes: Vec<u8>,
}

impl Seed {
    /// Gives it to its target.
    ///
    /// # Panics
    ///
    /// Where the target does.
    pub fn run(&self) {
        let Self { target, name: _, bytes } = self;
        match *target {
            "asm" => fuzz::asm::run(&String::from_utf8_lossy(bytes)),
            "decode" => fuzz::decode::run(bytes),
            "cfg" => [true, false].into_iter().for_each(|privileged| fuzz::cfg::run(bytes, privileged)),
            "verify" => fuzz::verify::run(bytes),
            "elf" => fuzz::elf::run(bytes),
            "btf" => fuzz::btf::run(bytes),
            "vm_step" => fuzz::vm_step::run(bytes),
            other => panic!("there is no target `{other}`"),
        }
    }
}

/// The seeds from a corpus and from a directory of objects.
///
/// # Errors
///
/// A file that cannot be read; a file of the corpus that is none, as invalid data.
pub fn seeds(corpus: &Path, objects: &Path) -> io::Result<Vec<Seed>> {
    let mut seeds = steps();
    for path in files(corpus, "md")? {
        let invalid =
            |error: String| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()));
        for program in programs(&fs::read_to_string(&path)?).map_err(invalid)? {
            let case = Case::new(&program).map_err(invalid)?;
            let name = |ending: &str| format!("{:04}.{ending}", seeds.len());
            let (text, code) = (name("s"), name("bin"));
            seeds.push(Seed { target: "asm", name: text, bytes: case.code().as_bytes().to_vec() });
            for target in ["decode", "cfg", "verify"] {
                seeds.push(Seed { target, name: code.clone(), bytes: case.bytes().to_vec() });
            }
        }
    }
    for path in files(objects, "o")? {
        let bytes = fs::read(&path)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if let Some(btf) = Object::parse(&bytes, &Options::default()).ok().as_ref().and_then(Object::btf) {
            seeds.push(Seed { target: "btf", name: name.clone(), bytes: btf.data().to_vec() });
        }
        seeds.push(Seed { target: "elf", name, bytes });
    }
    Ok(seeds)
}

/// Choices for steps: as many as make every kind of instruction meet every kind of value.
fn steps() -> Vec<Seed> {
    let step = |number: u64| {
        let mut choices = Choices::seeded(number);
        let bytes = (0..96).map(|_| choices.bits().to_le_bytes()[0]).collect();
        Seed { target: "vm_step", name: format!("{number:04}.bin"), bytes }
    };
    (0..256).map(step).collect()
}

/// The files below a directory whose name ends so, in order.
fn files(dir: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut todo = vec![dir.to_owned()];
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(&dir)? {
            let path = entry?.path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
