//! `cargo xtask oracle`: what a real kernel says of files.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use bpfvet_platform::ProgramType;
use clap::Args;

use super::{Caps, Job, Load, Machine, Raw, Reply, ask};
use crate::lab::{Lab, REFERENCE};

/// Arguments of the command.
#[derive(Args)]
pub(crate) struct Oracle {
    /// Release of the kernel, such as 6.12, or `uml` for the one that is a user process
    #[arg(long, default_value = REFERENCE)]
    kernel: String,
    /// Type of raw programs
    #[arg(long = "type", default_value = "socket_filter")]
    program_type: String,
    /// Also without capabilities
    #[arg(long)]
    unprivileged: bool,
    /// The kernel's log level
    #[arg(long, default_value_t = 4)]
    log_level: u32,
    /// Load flags, hexadecimal
    #[arg(long, default_value = "0", value_parser = hexadecimal)]
    flags: u32,
    /// Print this many bytes of each log's end
    #[arg(long, default_value_t = 0)]
    log: usize,
    /// Object files (`*.o`), and files of raw little-endian instructions
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

fn hexadecimal(text: &str) -> Result<u32, std::num::ParseIntError> {
    u32::from_str_radix(text.trim_start_matches("0x"), 16)
}

pub(crate) fn run(args: &Oracle) -> Result<()> {
    let lab = Lab::open()?;
    let mut jobs = Vec::new();
    for file in &args.files {
        for load in loads(file, &args.program_type)? {
            let job = Job {
                load,
                flags: args.flags,
                log_level: args.log_level,
                caps: Caps::All,
                log_bytes: args.log.max(4096),
            };
            if args.unprivileged {
                jobs.push(Job { caps: Caps::NONE, ..job.clone() });
            }
            jobs.push(job);
        }
    }
    let machine = Machine::named(&lab, &args.kernel)?;
    for (job, reply) in jobs.iter().zip(ask(&lab, &machine, &jobs)?) {
        println!("{}", line(job, &reply));
        if args.log > 0 {
            let start = reply.log.ceil_char_boundary(reply.log.len().saturating_sub(args.log));
            print!("{}", reply.log.get(start..).unwrap_or_default());
        }
    }
    Ok(())
}

/// The programs of a file.
fn loads(file: &Path, program_type: &str) -> Result<Vec<Load>> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    if !bytes.starts_with(b"\x7fELF") {
        let Some(program_type) = ProgramType::by_name(program_type) else {
            bail!("there is no program type `{program_type}`")
        };
        return Ok(vec![Load::Raw(Raw { program_type: program_type.0, bytes, ..Raw::default() })]);
    }
    let file = file.to_path_buf();
    let load = |program| Load::Object { file: file.clone(), program, also: Vec::new(), btf: None, repair: true };
    Ok(crate::selftests::program_names(&bytes)?.into_iter().map(load).collect())
}

/// Tab-separated: name, as whom, verdict, error, instructions and states, message.
fn line(job: &Job, reply: &Reply) -> String {
    let name = match &job.load {
        Load::Raw(raw) => ProgramType(raw.program_type).name().to_owned(),
        Load::Object { file, program, .. } => {
            format!("{}\t{program}", file.file_name().unwrap_or_default().to_string_lossy())
        }
    };
    let whom = if job.caps == Caps::All { "priv" } else { "unpriv" };
    let stats = reply.stats().unwrap_or_default();
    let message = if reply.outcome == super::Outcome::Accepted { "" } else { reply.message() };
    let message = if message.is_empty() { &reply.remark } else { message };
    format!(
        "{name}\t{whom}\t{}\t{}\t{}\t{}\t{}\t{}\t{message}",
        reply.outcome.word(),
        reply.errno,
        stats.insns,
        stats.max_states,
        stats.total_states,
        stats.peak_states,
    )
}
