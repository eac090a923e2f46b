//! Real kernels, asked: programs go in, what the verifier said of each comes out.

mod answers;
mod boot;
mod command;
mod cpio;
mod reply;

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Result, bail};

pub(crate) use answers::ask_once;
pub(crate) use boot::Machine;
pub(crate) use command::{Oracle, run};
pub(crate) use reply::{Outcome, Reply, Stats};

use crate::lab::Lab;

/// With which capabilities a program is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Caps {
    /// Root's.
    All,
    /// These, as a mask, of the four that eBPF asks for.
    Only(u64),
}

impl Caps {
    /// An ordinary user.
    pub(crate) const NONE: Self = Self::Only(0);
}

/// What is to be loaded.
#[derive(Debug, Clone)]
pub(crate) enum Load {
    /// Bare instructions.
    Raw(Raw),
    /// One program of an object file.
    Object {
        /// The object.
        file: PathBuf,
        /// The program's name.
        program: String,
        /// Programs that must be loaded with it.
        also: Vec<String>,
        /// Types to be used in the place of the kernel's.
        btf: Option<PathBuf>,
        /// Sizes and types that user space would fill in are filled in.
        repair: bool,
    },
}

/// Bare instructions and what they need.
#[derive(Debug, Clone, Default)]
pub(crate) struct Raw {
    /// Number of the program type.
    pub(crate) program_type: u32,
    /// Number of the attach type.
    pub(crate) attach_type: u32,
    /// Little-endian instructions. Maps are named by the descriptors of [`MAPS`], or by [`OWN_MAPS`] and a place in `maps`.
    pub(crate) bytes: Vec<u8>,
    /// Maps of its own.
    pub(crate) maps: Vec<OwnMap>,
    /// BTF that maps or the program refer to.
    pub(crate) types: Vec<Vec<u8>>,
    /// Place in `types` of the program's own.
    pub(crate) own_types: Option<usize>,
    /// First instruction and BTF id of each function.
    pub(crate) functions: Vec<(u32, u32)>,
    /// BTF id, in the kernel's types, of what it attaches to; 0 for nothing.
    pub(crate) attach_to: u32,
    /// Its name.
    pub(crate) attach_name: Option<String>,
}

/// The descriptor of a raw program's first own map.
pub(crate) const OWN_MAPS: i32 = 1000;

/// A map of one raw program.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Deserialize)]
pub(crate) struct OwnMap {
    pub(crate) kind: u32,
    pub(crate) key: u32,
    pub(crate) value: u32,
    pub(crate) entries: u32,
    pub(crate) flags: u32,
    /// Place of the inner map, or -1.
    pub(crate) inner: i32,
    /// Place of its types, or -1.
    pub(crate) types: i32,
    pub(crate) key_type: u32,
    pub(crate) value_type: u32,
}

/// One load.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// What.
    pub(crate) load: Load,
    /// Load flags beside those that the object asks for.
    pub(crate) flags: u32,
    /// The kernel's log level.
    pub(crate) log_level: u32,
    /// As whom.
    pub(crate) caps: Caps,
    /// Bytes of the log's end that are of interest.
    pub(crate) log_bytes: usize,
}

/// Seconds that a load may take where nothing else is said.
const PATIENCE: u32 = 900;

/// A map that raw programs find: descriptor, kind, sizes of key and value, entries, flags, descriptor of the inner map.
pub(crate) type RawMap = (u32, u32, u32, u32, u32, u32, i32);

/// Maps of every shape that generated programs use, by descriptor.
pub(crate) const MAPS: &[RawMap] = &[
    (100, 2, 4, 8, 1, 0, -1),
    (101, 1, 8, 8, 16, 0, -1),
    (102, 1, 8, 48, 16, 0, -1),
    (103, 2, 4, 48, 4, 0, -1),
    (104, 27, 0, 0, 4096, 0, -1),
    (105, 3, 4, 4, 4, 0, -1),
    (106, 6, 4, 8, 4, 0, -1),
    (107, 2, 4, 4096, 1, 0, -1),
    (108, 9, 4, 64, 64, 0, -1),
    (109, 2, 4, 8, 1, 0x80, -1),
    (110, 4, 4, 4, 4, 0, -1),
    (111, 12, 4, 4, 1, 0, 100),
];

/// Asks `machine` about every job; one reply each, in the same order.
///
/// A kernel that dies is booted again without the job that killed it; that job's reply says so.
pub(crate) fn ask(lab: &Lab, machine: &Machine, jobs: &[Job]) -> Result<Vec<Reply>> {
    ask_within(lab, machine, jobs, PATIENCE)
}

/// As [`ask`], with this many seconds for each load.
pub(crate) fn ask_within(lab: &Lab, machine: &Machine, jobs: &[Job], seconds: u32) -> Result<Vec<Reply>> {
    let mut replies: Vec<Option<Reply>> = vec![None; jobs.len()];
    let mut silent = 0;
    loop {
        let open: Vec<usize> = (0..jobs.len()).filter(|&job| replies.get(job).is_some_and(Option::is_none)).collect();
        let Some(&first) = open.first() else { break };
        let batch = open.get(..open.len().min(machine.batch())).unwrap_or(&open);
        let boot = machine.boot(lab, &plan(jobs, batch), &files(jobs, batch), seconds)?;
        let mut heard = 0;
        for reply in &boot.replies {
            if let Some(slot) = replies.get_mut(reply.id) {
                heard += usize::from(slot.is_none());
                *slot = Some(reply.clone());
            }
        }
        if boot.complete {
            // A job that the guest passed over is one that it did not understand.
            for &job in batch {
                if let Some(slot @ None) = replies.get_mut(job) {
                    *slot = Some(Reply::silent(job, &format!("the loader passed it over: {}", boot.complaints())));
                }
            }
        } else if boot.ready {
            let culprit =
                batch.iter().find(|&&job| replies.get(job).is_some_and(Option::is_none)).copied().unwrap_or(first);
            eprintln!("the kernel died or hung near job {culprit}; booting again without it\n{}", boot.console_tail());
            if let Some(slot) = replies.get_mut(culprit) {
                *slot = Some(Reply::silent(culprit, "the kernel died"));
            }
        } else if heard == 0 {
            // An emulated boot fails now and then before anything was loaded.
            silent += 1;
            if silent > 4 {
                bail!("the kernel does not boot:\n{}", boot.console_tail());
            }
        }
    }
    Ok(replies.into_iter().flatten().collect())
}

/// The files that the jobs of a batch load, each once.
fn files(jobs: &[Job], batch: &[usize]) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Vec::new();
    for &job in batch {
        if let Some(Job { load: Load::Object { file, btf, .. }, .. }) = jobs.get(job) {
            files.push(file.clone());
            files.extend(btf.clone());
        }
    }
    files.sort();
    files.dedup();
    files
}

/// The guest's plan for the jobs of a batch, in the form that `guest.h` describes.
fn plan(jobs: &[Job], batch: &[usize]) -> String {
    let mut plan = String::new();
    let name = |file: &PathBuf| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for (descriptor, kind, key, value, entries, flags, inner) in MAPS {
        // Writing to a string cannot fail.
        writeln!(plan, "map\t{descriptor}\t{kind}\t{key}\t{value}\t{entries}\t{flags:x}\t{inner}").ok();
    }
    for &id in batch {
        let Some(Job { load, flags, log_level, caps, log_bytes }) = jobs.get(id) else { continue };
        let caps = match caps {
            Caps::All => "all".to_owned(),
            Caps::Only(mask) => format!("{mask:x}"),
        };
        let verb = match load {
            Load::Raw(_) => "raw",
            Load::Object { .. } => "obj",
        };
        write!(plan, "{verb}\t{id}\t{flags:x}\t{log_level}\t{caps}\t{log_bytes}\t").ok();
        match load {
            Load::Raw(raw) => plan_raw(&mut plan, raw),
            Load::Object { file, program, also, btf, repair } => {
                let also = if also.is_empty() { "-".to_owned() } else { also.join(",") };
                let options = if *repair { "f" } else { "-" };
                let btf = btf.as_ref().map_or_else(|| "-".to_owned(), name);
                write!(plan, "{}\t{program}\t{options}\t{also}\t{btf}", name(file)).ok();
            }
        }
        plan.push('\n');
    }
    plan
}

fn plan_raw(plan: &mut String, raw: &Raw) {
    let Raw { program_type, attach_type, bytes, maps, types, own_types, functions, attach_to, attach_name: _ } = raw;
    write!(plan, "{program_type}\t{attach_type}\t{}\t", or_nothing(hex(bytes))).ok();
    let maps = maps.iter().map(|map| {
        let OwnMap { kind, key, value, entries, flags, inner, types, key_type, value_type } = map;
        format!("{kind},{key},{value},{entries},{flags:x},{inner},{types},{key_type},{value_type}")
    });
    plan.push_str(&or_nothing(maps.collect::<Vec<_>>().join(";")));
    plan.push('\t');
    plan.push_str(&or_nothing(types.iter().map(|types| hex(types)).collect::<Vec<_>>().join(";")));
    let own = own_types.map_or(-1, |place| i64::try_from(place).unwrap_or(-1));
    write!(plan, "\t{attach_to},{own}").ok();
    for (at, id) in functions {
        write!(plan, ",{at}:{id}").ok();
    }
}

fn or_nothing(list: String) -> String {
    if list.is_empty() { "-".to_owned() } else { list }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").ok();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Caps, Job, Load, OwnMap, Raw, plan};

    #[test]
    fn a_plan_names_maps_then_jobs() {
        let map = OwnMap {
            kind: 2,
            key: 4,
            value: 8,
            entries: 1,
            flags: 16,
            inner: -1,
            types: 0,
            key_type: 1,
            value_type: 3,
        };
        let load = Load::Raw(Raw {
            program_type: 6,
            attach_type: 37,
            bytes: vec![0x95, 0, 0, 0, 0, 0, 0, 0],
            maps: vec![map.clone(), map],
            types: vec![vec![1], vec![2, 3]],
            own_types: Some(1),
            functions: vec![(0, 4), (7, 5)],
            attach_to: 9,
            attach_name: None,
        });
        let raw = Job { load, flags: 0x80, log_level: 4, caps: Caps::NONE, log_bytes: 100 };
        let load = Load::Object {
            file: "/x/a.bpf.o".into(),
            program: "p".into(),
            also: vec!["q".into(), "r".into()],
            btf: None,
            repair: true,
        };
        let object = Job { load, flags: 0, log_level: 2, caps: Caps::All, log_bytes: 0 };
        let text = plan(&[raw, object], &[0, 1]);
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("map")).collect();
        assert_eq!(
            lines,
            [
                "raw\t0\t80\t4\t0\t100\t6\t37\t9500000000000000\t2,4,8,1,10,-1,0,1,3;2,4,8,1,10,-1,0,1,3\t01;0203\t9,1,0:4,7:5",
                "obj\t1\t0\t2\tall\t0\ta.bpf.o\tp\tf\tq,r\t-"
            ]
        );
    }
}
