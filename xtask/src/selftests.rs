//! The kernel's own tests, run as the kernel's loader runs them, and compared with what the real kernel said.
//!
//! ```text
//! objects ──expect──▶ tests ──judge──▶ judgements ──compare (with the record)──▶ tables, names, lists
//! ```

pub(crate) mod arrays;
mod compare;
mod expect;
mod judge;
mod ladder;
mod lists;
mod matching;
mod object;
mod ours;
mod record;
mod recorder;
mod tally;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use rayon::prelude::*;

use crate::lab::{Kernel, Lab, REFERENCE, Selftests};
use crate::oracle::{Machine, Raw};
use compare::{Comparison, Standing, compare};
use expect::Mode;
use judge::{Judge, Live, Replay, Source, Test, WHOLE_LOG};
pub(crate) use judge::{Judgement, Verdict};
pub(crate) use ladder::{Ladder, ladder};
use lists::{COUNTS, Failing, List, MESSAGES, VERDICTS};
pub(crate) use ours::{Ours, places};
use record::{Name, Tiers};
pub(crate) use recorder::{Recording, record};
use tally::{Tally, table};

/// Who is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Who {
    /// This project
    Ours,
    /// The committed record of the real kernel: verdicts and counts without logs
    Record,
    /// The real kernel, booted now
    Kernel,
}

/// `cargo xtask selftests`
#[derive(Args)]
pub(crate) struct Arguments {
    /// Release whose tests these are
    #[arg(long, default_value = REFERENCE)]
    kernel: String,
    /// Only tests of this tier, T0 to T6
    #[arg(long, value_parser = |text: &str| record::tier(text).ok_or("a tier is one of T0 to T6"))]
    tier: Option<u8>,
    /// Only objects whose name begins so, such as `verifier_and`
    #[arg(long, default_value = "")]
    file: String,
    /// Only privileged, or only unprivileged, loads
    #[arg(long, value_parser = |text: &str| Mode::by_word(text).ok_or("a mode is priv or unpriv"))]
    mode: Option<Mode>,
    /// Who is judged
    #[arg(long, value_enum, default_value_t = Who::Ours)]
    judge: Who,
    /// Tables only, no names
    #[arg(long)]
    brief: bool,
    /// A row for every object, not only for those that fall short
    #[arg(long)]
    all_files: bool,
    /// Fail where the lists under tests/conformance and this run differ
    #[arg(long)]
    check: bool,
    /// Take names that pass now off the lists
    #[arg(long, conflicts_with = "check")]
    shrink: bool,
}

pub(crate) fn run(args: &Arguments) -> Result<()> {
    let lab = Lab::open()?;
    let tiers = Tiers::read()?;
    let known = record::read(&args.kernel)?;
    let mut tests = tests_of(&lab, &args.kernel, &args.file)?;
    tests.retain(|test| args.mode.is_none_or(|mode| mode == test.name.mode));
    tests.retain(|test| args.tier.is_none_or(|tier| tiers.of(&test.name) == Some(tier)));
    let judge: Box<dyn Judge> = match args.judge {
        Who::Ours => Box::new(Ours::new(&args.kernel, &Kernel::fetch(&lab, &args.kernel)?)?),
        Who::Record => Box::new(Replay(known.clone())),
        Who::Kernel => Box::new(Live { machine: Machine::named(&lab, &args.kernel)?, lab, log_bytes: WHOLE_LOG }),
    };
    let judgements = judge.judge(&tests)?;
    let rows: Vec<Row<'_>> = tests
        .iter()
        .zip(&judgements)
        .map(|(test, judgement)| Row { test, judgement, comparison: compare(test, known.get(&test.name), judgement) })
        .collect();
    show(&rows, &tiers, args);
    settle(&rows, args)
}

/// Names of an object's programs, in libbpf's order.
pub(crate) fn program_names(bytes: &[u8]) -> Result<Vec<String>> {
    Ok(object::programs(bytes)?.into_iter().map(|named| named.name).collect())
}

/// The older tests' programs, by name, as far as they attach to nothing that has types.
pub(crate) fn bare_arrays(lab: &Lab, version: &str) -> Result<Vec<(String, Raw)>> {
    let tests = arrays::tests(lab, version, arrays::PREFIX)?;
    let bare = tests.into_iter().filter(|test| test.name.mode == Mode::Priv).filter_map(|test| match test.source {
        Source::Array(raw) if raw.attach_name.is_none() => {
            Some((format!("{}/{}", test.name.object, test.name.program), Raw::clone(&raw)))
        }
        Source::Array(_) | Source::Object { .. } => None,
    });
    Ok(bare.collect())
}

/// The tests of every object whose name begins with `prefix`, compiled if need be.
fn tests_of(lab: &Lab, version: &str, prefix: &str) -> Result<Vec<Test>> {
    let compiled = Selftests::compile(lab, version, prefix)?;
    let of_one = |object: &String| {
        let file = compiled.directory.join(object);
        let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let specs = expect::of_object(&bytes).with_context(|| format!("the expectations of {object}"))?;
        let mut tests = Vec::new();
        for spec in specs.iter().filter(|spec| spec.applies) {
            for (mode, expect) in &spec.expect {
                let also =
                    specs.iter().filter(|other| other.auxiliary.contains(mode)).map(|other| other.program.clone());
                let btf =
                    spec.btf_path.as_ref().or(spec.func_btf_path.as_ref()).map(|name| compiled.directory.join(name));
                let object = object.trim_end_matches(".bpf.o").to_owned();
                tests.push(Test {
                    name: Name { object, program: spec.program.clone(), mode: *mode },
                    source: Source::Object { file: file.clone(), also: also.collect(), btf },
                    expect: expect.clone(),
                    flags: spec.flags,
                    log_level: spec.log_level,
                });
            }
        }
        Ok(tests)
    };
    let found: Result<Vec<Vec<Test>>> = compiled.compiled.par_iter().map(of_one).collect();
    let mut tests: Vec<Test> = found?.into_iter().flatten().collect();
    for test in &tests {
        if let Source::Object { btf: Some(types), .. } = &test.source
            && !types.exists()
        {
            let name = types.file_name().unwrap_or_default().to_string_lossy();
            Selftests::compile(lab, version, name.trim_end_matches(".bpf.o"))?;
        }
    }
    tests.extend(arrays::tests(lab, version, prefix)?);
    Ok(tests)
}

struct Row<'a> {
    test: &'a Test,
    judgement: &'a Judgement,
    comparison: Comparison,
}

/// Prints what is dangerous first, then what falls short, then the tables.
fn show(rows: &[Row<'_>], tiers: &Tiers, args: &Arguments) {
    let (mut by_tier, mut by_file, mut sum) = (BTreeMap::new(), BTreeMap::new(), Tally::default());
    let mut rewritten = 0;
    for Row { test, comparison, judgement: _ } in rows {
        by_tier.entry(tiers.label(&test.name)).or_insert_with(Tally::default).add(comparison);
        by_file.entry(test.name.object.clone()).or_insert_with(Tally::default).add(comparison);
        sum.add(comparison);
        rewritten += usize::from(test.expect.rewritten > 0);
    }
    let dangerous: Vec<&Row<'_>> = rows.iter().filter(|row| row.comparison.standing == Standing::Unsafe).collect();
    println!("the kernel rejects and we accept: {}", dangerous.len());
    for Row { test, .. } in &dangerous {
        let expected: Vec<&str> = test.expect.messages.iter().map(|pattern| pattern.text.as_str()).collect();
        println!("  UNSAFE {}: expected `{}`", test.name, expected.join("` `"));
    }
    if !args.brief {
        rows.iter().filter(|row| row.comparison.standing != Standing::Unsafe && !row.comparison.clean()).for_each(name);
    }
    if !args.all_files {
        by_file.retain(|_, tally: &mut Tally| tally.clean.met < tally.clean.of);
    }
    if !by_file.is_empty() && !args.brief {
        println!("\n{}", table("object", &by_file, &sum));
    }
    println!("\n{}", table("tier", &by_tier, &sum));
    println!(
        "\naccepts agreed {}, rejects agreed {}, unsupported {}, failed {}, unsafe {}; the text of rewritten programs is not judged: {rewritten}",
        sum.accepts, sum.rejects, sum.unsupported, sum.failed, sum.unsafe_accepts
    );
}

/// One line that says how a test falls short.
fn name(row: &Row<'_>) {
    let Row { test, judgement, comparison } = row;
    let Comparison { truth: _, standing, messages, insns, states } = comparison;
    let expected = test.expect.messages.first().map_or("", |pattern| pattern.text.as_str());
    match standing {
        Standing::TooStrict => println!("  too strict {}: {}", test.name, judgement.message),
        Standing::Unsupported => println!("  unsupported {}: {}", test.name, judgement.message),
        Standing::Failed => println!("  failed {}: {}", test.name, judgement.message),
        Standing::Unsafe => println!("  UNSAFE {}: expected `{expected}`", test.name),
        Standing::Agrees | Standing::NoTruth => {}
    }
    if let Some(Err(pattern)) = messages {
        println!("  message {}: expected `{pattern}`, ours `{}`", test.name, judgement.message);
    }
    if *insns == Some(false) || *states == Some(false) {
        println!("  counts {}: {:?}", test.name, judgement.stats.unwrap_or_default());
    }
}

/// The lists beside this run: shrinks them, or fails where they differ.
fn settle(rows: &[Row<'_>], args: &Arguments) -> Result<()> {
    if !args.check && !args.shrink {
        return Ok(());
    }
    let mut differs = 0;
    for (list, failing) in failing(rows) {
        let whole = args.file.is_empty() && args.tier.is_none() && args.mode.is_none();
        let listed = match list.read()? {
            None if args.shrink && whole => {
                list.write(&failing)?;
                println!("{}.txt: begun with {} names", list.name, failing.len());
                continue;
            }
            listed => listed.unwrap_or_default(),
        };
        let names: std::collections::BTreeSet<String> = rows.iter().map(|row| row.test.name.to_string()).collect();
        // In a whole run, a listed name that no test bears any more counts as passing: it must go.
        let difference = lists::difference(&listed, &failing, |name| whole || names.contains(name));
        if args.shrink {
            let mut shrunk = listed;
            shrunk.retain(|name, _| !difference.pass_but_listed.contains(name));
            list.write(&shrunk)?;
            println!("{}.txt: {} names taken off", list.name, difference.pass_but_listed.len());
            continue;
        }
        for name in &difference.pass_but_listed {
            println!("{}.txt: `{name}` passes: run `cargo xtask selftests --shrink`", list.name);
        }
        for name in &difference.fail_unlisted {
            println!("{}.txt: fails and is not listed: {name}", list.name);
        }
        differs += difference.pass_but_listed.len() + difference.fail_unlisted.len();
    }
    if differs > 0 {
        bail!("{differs} difference(s) from the lists under tests/conformance");
    }
    Ok(())
}

/// A reason without the numbers that differ from one program to the next.
fn class(message: &str) -> &str {
    let what =
        message.split_once(": ").filter(|(head, _)| head.contains(" at insn ")).map_or(message, |(_, what)| what);
    what.split(['(', '`', ':', '\n']).next().unwrap_or(what).trim()
}

/// What falls short, by list.
fn failing(rows: &[Row<'_>]) -> [(List, Failing); 3] {
    let (mut verdicts, mut messages, mut counts) = (Failing::new(), Failing::new(), Failing::new());
    for Row { test, judgement, comparison } in rows {
        let Comparison { truth: _, standing, messages: unmet, insns, states } = comparison;
        let name = || test.name.to_string();
        match standing {
            Standing::Unsafe => drop(verdicts.insert(name(), "accepts".into())),
            Standing::TooStrict => drop(verdicts.insert(name(), "rejects".into())),
            Standing::Unsupported => {
                drop(verdicts.insert(name(), format!("unsupported: {}", class(&judgement.message))))
            }
            Standing::Failed => drop(verdicts.insert(name(), format!("failed: {}", class(&judgement.message)))),
            Standing::Agrees | Standing::NoTruth => {}
        }
        if let Some(Err(_)) = unmet {
            messages.insert(name(), "message".into());
        }
        match (insns, states) {
            (Some(false), _) => drop(counts.insert(name(), "instructions".into())),
            (_, Some(false)) => drop(counts.insert(name(), "states".into())),
            _ => {}
        }
    }
    [(VERDICTS, verdicts), (MESSAGES, messages), (COUNTS, counts)]
}

#[cfg(test)]
mod tests {
    use super::class;

    #[test]
    fn a_class_holds_no_numbers() {
        assert_eq!(
            class("not supported at insn 7: calls to kernel functions (id 66208 of BTF 0)"),
            "calls to kernel functions"
        );
        assert_eq!(class("extern `x` is missing"), "extern");
        assert_eq!(class("panicked"), "panicked");
    }
}
