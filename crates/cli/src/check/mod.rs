//! `check`: verify every program of every object, on every kernel.
//!
//! ```text
//!  files ─▶ inputs ─▶ tasks × kernels ─▶ all processors ─▶ put in order ─▶ human · JSON · log
//!                                                              ├─▶ rows ─▶ table, or comparison with an earlier run
//!                                                              └─▶ tally ─▶ exit status
//! ```

mod outcome;

mod task;
mod words;

mod row;
mod sort;

mod columns;
mod compare;
mod human;
mod json;
mod progress;
mod sink;
mod table;

pub(crate) use sort::Key;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc;

use bpfvet::platform::Privilege;
use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _,
};

use crate::args::{Check, Format};
use crate::fault::{self, Fault};
use crate::host::{self, Host, Types};
use crate::input::{Content, Input, Loader, read_text};
use crate::pick;
use outcome::Verdict;
use progress::Progress;
use sink::{Sink, Tables};
use task::{Asked, Task};

/// Answers; the exit status is as documented.
pub(crate) fn run(args: &Check) -> Result<ExitCode, Fault> {
    let format = format(args)?;
    let hosts = host::hosts(&args.host.kernel)?;
    let types = Types::new(args.host.btf.as_deref())?;
    let privilege = if args.host.unprivileged { Privilege::NONE } else { Privilege::FULL };
    let loader = Loader { kconfig: args.host.kconfig.as_deref().map(read_text).transpose()?, privilege };
    let kind = pick::kind(args.programs.kind.as_deref(), args.programs.raw)?;
    let (inputs, mut undecided) = inputs(args, &hosts, &loader)?;
    let asked = Asked {
        hosts: &hosts,
        types: &types,
        kind: kind.as_ref(),
        privilege,
        // Bits that are not given: as loaders do it after a failure.
        log_level: args.log_level.unwrap_or(u32::from(format == Format::Log)),
        words: if format == Format::Human { Some(words::Words::of_terminal()) } else { None },
        explains: format == Format::Json,
    };
    let tasks = tasks(&inputs, &args.programs.program, &mut undecided)?;
    let earlier = args.compare.as_deref().map(row::saved).transpose()?;
    let tables = Tables { stats: args.stats, earlier, keys: &args.sort, save: args.stats_json.as_deref() };
    let mut sink = Sink::new(format, tables, &tasks, &asked)?;
    answer(&tasks, &asked, &mut sink)?;
    let tally = sink.end()?;
    let code = match () {
        () if undecided || tally.undecided() > 0 => fault::UNDECIDED,
        () if tally.of(Verdict::Rejected) > 0 => fault::REJECTED,
        () => fault::ACCEPTED,
    };
    Ok(ExitCode::from(code))
}

/// How to print, where the arguments agree.
fn format(args: &Check) -> Result<Format, Fault> {
    if !args.sort.is_empty() && !args.stats && args.compare.is_none() {
        return Err(Fault::Told("--sort needs a table: --stats or --compare".to_owned()));
    }
    let logs = args.log_level.is_some_and(|level| level > 0);
    let format = args.format.unwrap_or(if logs { Format::Log } else { Format::Human });
    match format {
        Format::Json if logs => Err(Fault::Told("--log-level does not go with --format json".to_owned())),
        Format::Json if args.stats || args.compare.is_some() => {
            Err(Fault::Told("--stats and --compare do not go with --format json, which has it all".to_owned()))
        }
        Format::Human | Format::Json | Format::Log => Ok(format),
    }
}

/// The files that can be read, and whether there were others.
fn inputs(args: &Check, hosts: &[Host], loader: &Loader) -> Result<(Vec<Input>, bool), Fault> {
    let read = |path: &Path| match args.programs.raw {
        true => Input::raw(path),
        false => Input::object(path, hosts, loader),
    };
    let results: Vec<_> = args.programs.files.par_iter().map(|path| read(path)).collect();
    let mut inputs = Vec::new();
    let mut faulty = false;
    for result in results {
        match result {
            Ok(input) => inputs.push(input),
            Err(Fault::Told(text)) => {
                fault::tell(&text);
                faulty = true;
            }
            Err(Fault::Closed) => return Err(Fault::Closed),
        }
    }
    Ok((inputs, faulty))
}

/// What is to be verified, in the order in which it is told.
fn tasks<'a>(inputs: &'a [Input], names: &[String], undecided: &mut bool) -> Result<Vec<Task<'a>>, Fault> {
    let mut tasks = Vec::new();
    let mut found = Vec::new();
    for input in inputs {
        match &input.content {
            Content::Raw { name, program: _ } => {
                found.push(name.as_str());
                if names.is_empty() || names.contains(name) {
                    tasks.push(Task::raw(input, name));
                }
            }
            Content::Object { bytes: _, views } => {
                let Some(first) = views.first() else { continue };
                let object = first.plain();
                if object.programs().is_empty() {
                    fault::tell(&format!("{}: the object has no programs", input.path));
                    *undecided = true;
                }
                found.extend(object.programs().iter().map(|entry| entry.name.as_str()));
                let picked = pick::indices(object, names).into_iter();
                tasks.extend(
                    picked.filter_map(|index| Some(Task::of_object(input, index, object.programs().get(index)?))),
                );
            }
        }
    }
    match pick::missing(names, found.iter().copied()) {
        // Where a file could not be read, the name may have been in it.
        Some(_) if *undecided => Ok(tasks),
        Some(fault) => Err(fault),
        None => Ok(tasks),
    }
}

/// Verifies on all processors, and hands the outcomes on in order.
fn answer(tasks: &[Task<'_>], asked: &Asked<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
    let hosts = asked.hosts.len();
    let count = tasks.len().saturating_mul(hosts);
    let pair = |number: usize| Some((tasks.get(number / hosts)?, asked.hosts.get(number % hosts)?));
    let (send, receive) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // An error means that nobody listens any more: the output is closed, and what is left is not worth the work.
            (0..count).into_par_iter().with_max_len(1).try_for_each_with(send, |send, number| {
                let Some((task, host)) = pair(number) else { return Ok(()) };
                send.send((number, task.run(host, number % hosts, asked))).map_err(drop)
            })
        });
        let mut progress = Progress::new(count);
        let mut early = BTreeMap::new();
        let mut next = 0;
        while next < count {
            let Some((number, outcome)) = progress.wait(&receive) else { break };
            early.insert(number, outcome);
            while let Some(outcome) = early.remove(&next) {
                if let Some((task, host)) = pair(next) {
                    progress.aside(|| sink.tell(task, host, outcome))?;
                }
                next += 1;
            }
        }
        Ok(())
    })
}
