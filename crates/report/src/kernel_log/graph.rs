//! What the kernel prints of a program's shape before it walks, at level 2.
//!
//! ```text
//!  func#1 @5                                  functions
//!  topo_order[0] = main                       callees first
//!  stack use/def subprog#1 f (d1,cs2):        one way into a function
//!    7: (79) r0 = *(u64 *)(r1 +0)         ; use: fp0-16
//!  Live regs before insn:
//!    1   3: .1......7. (bf) r2 = r1           component, position, live registers, instruction
//! ```

use alloc::format;
use alloc::string::String;
use core::fmt::Write;

use bpfvet_cfg::{Graph, Instance, StackSlots, SubprogId};
use bpfvet_insn::{InsnIdx, Program, Reg};

use super::{pad, stack};
use crate::Names;

pub(super) fn write(out: &mut String, graph: &Graph, program: &Program, names: &Names<'_>) {
    for (index, subprog) in graph.subprogs().iter().enumerate() {
        let _ = writeln!(out, "func#{index} @{}", subprog.start);
    }
    for (index, subprog) in graph.callees_first().iter().enumerate() {
        let _ = writeln!(out, "topo_order[{index}] = {}", names.subprog(subprog.0));
    }
    if names.platform().features().static_liveness() {
        graph.watch_stack(names.request(), names.platform(), &mut |event| {
            stack::write(out, &event, graph, program, names);
        });
        for instance in graph.stack_instances() {
            write_stack_access(out, instance, graph, program, names);
        }
    }
    write_live_registers(out, graph, program, names);
}

/// What the instructions of a function read and write of the stacks, its own first. Source: `print_instance`, Linux 7.3.
fn write_stack_access(out: &mut String, instance: &Instance, graph: &Graph, program: &Program, names: &Names<'_>) {
    let Some(subprog) = graph.subprogs().get(instance.subprog.index()) else { return };
    let Instance { callsite, depth, .. } = instance;
    let name = subprog_text(instance.subprog, names);
    let _ = writeln!(out, "stack use/def {name} (d{depth},cs{callsite}):");
    for (at, insn) in program.iter().skip_while(|(at, _)| *at < subprog.start).take_while(|(at, _)| *at < subprog.end) {
        let begin = out.len();
        let _ = write!(out, "{:3}: {}", at.0, insn.disasm(names));
        let mut reads = String::new();
        let mut writes = String::new();
        for frame in (0..=*depth).rev() {
            let Some((may_read, must_write)) = access(instance, frame, at) else { continue };
            write_slots(&mut reads, frame, may_read);
            write_slots(&mut writes, frame, must_write);
        }
        if !reads.is_empty() || !writes.is_empty() {
            let len = out.len() - begin;
            pad(out, len);
            out.push(';');
        }
        for (what, slots) in [("use", reads), ("def", writes)] {
            if !slots.is_empty() {
                let _ = write!(out, " {what}:{slots}");
            }
        }
        out.push('\n');
    }
}

/// A function as the kernel's analyses name it (`fmt_subprog`).
pub(super) fn subprog_text(subprog: SubprogId, names: &Names<'_>) -> String {
    match names.subprog(subprog.0) {
        "" => format!("subprog#{}", subprog.0),
        name => format!("subprog#{} {name}", subprog.0),
    }
}

fn access(instance: &Instance, frame: u32, at: InsnIdx) -> Option<(StackSlots, StackSlots)> {
    let accesses = instance.accesses(frame);
    let index = accesses.binary_search_by_key(&at, |access| access.at).ok()?;
    accesses.get(index).map(|access| (access.may_read, access.must_write))
}

/// Slots from the frame pointer down: whole ones, halves with an `h`, three and more in a row from the first to the last.
fn write_slots(out: &mut String, frame: u32, slots: StackSlots) {
    let bits = slots.bits();
    let halves = |slot: u32| if slot < 64 { bits >> (slot * 2) & 3 } else { 0 };
    let offset = |slot: u32| (slot + 1) * 8;
    let mut slot = 0;
    while slot < 64 {
        let whole = (slot..64).take_while(|slot| halves(*slot) == 3).count();
        let whole = u32::try_from(whole).unwrap_or(0);
        let _ = match (halves(slot), whole) {
            (0, _) => Ok(()),
            (3, 3..) => write!(out, " fp{frame}-{}..-{}", offset(slot), offset(slot + whole - 1)),
            (3, _) => write!(out, " fp{frame}-{}", offset(slot)),
            (half, _) => write!(out, " fp{frame}-{}h", offset(slot) - if half == 1 { 4 } else { 0 }),
        };
        slot += if whole >= 3 { whole } else { 1 };
    }
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
