//! Stack depth: against all chains of calls of random programs, and each rule by hand.

use bpfvet_cfg::{
    Graph, StackDepth, StackRules, StructureCause, StructureError, SubprogId, SubprogUsage, check_stack_depth,
};
use bpfvet_insn::{Call, ImmSource, Insn, Program, Reg};
use bpfvet_platform::Privilege;
use proptest::prelude::*;

use crate::host::{Host, at};

fn rules() -> StackRules {
    use bpfvet_platform::Platform as _;
    StackRules::compiled(&Host::default().limits(Privilege::FULL), false)
}

/// A program in which each function calls, or names, some later ones; a tail call where it is said so.
fn calls(functions: &[(Vec<(usize, bool)>, bool)]) -> Program {
    let slots = |(calls, tail): &(Vec<(usize, bool)>, bool)| {
        calls.iter().map(|&(_, direct)| if direct { 1_i32 } else { 2 }).sum::<i32>() + i32::from(*tail) + 1
    };
    let mut starts = vec![0];
    for function in functions {
        starts.push(starts[starts.len() - 1] + slots(function));
    }
    let mut insns = Vec::new();
    let mut at = 0;
    for (list, tail) in functions {
        for &(callee, direct) in list {
            let off = starts[callee] - at - 1;
            if direct {
                insns.push(Insn::Call(Call::Subprog(off)));
                at += 1;
            } else {
                insns.push(Insn::LoadImm64 { dst: Reg::R2, imm: ImmSource::Func(off) });
                at += 2;
            }
        }
        if *tail {
            insns.push(Insn::Call(Call::Helper(12)));
            at += 1;
        }
        insns.push(Insn::Exit);
        at += 1;
    }
    Program::from_insns(insns)
}

/// Functions that name later ones; the next one for certain, so that all can be reached.
fn functions() -> impl Strategy<Value = Vec<(Vec<(usize, bool)>, bool)>> {
    let function =
        (prop::collection::vec((any::<usize>(), prop::bool::weighted(0.8)), 0..4), prop::bool::weighted(0.1));
    prop::collection::vec(function, 1..8).prop_map(|mut functions| {
        let count = functions.len();
        for (index, (calls, _)) in functions.iter_mut().enumerate() {
            let later = count - index - 1;
            calls.retain(|_| later > 0);
            calls.iter_mut().for_each(|(callee, _)| *callee = index + 1 + *callee % later.max(1));
            if later > 0 {
                calls.push((index + 1, true));
            }
        }
        functions
    })
}

/// All chains in order, each as often as it comes up: the kernel's walk by recursion.
fn walk(
    graph: &Graph,
    usage: &[SubprogUsage],
    rules: &StackRules,
    chain: &mut Vec<SubprogId>,
    bytes: u32,
    found: &mut u32,
) -> Result<bool, StructureCause> {
    let id = chain[chain.len() - 1];
    let subprog = &graph.subprogs()[id.index()];
    if id != SubprogId::MAIN && subprog.has_tail_call && bytes >= 256 {
        return Err(StructureCause::TailCallStackTooLarge { subprog: id, bytes, limit: 256 });
    }
    let bytes = bytes + usage[id.index()].stack_bytes.next_multiple_of(16);
    *found = (*found).max(bytes);
    let calls = u32::try_from(chain.len()).expect("small");
    if bytes > 512 {
        return Err(StructureCause::CombinedStackTooLarge { subprog: id, calls, bytes, limit: 512 });
    }
    let mut tail_call = chain.len() > 1 && subprog.has_tail_call;
    for call in &subprog.callees {
        if calls >= rules.call_frames {
            let limit = rules.call_frames;
            return Err(StructureCause::TooManyFrames { frames: calls, limit });
        }
        chain.push(call.callee);
        // Back from a call, a function's own tail call counts too.
        tail_call |= walk(graph, usage, rules, chain, bytes, found)? | subprog.has_tail_call;
        chain.pop();
    }
    if tail_call && let Some(&callback) = chain.iter().rev().find(|id| usage[id.index()].is_callback) {
        return Err(StructureCause::TailCallInCallback { subprog: callback });
    }
    Ok(tail_call)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn depth_is_that_of_the_deepest_chain(
        functions in functions(),
        bytes in prop::collection::vec(prop::sample::select(vec![0_u32, 8, 16, 60, 100, 200, 256, 500]), 8),
        callbacks in prop::collection::vec(prop::bool::weighted(0.1), 8),
        frames in 2..6_u32,
    ) {
        let graph = Host::default().analyze(calls(&functions)).expect("all is reached");
        let usage: Vec<SubprogUsage> = bytes
            .iter()
            .zip(&callbacks)
            .map(|(&stack_bytes, &is_callback)| SubprogUsage { stack_bytes, is_callback, ..SubprogUsage::default() })
            .collect();
        let rules = StackRules { call_frames: frames, ..rules() };
        let mut found = 0;
        let expected = walk(&graph, &usage, &rules, &mut vec![SubprogId::MAIN], 0, &mut found);
        let depth = check_stack_depth(&graph, &usage, &rules);
        match expected {
            Ok(_) => prop_assert_eq!(depth.map(|depth| depth.max_bytes), Ok(found)),
            Err(cause) => prop_assert_eq!(depth.map_err(|error| error.cause), Err(cause)),
        }
    }
}

fn depth(text: &str, usage: &[SubprogUsage], rules: &StackRules) -> Result<StackDepth, StructureError> {
    check_stack_depth(&Host::default().shape(text).expect(text), usage, rules)
}

fn bytes(list: &[u32]) -> Vec<SubprogUsage> {
    list.iter().map(|&stack_bytes| SubprogUsage { stack_bytes, ..SubprogUsage::default() }).collect()
}

const CALL: &str = "call f; exit; f: exit";

#[test]
fn stacks_add_up_rounded() {
    assert_eq!(depth(CALL, &bytes(&[1, 17]), &rules()).map(|depth| depth.max_bytes), Ok(48));
    let interpreted = StackRules { granule: 32, at_least_one: true, ..rules() };
    assert_eq!(depth(CALL, &bytes(&[0, 33]), &interpreted).map(|depth| depth.max_bytes), Ok(96));
    let cause = StructureCause::CombinedStackTooLarge { subprog: SubprogId(1), calls: 2, bytes: 528, limit: 512 };
    let error = StructureError { at: Some(at(2)), cause };
    assert_eq!(depth(CALL, &bytes(&[512, 8]), &rules()), Err(error));
}

#[test]
fn stacks_of_their_own_do_not_add_up() {
    let private = StackRules { private_stacks: true, ..rules() };
    let found = depth(CALL, &bytes(&[480, 48]), &private).expect("the small one is shared");
    assert_eq!((found.max_bytes, found.private), (480, vec![true, false]));
    let found = depth(CALL, &bytes(&[480, 400]), &private).expect("both have one");
    assert_eq!((found.max_bytes, found.private), (480, vec![true, true]));
    let cause = StructureCause::StackTooLarge { subprog: SubprogId(1), bytes: 528, limit: 512 };
    assert_eq!(depth(CALL, &bytes(&[64, 520]), &private).map_err(|error| error.cause), Err(cause));
    // Stack arguments take the register that would hold it, and a tail call anywhere leaves no program one.
    let mut usage = bytes(&[480, 64]);
    usage[1].stack_args = true;
    assert!(depth(CALL, &usage, &private).is_ok());
    usage[0].stack_args = true;
    let shared = depth(CALL, &usage, &private).map_err(|error| error.cause);
    assert!(matches!(shared, Err(StructureCause::CombinedStackTooLarge { bytes: 544, .. })));
    let tail = "call f; exit; f: call tail_call; exit";
    assert_eq!(depth(tail, &bytes(&[100, 100]), &private).map(|depth| depth.private), Ok(vec![false, false]));
}

#[test]
fn asynchronous_callbacks_have_the_stack_for_themselves() {
    let text = "r2 = f ll; call set_timer; call g; exit; f: call g; exit; g: exit";
    let mut usage = bytes(&[400, 300, 100]);
    usage[1].is_callback = true;
    usage[1].is_async_callback = true;
    assert_eq!(depth(text, &usage, &rules()).map(|depth| depth.max_bytes), Ok(512));
    // What it calls shares its stack, also where the main function calls that.
    let private = StackRules { private_stacks: true, ..rules() };
    assert_eq!(depth(text, &usage, &private).map(|depth| depth.private), Ok(vec![true, false, false]));
    usage[1].is_async_callback = false;
    assert!(depth(text, &usage, &rules()).is_err());
}

#[test]
fn callbacks_may_not_leave_early() {
    let mut usage = bytes(&[0, 0]);
    usage[1].is_callback = true;
    let text = "r2 = f ll; call loop; exit; f: r0 = *(u8 *)skb[0]; exit";
    let cause = StructureCause::PacketLoadInCallback { subprog: SubprogId(1) };
    assert_eq!(depth(text, &usage, &rules()).map_err(|error| error.cause), Err(cause));
    let text = "r2 = f ll; call loop; exit; f: call tail_call; exit";
    let cause = StructureCause::TailCallInCallback { subprog: SubprogId(1) };
    assert_eq!(depth(text, &usage, &rules()).map_err(|error| error.cause), Err(cause));
}

#[test]
fn tail_calls_and_stack_arguments_exclude_each_other() {
    let mut usage = bytes(&[0, 0]);
    usage[0].stack_args = true;
    let cause = StructureCause::TailCallWithStackArgs { subprog: SubprogId(0) };
    for text in ["call tail_call; call f; exit; f: exit", "call f; exit; f: call tail_call; exit"] {
        assert_eq!(depth(text, &usage, &rules()).map_err(|error| error.cause), Err(cause.clone()), "{text}");
    }
    let text = "call f; exit; f: call tail_call; exit";
    let found = depth(text, &bytes(&[0, 0]), &rules()).expect("fine");
    assert_eq!(found.tail_call_reachable, [true, true]);
}

#[test]
fn endless_chains_in_dead_code_end() {
    let text = "call f; exit; f: r0 = 0; if r0 == 0 goto +1; call f; exit";
    let cause = StructureCause::TooManyFrames { frames: 16, limit: 16 };
    assert_eq!(depth(text, &[], &rules()), Err(StructureError { at: Some(at(4)), cause }));
}

#[test]
fn many_ways_to_the_same_function_are_one_way() {
    // A hundred functions, each of which calls the next twice.
    let mut text = String::new();
    for n in 0..100 {
        text += &format!("f{n}: call f{}; call f{}; exit\n", n + 1, n + 1);
    }
    text += "f100: exit";
    let rules = StackRules { call_frames: 1000, ..rules() };
    assert_eq!(depth(&text, &bytes(&[16; 10]), &rules).map(|depth| depth.max_bytes), Ok(160));
}
