//! What the kernel prints of a program's shape before it walks, at level 2.
//!
//! ```text
//!  func#1 @5                                  functions
//!  topo_order[0] = main                       callees first
//!  Live regs before insn:
//!    1   3: .1......7. (bf) r2 = r1           component, position, live registers, instruction
//! ```

use alloc::string::String;
use core::fmt::Write;

use bpfvet_cfg::Graph;
use bpfvet_insn::{Program, Reg};

use super::pad;
use crate::Names;

pub(super) fn write(out: &mut String, graph: &Graph, program: &Program, names: &Names<'_>) {
    for (index, subprog) in graph.subprogs().iter().enumerate() {
        let _ = writeln!(out, "func#{index} @{}", subprog.start);
    }
    for (index, subprog) in graph.callees_first().iter().enumerate() {
        let _ = writeln!(out, "topo_order[{index}] = {}", names.subprog(subprog.0));
    }
    write_live_registers(out, graph, program, names);
}

/// Source: `bpf_compute_live_registers`, Linux 7.3.
fn write_live_registers(out: &mut String, graph: &Graph, program: &Program, names: &Names<'_>) {
    out.push_str("Live regs before insn:\n");
    for (at, insn) in program.iter() {
        match graph.scc(at) {
            0 => out.push_str("    "),
            scc => {
                let _ = write!(out, "{scc:3} ");
            }
        }
        let _ = write!(out, "{:3}: ", at.0);
        let live = graph.live_regs_before(at);
        for number in 0..10_u8 {
            let is_live = Reg::new(number).is_some_and(|reg| live.contains(reg));
            out.push(if is_live { char::from(b'0' + number) } else { '.' });
        }
        out.push(' ');
        let begin = out.len();
        let _ = write!(out, "{}", insn.disasm(names));
        if graph.zero_extends(at) {
            let len = out.len() - begin;
            pad(out, len);
            out.push_str("; zext");
        }
        out.push('\n');
    }
}
