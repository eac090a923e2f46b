//! Live registers against their definition: a way to a use without a definition before it.

use std::collections::BTreeSet;

use bpfvet_cfg::Graph;
use bpfvet_insn::{HalfSet, Insn, InsnIdx, RegSet};
use proptest::prelude::*;

use crate::host::{Host, at};
use crate::random::{alu, memory, programs};

fn uses(insn: &Insn) -> HalfSet {
    let args = match insn {
        Insn::Call(bpfvet_insn::Call::Helper(7)) => Some(0),
        Insn::Call(bpfvet_insn::Call::Helper(181)) => Some(4),
        _ => None,
    };
    insn.half_uses(args)
}

/// Whether one half of a register may be read from `from` on: a search forward, one half at a time.
fn is_live(graph: &Graph, from: InsnIdx, half: u32) -> bool {
    let half = HalfSet::from_bits(1 << half);
    let mut seen = BTreeSet::new();
    let mut work = vec![from];
    while let Some(at) = work.pop() {
        let Some(insn) = graph.program().get(at).filter(|_| seen.insert(at)) else { continue };
        if half.difference(uses(insn)).is_empty() {
            return true;
        }
        if !half.difference(insn.half_defs()).is_empty() {
            work.extend(graph.successors(at).iter().copied());
        }
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn live_registers_are_those_with_a_way_to_a_use(program in programs(prop_oneof![alu(), memory()])) {
        let graph = Host::default().analyze(program).expect("all is reached");
        for at in graph.postorder() {
            let halves = (0..12).chain(16..28).filter(|&half| is_live(&graph, at, half));
            let live = halves.fold(HalfSet::EMPTY, |set, half| set.union(HalfSet::from_bits(1 << half)));
            prop_assert_eq!(graph.live_regs_before(at), live.regs());
            let insn = graph.program().get(at).expect("reached");
            let after = graph.successors(at).iter().any(|&next| {
                insn.narrow_def(false).is_some_and(|reg| is_live(&graph, next, u32::from(reg.number()) + 16))
            });
            prop_assert_eq!(graph.zero_extends(at), after);
        }
    }
}

#[test]
fn a_call_reads_as_many_registers_as_its_helper_has_arguments() {
    let graph = Host::default().shape("call random; call update; call pc+1; exit; r0 = r5; exit").expect("fine");
    let live = |slot| graph.live_regs_before(at(slot)).bits();
    // What follows a call can have nothing that it overwrites, so each set is what the call itself reads.
    assert_eq!([live(0), live(1), live(2)], [0, 0b1_1110, 0b11_1110]);
    assert_eq!(graph.live_regs()[4], RegSet::of(bpfvet_insn::Reg::R5));
}

#[test]
fn dead_code_has_no_live_registers() {
    let graph = Host::default().shape("r0 = 0; if r0 == 0 goto +1; r0 = r6; exit").expect("fine");
    assert_eq!(graph.program().get(at(1)), Some(&Insn::Jump { off: 1, long: false }));
    assert_eq!(graph.live_regs_before(at(2)), RegSet::EMPTY);
    assert_eq!(graph.live_regs_before(at(0)), RegSet::EMPTY);
}
