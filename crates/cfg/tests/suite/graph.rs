//! Blocks, components, dominators and loops against their definitions, on random programs; marks and effects on small ones.

use std::collections::BTreeSet;

use bpfvet_cfg::{BlockId, Graph, SubprogId};
use bpfvet_insn::InsnIdx;
use proptest::prelude::*;

use crate::host::{Host, at};
use crate::random::{alu, programs};

/// Slots that can be reached from `from` in one step or more, without passing `avoid`.
fn reachable(graph: &Graph, from: InsnIdx, avoid: Option<InsnIdx>) -> BTreeSet<InsnIdx> {
    let mut seen = BTreeSet::new();
    let mut work: Vec<InsnIdx> = graph.successors(from).to_vec();
    while let Some(at) = work.pop() {
        if Some(at) != avoid && seen.insert(at) {
            work.extend(graph.successors(at).iter().copied());
        }
    }
    seen
}

/// Tarjan's algorithm as in the textbook, with recursion; the number of each slot's component by its place in the order of completion.
struct Textbook<'a> {
    graph: &'a Graph,
    index: Vec<Option<u32>>,
    low: Vec<u32>,
    on_stack: Vec<bool>,
    stack: Vec<InsnIdx>,
    clock: u32,
    count: u32,
    component: Vec<u32>,
}

impl Textbook<'_> {
    fn numbers(graph: &Graph) -> Vec<u32> {
        let len = graph.program().slots().len();
        let mut state = Textbook {
            graph,
            index: vec![None; len],
            low: vec![0; len],
            on_stack: vec![false; len],
            stack: Vec::new(),
            clock: 0,
            count: 0,
            component: vec![0; len],
        };
        for slot in 0..graph.program().len() {
            if state.index[slot as usize].is_none() {
                state.connect(InsnIdx(slot));
            }
        }
        state.component
    }

    fn connect(&mut self, at: InsnIdx) {
        let slot = at.index();
        self.index[slot] = Some(self.clock);
        self.low[slot] = self.clock;
        self.clock += 1;
        self.stack.push(at);
        self.on_stack[slot] = true;
        for &next in &*self.graph.successors(at) {
            match self.index[next.index()] {
                None => {
                    self.connect(next);
                    self.low[slot] = self.low[slot].min(self.low[next.index()]);
                }
                Some(index) if self.on_stack[next.index()] => self.low[slot] = self.low[slot].min(index),
                Some(_) => {}
            }
        }
        if Some(self.low[slot]) == self.index[slot] {
            let place = self.stack.iter().position(|&member| member == at).expect("on the stack");
            let members = self.stack.split_off(place);
            let looping =
                members.len() > 1 || self.graph.successors(at).contains(&at) || self.graph.marks(at).calls_callback();
            self.count += u32::from(looping);
            for member in members {
                self.on_stack[member.index()] = false;
                if looping {
                    self.component[member.index()] = self.count;
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn components_are_mutual_reachability(program in programs(alu())) {
        let graph = Host::default().analyze(program).expect("all is reached");
        let slots: Vec<InsnIdx> = (0..graph.program().len()).map(InsnIdx).collect();
        let reach: Vec<BTreeSet<InsnIdx>> = slots.iter().map(|&slot| reachable(&graph, slot, None)).collect();
        for &a in &slots {
            let looping = reach[a.index()].contains(&a) || graph.marks(a).calls_callback();
            prop_assert_eq!(graph.scc(a) != 0, looping);
            for &b in &slots {
                let together = a == b || (reach[a.index()].contains(&b) && reach[b.index()].contains(&a));
                prop_assert_eq!(graph.scc(a) == graph.scc(b) && graph.scc(a) != 0, together && looping);
            }
        }
        prop_assert_eq!(graph.scc_count(), slots.iter().map(|&slot| graph.scc(slot)).max().unwrap_or(0));
    }

    #[test]
    fn components_are_numbered_as_the_textbook_completes_them(program in programs(alu())) {
        let graph = Host::default().analyze(program).expect("all is reached");
        let numbers: Vec<u32> = (0..graph.program().len()).map(|slot| graph.scc(InsnIdx(slot))).collect();
        prop_assert_eq!(numbers, Textbook::numbers(&graph));
    }

    #[test]
    fn blocks_are_the_longest_runs_without_a_way_in_or_out(program in programs(alu())) {
        let graph = Host::default().analyze(program).expect("all is reached");
        let reached: BTreeSet<InsnIdx> = graph.postorder().collect();
        prop_assert_eq!(reached.len(), graph.postorder().count());
        for (at, insn) in graph.program().iter() {
            prop_assert_eq!(graph.block_at(at).is_some(), reached.contains(&at));
            let Some(id) = graph.block_at(at) else { continue };
            let block = graph.block(id).expect("its block");
            let next = InsnIdx(at.0 + insn.slots());
            if next < block.end {
                prop_assert_eq!(&*graph.successors(at), &[next]);
            } else {
                prop_assert_eq!(block.last, at);
                let blocks: Vec<_> = graph.successors(at).iter().map(|&to| graph.block_at(to).expect("reached")).collect();
                prop_assert_eq!(graph.block_successors(id), &*blocks);
                for to in blocks {
                    prop_assert_eq!(graph.block(to).expect("a block").subprog, block.subprog);
                    prop_assert!(graph.block_predecessors(to).contains(&id));
                }
            }
            if at != block.start {
                let jumps_here = reached.iter().any(|&from| {
                    let behind = InsnIdx(from.0 + graph.program().get(from).map_or(1, |insn| insn.slots()));
                    graph.successors(from).contains(&at) && *graph.successors(from) != [behind]
                });
                prop_assert!(!jumps_here);
            }
        }
    }

    #[test]
    fn dominators_cannot_be_avoided(program in programs(alu())) {
        let graph = Host::default().analyze(program).expect("all is reached");
        let dominators = graph.dominators();
        for subprog in (0..graph.subprogs().len()).map(|id| SubprogId(u32::try_from(id).expect("small"))) {
            let entry = graph.subprogs()[subprog.index()].start;
            let blocks: Vec<BlockId> = graph.blocks_of(subprog).collect();
            let start = |block: BlockId| graph.block(block).expect("a block").start;
            for &above in &blocks {
                let mut without = reachable(&graph, entry, Some(start(above)));
                without.insert(entry);
                for &below in &blocks {
                    let dominates = above == below || start(above) == entry || !without.contains(&start(below));
                    prop_assert_eq!(dominators.dominates(above, below), dominates, "{:?} {:?}", above, below);
                }
            }
            for &block in &blocks {
                let strict: Vec<BlockId> =
                    blocks.iter().copied().filter(|&above| above != block && dominators.dominates(above, block)).collect();
                let nearest = strict.iter().copied().find(|&near| strict.iter().all(|&far| dominators.dominates(far, near)));
                prop_assert_eq!(dominators.immediate(block), nearest);
            }
        }
    }

    #[test]
    fn loops_are_what_leads_back_to_a_dominator(program in programs(alu())) {
        let graph = Host::default().analyze(program).expect("all is reached");
        let dominators = graph.dominators();
        let loops = graph.loops(&dominators);
        let count = graph.blocks().len();
        let ids = || (0..count).map(|id| BlockId(u32::try_from(id).expect("small")));
        // All blocks of a loop, those of the loops within it too.
        let whole = |number: usize| {
            let mut blocks: BTreeSet<BlockId> = BTreeSet::new();
            for (inner, body) in loops.iter().enumerate() {
                let mut up = Some(inner);
                while let Some(at) = up {
                    if at == number {
                        blocks.extend(&body.blocks);
                    }
                    up = loops[at].parent.map(|parent| parent as usize);
                }
            }
            blocks
        };
        let mut headers = BTreeSet::new();
        for header in ids() {
            let latches: Vec<BlockId> = ids()
                .filter(|&from| graph.block_successors(from).contains(&header) && dominators.dominates(header, from))
                .collect();
            if latches.is_empty() {
                continue;
            }
            headers.insert(header);
            let mut body = BTreeSet::from([header]);
            let mut work = latches.clone();
            while let Some(block) = work.pop() {
                if body.insert(block) {
                    work.extend(graph.block_predecessors(block));
                }
            }
            let number = loops.iter().position(|found| found.header == header).expect("found");
            prop_assert_eq!(&loops[number].latches, &latches);
            prop_assert_eq!(whole(number), body);
        }
        prop_assert_eq!(loops.iter().map(|found| found.header).collect::<BTreeSet<_>>(), headers);
    }
}

#[test]
fn marks_are_the_kernel_s() {
    let text = "
        0: r1 = 0
        1: if r1 == 0 goto 4f
        2: call random
        3: goto 1b
        4: r2 = f ll
        6: call loop
        7: may_goto 9f
        8: call f
        9: call set_timer
        exit
        f: exit";
    let graph = {
        let mut host = Host::default();
        host.features = host.features.without(bpfvet_platform::Feature::DeadBranchPruning);
        host.shape(text).expect("fine")
    };
    let mut table = String::new();
    for (at, insn) in graph.program().iter() {
        table += &format!("{at:2} {insn:24} {:?}\n", graph.marks(at));
    }
    expect_test::expect![[r#"
         0 r1 = 0 {}
         1 if r1 == 0x0 goto pc+2 {"prune-point", "jump-point", "jump-target"}
         2 call 7 {}
         3 goto pc-3 {"prune-point", "jump-point"}
         4 r2 = subprog[+6] {"prune-point", "jump-point", "jump-target"}
         6 call 181 {"prune-point", "jump-point", "force-checkpoint", "calls-callback"}
         7 may_goto pc+1 {"prune-point", "jump-point", "force-checkpoint"}
         8 call pc+2 {"prune-point"}
         9 call 170 {"prune-point", "jump-point", "jump-target"}
        10 exit {"prune-point", "jump-point"}
        11 exit {"prune-point", "jump-point", "jump-target"}
    "#]]
    .assert_eq(&table);
    assert_eq!(graph.scc(at(6)), 1, "a callback is a loop of its own");
    assert_eq!((graph.scc(at(1)), graph.scc(at(2)), graph.scc(at(3))), (2, 2, 2));
}

#[test]
fn effects_go_from_callees_to_callers() {
    let text = "
        call a
        exit
        a: call b
        exit
        b: call sleep
        exit
        c: call store_bytes
        r2 = b ll
        exit";
    let unreached = Host::default().shape(text).expect_err("nobody calls c");
    assert_eq!(unreached.at, Some(at(6)));
    let graph = Host::default()
        .shape(&text.replace("call sleep", "call sleep; call c").replace("r2 = b ll", ""))
        .expect("fine");
    let effects: Vec<_> =
        graph.subprogs().iter().map(|s| (s.effects.might_sleep, s.effects.changes_pkt_data)).collect();
    assert_eq!(effects, [(true, true), (true, true), (true, true), (false, true)]);
}

#[test]
fn tail_calls_and_packet_loads_also_leave_their_function() {
    let graph = Host::default().shape("call f; exit; f: call tail_call; r0 = 1; exit").expect("fine");
    assert_eq!(*graph.successors(at(2)), [at(3), at(4)]);
    assert!(graph.subprogs()[1].has_tail_call);
    let graph = Host::default().shape("r0 = *(u8 *)skb[0]; if r0 == 0 goto +1; exit; exit").expect("fine");
    assert_eq!(*graph.successors(at(0)), [at(1), at(3)]);
    assert!(graph.subprogs()[0].has_ld_abs);
    // Without an exit there is nowhere to go.
    let graph = Host::default().shape("call f; exit; f: call tail_call; goto f").expect("fine");
    assert_eq!(*graph.successors(at(2)), [at(3)]);
}

#[test]
fn callees_come_before_callers() {
    let graph =
        Host::default().shape("call a; call c; exit; a: call b; exit; b: exit; c: r1 = b ll; exit").expect("fine");
    let order: Vec<u32> = graph.callees_first().iter().map(|id| id.0).collect();
    // Calls are looked at from the end of a function.
    assert_eq!(order, [2, 3, 1, 0]);
}

#[test]
fn patterns_around_calls_that_spare_registers_are_found() {
    let text = "
        *(u64 *)(r10 - 16) = r1
        *(u64 *)(r10 - 8) = r2
        call cpu
        r2 = *(u64 *)(r10 - 8)
        r1 = *(u64 *)(r10 - 16)
        exit";
    // The innermost pair has the lowest slot.
    let graph = Host::default().shape(text).expect("fine");
    assert_eq!((graph.fastcall_spills(at(2)), graph.subprogs()[0].fastcall_off), (0, 0));
    let text = text.replace("- 8)", "- 0)").replace("- 16)", "- 8)").replace("- 0)", "- 16)");
    let graph = Host::default().shape(&text).expect("fine");
    assert_eq!((graph.fastcall_spills(at(2)), graph.subprogs()[0].fastcall_off), (2, 0));
    assert!(!graph.subprogs()[0].keep_fastcall_stack);
    let marked: Vec<u32> = (0..6).filter(|&slot| graph.marks(at(slot)).fastcall_pattern()).collect();
    assert_eq!(marked, [0, 1, 3, 4]);
    // A helper that keeps to no such contract has its pattern marked, and its stack kept.
    let graph = Host::default().shape(&text.replace("cpu", "random")).expect("fine");
    assert_eq!(graph.fastcall_spills(at(2)), 0);
    assert!(graph.subprogs()[0].keep_fastcall_stack && graph.marks(at(1)).fastcall_pattern());
    // Nobody may jump into the pattern.
    let graph = Host::default().shape(&format!("if r3 == 0 goto +1\n{text}")).expect("fine");
    assert_eq!(graph.fastcall_spills(at(3)), 1);
}

#[test]
fn the_picture_has_blocks_and_calls() {
    let graph = Host::default().shape("if r1 == 0 goto +1; call f; exit; f: r0 = 0; exit").expect("fine");
    expect_test::expect![[r#"
        digraph program {
          node [shape=box, fontname=monospace];
          subgraph cluster_0 {
            label="func#0 f";
            b0 [label="0: if r1 == 0x0 goto pc+1\l"];
            b1 [label="1: call pc+1\l"];
            b2 [label="2: exit\l"];
          }
          subgraph cluster_1 {
            label="func#1 f";
            b3 [label="3: r0 = 0\l4: exit\l"];
          }
          b0 -> b1;
          b0 -> b2;
          b1 -> b2;
          b1 -> b3 [style=dashed, lhead=cluster_1];
        }
    "#]]
    .assert_eq(&graph.dot().to_string());
}
