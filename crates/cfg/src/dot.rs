//! The graph as a picture, in the language of Graphviz.

use core::fmt::{self, Write as _};

use crate::{BlockId, Graph, SubprogId};

/// The graph in the DOT language: a cluster for each function, a node for each block with its instructions, solid edges for control,
/// dashed ones for calls. Format it with `{}`.
#[derive(Clone, Copy, Debug)]
pub struct Dot<'a> {
    pub(crate) graph: &'a Graph,
}

impl fmt::Display for Dot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("digraph program {\n  node [shape=box, fontname=monospace];\n")?;
        for (index, subprog) in self.graph.subprogs().iter().enumerate() {
            let id = SubprogId::of(index);
            write!(f, "  subgraph cluster_{index} {{\n    label=\"{id}")?;
            if let Some(name) = &subprog.name {
                write!(Escaped(f), " {name}")?;
            }
            f.write_str("\";\n")?;
            for block in self.graph.blocks_of(id) {
                self.node(f, block)?;
            }
            f.write_str("  }\n")?;
        }
        for block in (0..self.graph.blocks().len()).map(BlockId::of) {
            for next in self.graph.block_successors(block) {
                writeln!(f, "  b{} -> b{};", block.0, next.0)?;
            }
        }
        for (index, subprog) in self.graph.subprogs().iter().enumerate() {
            for call in &subprog.callees {
                let callee = self.graph.subprog(call.callee).and_then(|callee| self.graph.block_at(callee.start));
                if let (Some(from), Some(to)) = (self.graph.block_at(call.at), callee) {
                    writeln!(f, "  b{} -> b{} [style=dashed, lhead=cluster_{}];", from.0, to.0, call.callee.0)?;
                } else {
                    writeln!(f, "  // dead call at {} in func#{index}", call.at)?;
                }
            }
        }
        f.write_str("}\n")
    }
}

impl Dot<'_> {
    fn node(&self, f: &mut fmt::Formatter<'_>, id: BlockId) -> fmt::Result {
        let Some(block) = self.graph.block(id) else { return Ok(()) };
        write!(f, "    b{} [label=\"", id.0)?;
        let slots = (block.start.0..block.end.0).map(bpfvet_insn::InsnIdx);
        for (at, insn) in slots.filter_map(|at| Some((at, self.graph.program().get(at)?))) {
            write!(Escaped(f), "{at}: {insn}")?;
            f.write_str("\\l")?;
        }
        f.write_str("\"];\n")
    }
}

/// Text between quotation marks.
struct Escaped<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            match char {
                '"' | '\\' => {
                    self.0.write_char('\\')?;
                    self.0.write_char(char)?;
                }
                '\n' => self.0.write_str("\\n")?,
                _ => self.0.write_char(char)?,
            }
        }
        Ok(())
    }
}
