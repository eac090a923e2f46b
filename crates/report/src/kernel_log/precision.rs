//! The trace of the backward walk that finds what must stay exact, and of loops.
//!
//! Source: `bpf_mark_chain_precision`, `backtrack_insn`, `propagate_precision`, `format_callchain`, Linux 7.3.

use alloc::string::String;
use core::fmt::{self, Write};

use bpfvet_domain::Domain;
use bpfvet_explore::{PrecisionEvent, SccEvent};
use bpfvet_insn::{InsnIdx, Program, RegSet};

use crate::Names;
use crate::state_text::{Extent, write_state};

pub(super) fn write<D: Domain>(out: &mut String, event: &PrecisionEvent<'_, D>, program: &Program, names: &Names<'_>) {
    let _ = match *event {
        PrecisionEvent::Enter { frame, last, first, subseq } => {
            let (last, subseq) = (number(last), number(subseq));
            writeln!(out, "mark_precise: frame{frame}: last_idx {last} first_idx {first} subseq_idx {subseq} ")
        }
        PrecisionEvent::Insn { frame, regs, slots, at } => {
            let _ = write!(out, "mark_precise: frame{frame}: regs={} stack={} before {at}: ", Regs(regs), Slots(slots));
            match program.get(at) {
                Some(insn) => writeln!(out, "{}", insn.disasm(names)),
                None => writeln!(out),
            }
        }
        PrecisionEvent::Parent { frame, regs, slots, state } => {
            let _ =
                write!(out, "mark_precise: frame{frame}: parent state regs={} stack={}: ", Regs(regs), Slots(slots));
            write_state(out, state, frame, Extent::Whole, names);
            writeln!(out)
        }
        PrecisionEvent::FallBack { frame } => {
            writeln!(out, "mark_precise: frame{frame}: falling back to forcing all scalars precise")
        }
        PrecisionEvent::ForcedReg { frame, reg } => {
            writeln!(out, "force_precise: frame{frame}: forcing r{reg} to be precise")
        }
        PrecisionEvent::ForcedSlot { frame, slot } => {
            writeln!(out, "force_precise: frame{frame}: forcing fp-{} to be precise", offset(u32::from(slot)))
        }
        PrecisionEvent::Propagate { frame, regs, slots } => {
            let _ = write!(out, "frame {frame}: propagating {}", Regs(regs));
            let mut separator = if regs.is_empty() { "" } else { "," };
            for slot in bits(slots) {
                let _ = write!(out, "{separator}fp-{}", offset(slot));
                separator = ",";
            }
            writeln!(out)
        }
        PrecisionEvent::TooManyRounds => writeln!(out, "propagate_backedges: too many iterations"),
    };
}

pub(super) fn write_scc(out: &mut String, event: &SccEvent<'_>) {
    let (what, callsites, scc) = match *event {
        SccEvent::Enter { callsites, scc } => ("enter", callsites, scc),
        SccEvent::Exit { callsites, scc } => ("exit", callsites, scc),
        SccEvent::BackEdge { callsites, scc } => ("backedge", callsites, scc),
    };
    let _ = write!(out, "SCC {what} (");
    // The kernel takes a call at the first instruction for the end of the list.
    for callsite in callsites.iter().take_while(|callsite| callsite.0 != 0) {
        let _ = write!(out, "{callsite},");
    }
    let _ = writeln!(out, "{scc})");
}

fn number(at: Option<InsnIdx>) -> i64 {
    at.map_or(-1, |at| i64::from(at.0))
}

const fn offset(slot: u32) -> u32 {
    slot.saturating_add(1).saturating_mul(8)
}

fn bits(mask: u64) -> impl Iterator<Item = u32> {
    (0..64).filter(move |bit| mask & (1 << bit) != 0)
}

/// `r0,r2`
struct Regs(RegSet);

impl fmt::Display for Regs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for reg in self.0.iter() {
            write!(f, "{separator}{reg}")?;
            separator = ",";
        }
        Ok(())
    }
}

/// `-8,-24`
struct Slots(u64);

impl fmt::Display for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for slot in bits(self.0) {
            write!(f, "{separator}-{}", offset(slot))?;
            separator = ",";
        }
        Ok(())
    }
}
