//! `disasm`: the instructions of every program, as the verifier's log prints them.

use std::io::Write;

use bpfvet::cfg::Graph;
use bpfvet::linux::Linux;
use bpfvet::platform::{LoadRequest, Privilege};
use bpfvet::report::{Names, explain_bytes};

use crate::args::Show;
use crate::fault::Fault;
use crate::host::{self, Host, Types};
use crate::input::{Content, Input, Loader, request};
use crate::pick;

pub(crate) fn run(args: &Show) -> Result<(), Fault> {
    let mut out = std::io::BufWriter::new(anstream::stdout());
    each(args, |title, request, linux| {
        let names = Names::new(request, linux);
        writeln!(out, "{title}")?;
        let width = request.program.len().to_string().len();
        let mut line = None;
        for (at, insn) in request.program.iter() {
            if let Some(info) = request.line_at(at).filter(|info| line != Some((info.line, &info.file))) {
                line = Some((info.line, &info.file));
                writeln!(out, "{:width$}  ; {} @ {}:{}", "", info.text.trim(), info.file, info.line)?;
            }
            writeln!(out, "{at:>width$}: {}", insn.disasm(&names))?;
        }
        writeln!(out)?;
        Ok(())
    })?;
    out.flush()?;
    Ok(())
}

/// Calls `show` for every program that is picked, with a title.
pub(crate) fn each(
    args: &Show,
    mut show: impl FnMut(&str, &LoadRequest, &Linux) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let kind = pick::kind(args.programs.kind.as_deref(), args.programs.raw && args.programs.kind.is_some())?;
    let hosts = host::hosts(&[])?;
    let [host] = hosts.as_slice() else { return Ok(()) };
    let types = Types::new(args.btf.as_deref())?;
    let loader = Loader { kconfig: None, privilege: Privilege::FULL };
    let mut names = Vec::new();
    for path in &args.programs.files {
        let input = match args.programs.raw {
            true => Input::raw(path)?,
            false => Input::object(path, &hosts, &loader)?,
        };
        match &input.content {
            Content::Raw { name, program } => {
                names.push(name.clone());
                let program = program.as_ref().map_err(|error| {
                    let at = error.at;
                    format!("{}: slot {at}: {}", input.path, explain_bytes(error).headline)
                })?;
                let kind = kind.unwrap_or(pick::Kind::parse("unspec")?);
                show(&format!("{name}:"), &kind.request(name, program.clone(), Privilege::FULL), host.plain())?;
            }
            Content::Object { bytes, views } => {
                let Some(view) = views.first() else { continue };
                names.extend(view.plain().programs().iter().map(|entry| entry.name.clone()));
                for index in pick::indices(view.plain(), &args.programs.program) {
                    object(&input, index, kind.as_ref(), (view, bytes.as_slice()), (host, &types), &mut show)?;
                }
            }
        }
    }
    match pick::missing(&args.programs.program, names.iter().map(String::as_str)) {
        Some(fault) => Err(fault),
        None => Ok(()),
    }
}

fn object(
    input: &Input,
    index: usize,
    kind: Option<&pick::Kind>,
    (view, bytes): (&crate::input::View, &[u8]),
    (host, types): (&Host, &Types),
    show: &mut impl FnMut(&str, &LoadRequest, &Linux) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let Some(entry) = view.plain().programs().get(index) else { return Ok(()) };
    let mut linux = host.plain();
    let mut result = request(view.plain(), index, kind);
    if matches!(result, Some(Err(_)))
        && let (Some(object), Some(typed)) = (view.typed(bytes, types), host.typed(types))
    {
        result = request(object, index, kind);
        linux = typed;
    }
    match result {
        Some(Ok(request)) => show(&format!("{} (section {}):", entry.name, entry.section), &request, linux),
        Some(Err(error)) => Err(Fault::Told(format!("{}: {}: {error}", input.path, entry.name))),
        None => Ok(()),
    }
}

/// The program's form.
pub(crate) fn graph(request: &LoadRequest, linux: &Linux) -> Result<Graph, Fault> {
    Graph::analyze(request, linux).map_err(|error| {
        let names = Names::new(request, linux);
        Fault::Told(format!("{}: {}", request.name, bpfvet::report::structure_message(&error, &names)))
    })
}
