//! Objects with wrong bytes in them: an answer, whatever they are.
//!
//! `BPFVET_MUTANTS=100000 cargo test --release -p bpfvet-elf --test mutants` looks at more of them.

use std::path::Path;

use bpfvet_btf::Btf;
use bpfvet_btf::co_re::Targets;
use bpfvet_elf::{Object, Options};
use bpfvet_platform::ProgramType;

/// A generator of numbers that are the same each time (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap()
    }
}

/// Changes a few bytes, or words to numbers that are edges of something, or swaps two stretches, or cuts the end off.
fn mutate(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    const EDGES: [u32; 8] = [0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, u32::MAX];
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len());
        match numbers.below(8) {
            0..=3 => bytes[at] = numbers.next() as u8,
            4..=5 => {
                let edge = EDGES[numbers.below(EDGES.len())].to_le_bytes();
                for (place, new) in bytes[at..].iter_mut().zip(edge) {
                    *place = new;
                }
            }
            6 => {
                let (from, len) = (numbers.below(bytes.len()), numbers.below(32));
                let stretch: Vec<u8> = bytes[from..].iter().take(len).copied().collect();
                for (place, new) in bytes[at..].iter_mut().zip(stretch) {
                    *place = new;
                }
            }
            _ => bytes[at] ^= 1 << numbers.below(8),
        }
    }
    if numbers.below(64) == 0 {
        bytes.truncate(numbers.below(bytes.len()));
    }
}

/// Asks everything that can be asked of an object.
fn exercise(bytes: &[u8], options: &Options) {
    let Ok(object) = Object::parse(bytes, options) else { return };
    for map in object.maps() {
        if let Err(error) = map.def {
            assert!(!error.to_string().is_empty());
        }
    }
    for entry in object.programs() {
        let mut entry = entry.clone();
        entry.program_type.get_or_insert(ProgramType::XDP);
        match object.load_request(&entry) {
            Ok(request) => {
                // References lead into the list of maps, as the request promises.
                assert_eq!(request.program.encode().unwrap().len() % 8, 0);
                assert!(request.lines.iter().all(|line| line.at.0 < request.program.len()));
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        assert!(object.warnings(&entry).iter().all(|warning| !warning.to_string().is_empty()));
    }
}

#[test]
fn mutants_of_objects_have_an_answer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read(root.join(path)).unwrap();
    let seeds = [
        "tests/objects/many.o",
        "tests/objects/legacy_maps.o",
        "tests/objects/text_only.o",
        "../../examples/xdp_firewall.bpf.o",
        "../../examples/core_kprobe.bpf.o",
        "../../examples/open_counter.bpf.o",
    ]
    .map(read);
    // The types of one object stand for the kernel's, so that CO-RE has something to look at.
    let bytes = read("../../examples/core_kprobe.bpf.o");
    let section = bytes.windows(4).position(|word| word == [0x9f, 0xeb, 1, 0]).unwrap();
    let len = 24
        + [12, 20]
            .map(|at| u32::from_le_bytes(bytes[section + at..][..4].try_into().unwrap()) as usize)
            .iter()
            .sum::<usize>();
    let kernel = Btf::parse(&bytes[section..section + len]).unwrap();
    let options = Options {
        kernel_btf: Targets::from(std::sync::Arc::new(kernel)),
        kconfig: Some("CONFIG_HZ=250\n".into()),
        ..Options::for_file("mutant.o")
    };
    let count = std::env::var("BPFVET_MUTANTS").ok().and_then(|count| count.parse().ok()).unwrap_or(3_000);
    let mut numbers = Numbers(0x6270_6676);
    for seed in &seeds {
        exercise(seed, &options);
    }
    for nth in 0..count {
        let mut mutant = seeds[nth % seeds.len()].clone();
        mutate(&mut mutant, &mut numbers);
        exercise(&mutant, &options);
    }
}
