//! How pointers into stacks move, as the kernel's analysis of live stacks prints it at level 2.
//!
//! ```text
//!  subprog#1: analyzing (depth 1)...
//!   14: (85) call pc+2    r1: fp0-16 -> _                    what an instruction changes
//!  arg JOIN insn 8 -> 10 r0: _ + fp0-8 => fp0-8|fp0+0      what an edge changes
//!  subprog#1 f:
//!   17: (79) r0 = *(u64 *)(r1 +0) // r1=fp0-16             what is known in the end
//! ```

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt::Write;

use bpfvet_cfg::{Graph, Moved, StackEvent, StackPointer, TrackedPlace};
use bpfvet_insn::{Insn, InsnIdx, Program};

use super::graph::subprog_text;
use crate::Names;

/// Source: `compute_subprog_args`, `arg_track_log`, `print_subprog_arg_access`, Linux 7.3.
pub(super) fn write(out: &mut String, event: &StackEvent, graph: &Graph, program: &Program, names: &Names<'_>) {
    match event {
        StackEvent::Begun { subprog, depth } => {
            let _ = writeln!(out, "subprog#{}: analyzing (depth {depth})...", subprog.0);
        }
        StackEvent::Passed { at, moved } => {
            write_insn(out, *at, program, names);
            for Moved { place, old, new } in moved {
                out.push('\t');
                write_place(out, *place);
                out.push_str(": ");
                write_pointer(out, old);
                out.push_str(" -> ");
                write_pointer(out, new);
            }
            out.push('\n');
        }
        StackEvent::Joined { from, to, with, moved: Moved { place, old, new } } => {
            let _ = write!(out, "arg JOIN insn {from} -> {to} ");
            write_place(out, *place);
            out.push_str(": ");
            write_pointer(out, old);
            out.push_str(" + ");
            write_pointer(out, with);
            out.push_str(" => ");
            write_pointer(out, new);
            out.push('\n');
        }
        StackEvent::Settled { subprog, held } => {
            let _ = writeln!(out, "{}:", subprog_text(*subprog, names));
            let Some(range) = graph.subprog(*subprog) else { return };
            let held: BTreeMap<InsnIdx, _> = held.iter().map(|(at, pointers)| (*at, pointers)).collect();
            let inside = |at: InsnIdx| range.start <= at && at < range.end;
            for (at, insn) in program.iter().filter(|(at, _)| inside(*at)) {
                write_insn(out, at, program, names);
                let is_told = matches!(
                    insn,
                    Insn::Load { .. }
                        | Insn::LoadAcquire { .. }
                        | Insn::Store { .. }
                        | Insn::StoreRelease { .. }
                        | Insn::Atomic { .. }
                        | Insn::Call(_)
                );
                let known = held.get(&at).filter(|_| is_told && !is_store_of_constant(insn));
                if let Some(pointers) = known.filter(|pointers| !pointers.is_empty()) {
                    out.push_str(" //");
                    for (place, pointer) in pointers.iter() {
                        out.push(' ');
                        write_place(out, *place);
                        out.push('=');
                        write_pointer(out, pointer);
                    }
                }
                out.push('\n');
            }
        }
    }
}

/// Only instructions with a register as their source are told.
const fn is_store_of_constant(insn: &Insn) -> bool {
    matches!(insn, Insn::Store { src: bpfvet_insn::Operand::Imm(_), .. })
}

fn write_insn(out: &mut String, at: InsnIdx, program: &Program, names: &Names<'_>) {
    let _ = write!(out, "{:3}: ", at.0);
    if let Some(insn) = program.get(at) {
        let _ = write!(out, "{}", insn.disasm(names));
    }
}

fn write_place(out: &mut String, place: TrackedPlace) {
    let _ = match place {
        TrackedPlace::Reg(reg) => write!(out, "r{}", reg.number()),
        TrackedPlace::StackArg(number) => write!(out, "sa{number}"),
        TrackedPlace::Slot(slot) => write!(out, "fp-{}", (u32::from(slot) + 1) * 8),
    };
}

/// Source: `verbose_arg_track`, Linux 7.3.
fn write_pointer(out: &mut String, pointer: &StackPointer) {
    match pointer {
        StackPointer::None => out.push('_'),
        StackPointer::Anywhere { frame } => {
            let _ = write!(out, "fp{frame} ?");
        }
        StackPointer::Mixed { frames } => {
            let _ = write!(out, "IMP{frames:x}");
        }
        StackPointer::Exact { frame, offs } => {
            for (number, off) in offs.iter().enumerate() {
                let gap = if number == 0 { "" } else { "|" };
                let _ = write!(out, "{gap}fp{frame}{off:+}");
            }
        }
    }
}
