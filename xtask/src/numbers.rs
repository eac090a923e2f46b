//! `cargo xtask numbers`: what a real kernel knows of registers, beside what the domains know.
//!
//! Random programs of arithmetic and comparisons go to the kernel, which prints what it knows after each instruction. The same instructions run on
//! a [`bpfvet_domain::Domain`]; every printed register must be written alike.

mod log;
mod program;

use anyhow::{Result, bail};
use bpfvet_domain::{Domain, Intervals, Scalar};
use clap::Args;

use self::log::Seen;
use self::program::{Program, Random};
use crate::lab::Lab;
use crate::oracle::{Caps, Job, Load, Machine, Outcome, Raw, ask};

/// Arguments of the command.
#[derive(Args)]
pub(crate) struct Numbers {
    /// Release of the kernel: before 7.2 it knows intervals, and arcs since
    #[arg(long, default_value = "6.12")]
    kernel: String,
    /// How many programs
    #[arg(long, default_value_t = 400)]
    programs: usize,
    /// Instructions of each, about
    #[arg(long, default_value_t = 12)]
    length: usize,
    /// Where chance begins
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print so many disagreements
    #[arg(long, default_value_t = 10)]
    show: usize,
}

/// A domain that a kernel computes with.
trait Known: Domain {
    /// The kernel's words, between the parentheses.
    fn text(&self) -> String;
    /// What is left of a number that contradicts itself. (`reg_bounds_sanity_check`)
    fn forgotten(self) -> Self;
}

impl Known for Scalar {
    fn text(&self) -> String {
        self.kernel_text().to_string()
    }
    fn forgotten(self) -> Self {
        self.forget_ranges()
    }
}

impl Known for Intervals {
    fn text(&self) -> String {
        self.kernel_text().to_string()
    }
    fn forgotten(self) -> Self {
        self.forget_bounds()
    }
}

pub(crate) fn run(args: &Numbers) -> Result<()> {
    let lab = Lab::open()?;
    let machine = Machine::named(&lab, &args.kernel)?;
    let mut random = Random::new(args.seed);
    let programs: Vec<Program> = (0..args.programs).map(|_| Program::random(&mut random, args.length)).collect();
    let jobs: Vec<Job> = programs.iter().map(job).collect();
    let mut tally = Tally::default();
    for ((program, reply), number) in programs.iter().zip(ask(&lab, &machine, &jobs)?).zip(0..) {
        if reply.outcome != Outcome::Accepted {
            bail!("program {number} is not accepted, which proves nothing: {}", reply.log);
        }
        let seen = log::seen(&reply.log);
        if has_arcs(&args.kernel) {
            compare::<Scalar>(number, program, &seen, args.show, &mut tally);
        } else {
            compare::<Intervals>(number, program, &seen, args.show, &mut tally);
        }
    }
    let Tally { registers, ranges, forked, different } = tally;
    println!(
        "Linux {}: {registers} registers printed in {} programs, {ranges} of them neither constant nor unknown; {different} unlike ours; {forked} programs not followed to their end, where the kernel splits a number",
        args.kernel,
        programs.len(),
    );
    if ranges == 0 {
        bail!("the kernel printed no register of which something is known");
    }
    if different > 0 {
        bail!("the domain and the kernel disagree");
    }
    Ok(())
}

/// Linux knows arcs since 7.2.
fn has_arcs(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(u32::MAX));
    (parts.next(), parts.next()) >= (Some(7), Some(2))
}

/// As a socket filter, with a log of every instruction.
fn job(program: &Program) -> Job {
    let raw = Raw { program_type: 1, bytes: program.bytes(), ..Raw::default() };
    Job { load: Load::Raw(raw), flags: 0, log_level: 2, caps: Caps::All, log_bytes: 1 << 15 }
}

#[derive(Default)]
struct Tally {
    registers: usize,
    ranges: usize,
    forked: usize,
    different: usize,
}

/// Compares what was printed of one program with what the domain makes of it.
fn compare<D: Known>(number: usize, program: &Program, seen: &Seen, show: usize, tally: &mut Tally) {
    let ours = program.followed::<D>();
    tally.forked += usize::from(ours.forked);
    let after = ours.after.iter().map(|(at, numbers)| (seen.after.get(at), numbers, "after", at));
    let taken = ours.taken.iter().map(|(at, numbers)| (seen.taken.get(at), numbers, "taken at", at));
    for (printed, numbers, when, at) in after.chain(taken) {
        for (register, text) in printed.into_iter().flatten() {
            let Some(ours) = program::place(*register).and_then(|place| numbers.get(place)) else { continue };
            let ours = written(ours);
            tally.registers += 1;
            tally.ranges += usize::from(ours.contains('='));
            if ours != *text {
                tally.different += 1;
                if tally.different <= show {
                    println!("program {number}, {when} {at}: R{register}\n  kernel {text}\n  ours   {ours}\n{program}");
                }
            }
        }
    }
}

/// A number as logs have it.
fn written<D: Known>(number: &D) -> String {
    match number.as_const() {
        Some(value) => bpfvet_domain::SignedText(value).to_string(),
        None => format!("scalar({})", number.text()),
    }
}
