//! `cfg`: the form of every program, as a picture or in words.

use std::io::{BufWriter, Write};

use bpfvet::cfg::{Graph, SubprogId};

use crate::args::Cfg;
use crate::disasm;
use crate::fault::Fault;

pub(crate) fn run(args: &Cfg) -> Result<(), Fault> {
    let mut out = BufWriter::new(anstream::stdout());
    disasm::each(&args.show, |title, request, linux| {
        let graph = disasm::graph(request, linux)?;
        if args.dot {
            write!(out, "{}", graph.dot())?;
            return Ok(());
        }
        writeln!(out, "{title}")?;
        words(&mut out, &graph)
    })?;
    out.flush()?;
    Ok(())
}

fn words(out: &mut dyn Write, graph: &Graph) -> Result<(), Fault> {
    for (id, subprog) in (0..).map(SubprogId).zip(graph.subprogs()) {
        let name = subprog.name.as_deref().unwrap_or("unnamed");
        writeln!(out, "  {id} {name}: insns {}..{}", subprog.start, subprog.end)?;
        for call in &subprog.callees {
            writeln!(out, "    calls {} at {}", call.callee, call.at)?;
        }
        for block in graph.blocks_of(id) {
            let Some(place) = graph.block(block) else { continue };
            let next: Vec<String> = graph.block_successors(block).iter().map(|next| format!("b{}", next.0)).collect();
            let next = if next.is_empty() { "end".to_owned() } else { next.join(", ") };
            let looped = if graph.scc(place.start) > 0 { "  (loop)" } else { "" };
            writeln!(out, "    b{}: {}..{} -> {next}{looped}", block.0, place.start, place.end)?;
        }
    }
    writeln!(out)?;
    Ok(())
}
