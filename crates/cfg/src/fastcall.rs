//! Spills and fills around calls that may spare registers.
//!
//! ```text
//!  *(u64 *)(r10 - 16) = r1     ┐
//!  *(u64 *)(r10 - 8)  = r2     │  lowest slots of the function,
//!  call helper                 │  for registers that the helper
//!  r2 = *(u64 *)(r10 - 8)      │  would overwrite but does not use
//!  r1 = *(u64 *)(r10 - 16)     ┘
//! ```
//!
//! Compilers emit the pattern around helpers of the `bpf_fastcall` contract, so that programs run on hosts without it too. A host that
//! knows that the helper spares the registers takes the pattern out, and the stack that only patterns use with it.

use alloc::vec::Vec;

use bpfvet_insn::{Call, Insn, InsnIdx, Operand, Reg, RegSet, Size};

use crate::Marks;
use crate::callee::{Callee, Callees};
use crate::flow::Flow;
use crate::mentions::Mentions;

/// Finds the patterns (`mark_fastcall_patterns`, Linux 7.3), marks their spills and fills, and notes in each function where their
/// slots begin. Returns the calls that spare registers with their number of spills, by ascending position.
pub(crate) fn find(flow: &mut Flow, callees: &Callees, mentions: &Mentions) -> Vec<(InsnIdx, u8)> {
    let mut spared = Vec::new();
    let calls: Vec<(InsnIdx, Call)> = mentions.calls(&flow.program).collect();
    let mut calls = calls.as_slice();
    for index in 0..flow.subprogs.len() {
        let Some(subprog) = flow.subprogs.get(index) else { continue };
        let slots = subprog.start.0..subprog.end.0;
        let own;
        (own, calls) = calls.split_at(calls.partition_point(|&(at, _)| at < subprog.end));
        // Most functions call nothing that could spare a register.
        if own.iter().all(|&(_, call)| matches!(call, Call::Subprog(_))) {
            continue;
        }
        let lowest = slots.filter_map(|at| spill_at(flow, InsnIdx(at))).map(|(_, off)| off).min();
        let Some(lowest) = lowest.filter(|&lowest| lowest < 0) else { continue };
        for &(at, call) in own {
            let (is_void, arg_count, fastcall) = match callees.of(call) {
                Callee::Helper(helper) => (helper.is_void, helper.arg_count, helper.fastcall),
                Callee::Kfunc(kfunc) => (kfunc.is_void, kfunc.arg_count, kfunc.fastcall),
                Callee::UnknownHelper | Callee::Subprog | Callee::UnknownKfunc => continue,
            };
            let overwritten = (u8::from(is_void)..=arg_count).filter_map(Reg::new).collect();
            let spills = mark_pattern(flow, at, lowest, RegSet::CALLER_SAVED.difference(overwritten));
            let Some(subprog) = flow.subprogs.get_mut(index).filter(|_| spills > 0) else { continue };
            if fastcall {
                spared.push((at, spills));
            } else {
                // A later host may know better; this one must leave the slots in place.
                subprog.keep_fastcall_stack = true;
            }
            let end = i32::from(lowest) + 8 * i32::from(spills);
            subprog.fastcall_off = subprog.fastcall_off.min(i16::try_from(end).unwrap_or(0));
        }
    }
    spared
}

/// Marks the pairs around the call at `at`, the innermost at `lowest` and each further one eight bytes above; how many there are.
fn mark_pattern(flow: &mut Flow, at: InsnIdx, lowest: i16, mut expected: RegSet) -> u8 {
    let mut pairs = 0_u8;
    let mut off = lowest;
    for distance in 1..=6 {
        let inner = at.offset(1 - distance);
        let (Some(before), Some(after), Some(inner)) = (at.offset(-distance), at.offset(distance), inner) else {
            break;
        };
        // The pattern must run as a whole; only its first spill may be jumped to.
        if flow.marks_at(inner).jump_target() || flow.marks_at(after).jump_target() {
            break;
        }
        let (Some((spilled, spill_off)), Some((filled, fill_off))) = (spill_at(flow, before), fill_at(flow, after))
        else {
            break;
        };
        if spilled != filled || !expected.contains(spilled) || spill_off != off || fill_off != off {
            break;
        }
        expected.remove(spilled);
        flow.mark(before, Marks::FASTCALL_PATTERN);
        flow.mark(after, Marks::FASTCALL_PATTERN);
        pairs += 1;
        off = off.saturating_add(8);
    }
    pairs
}

fn spill_at(flow: &Flow, at: InsnIdx) -> Option<(Reg, i16)> {
    let Insn::Store { base: Reg::FP, off, size: Size::B8, src: Operand::Reg(reg) } = *flow.program.get(at)? else {
        return None;
    };
    Some((reg, off))
}

fn fill_at(flow: &Flow, at: InsnIdx) -> Option<(Reg, i16)> {
    let Insn::Load { dst, base: Reg::FP, off, size: Size::B8, signed: false } = *flow.program.get(at)? else {
        return None;
    };
    Some((dst, off))
}
