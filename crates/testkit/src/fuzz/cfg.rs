//! Any program has a shape or a fault with a place; the parts of a shape agree with each other.

use std::borrow::Cow;
use std::collections::BTreeSet;

use bpfvet_cfg::{CallKind, Graph, StackFrame, StackRules, StructureCause, SubprogId, SubprogUsage, check_stack_depth};
use bpfvet_insn::{Insn, InsnIdx, Program};
use bpfvet_platform::{
    ArgKind, ArgSpec, Effects, Features, HelperId, HelperLookup, HelperProto, HelperSpecial, Limits, LoadRequest,
    LookupResult, MapDef, MapKind, MapKindInfo, MemDir, MemSize, Platform, Privilege, ProgramType, ProgramTypeInfo,
    RetKind, RetRange, RetSpec, ReturnRule,
};

/// A host whose helpers are the first few numbers: one of each kind that matters to the shape.
#[derive(Debug)]
struct Host {
    helpers: [HelperProto; 6],
    array: MapKindInfo,
    features: Features,
}

impl Host {
    fn new(features: Features) -> Self {
        let proto = |id, kinds: [ArgKind; 5], special| HelperProto {
            id: HelperId(id),
            name: Cow::Borrowed("helper"),
            args: kinds.map(ArgSpec::of),
            ret: RetSpec { kind: RetKind::Integer, nullable: false, range: RetRange::Unknown },
            gpl_only: false,
            pkt_access: false,
            effects: Effects { fastcall: id == 0, sleeps: id == 1, moves_packet: id == 2, ..Effects::default() },
            special,
        };
        let none = ArgKind::Unused;
        let memory = ArgKind::Mem { dir: MemDir::WriteUninit, size: MemSize::NextArg };
        let loops = [ArgKind::Anything, ArgKind::Func, ArgKind::Stack, ArgKind::Anything, none];
        let each = [ArgKind::ConstMap, ArgKind::Func, ArgKind::Stack, ArgKind::Anything, none];
        let helpers = [
            proto(0, [none; 5], HelperSpecial::None),
            proto(1, [ArgKind::ConstMap, ArgKind::MapKey, none, none, none], HelperSpecial::None),
            proto(2, [memory, ArgKind::MemSizeOrZero, none, none, none], HelperSpecial::None),
            proto(3, [ArgKind::Ctx, ArgKind::ConstMap, ArgKind::Anything, none, none], HelperSpecial::TailCall),
            proto(4, loops, HelperSpecial::Loop),
            proto(5, each, HelperSpecial::ForEachMapElem),
        ];
        let array = MapKindInfo {
            kind: MapKind::ARRAY,
            direct_value: true,
            direct_value_single: true,
            constant_key_lookup: true,
            holds_maps: false,
            lookup: LookupResult::Value,
            sleepable: true,
            implied_flags: 0,
        };
        Self { helpers, array, features }
    }
}

impl Platform for Host {
    fn name(&self) -> &str {
        "a host for fuzzing"
    }

    fn features(&self) -> &Features {
        &self.features
    }

    fn limits(&self, _privilege: Privilege) -> Limits {
        Limits {
            program_len: 1_000_000,
            processed_insns: 1_000_000,
            pending_states: 8192,
            stored_states_per_bucket: None,
            call_frames: 8,
            stack_bytes: 512,
            subprogs: 16,
            maps: 64,
            linked_scalars: 5,
            history_len: 40,
        }
    }

    fn program_type(&self, _kind: ProgramType) -> Option<&ProgramTypeInfo> {
        None
    }

    fn helper(&self, id: HelperId, _request: &LoadRequest) -> HelperLookup<'_> {
        let found = self.helpers.iter().find(|proto| proto.id == id);
        found.map_or(HelperLookup::Unknown, HelperLookup::Allowed)
    }

    fn map_kind(&self, kind: MapKind) -> Option<&MapKindInfo> {
        (kind == self.array.kind).then_some(&self.array)
    }

    fn return_rule(&self, _request: &LoadRequest) -> ReturnRule {
        ReturnRule::Any
    }

    fn map_allows_helper(&self, _kind: MapKind, _helper: HelperId) -> bool {
        true
    }
}

/// Takes `bytes` for a program, loaded by root or by no one.
///
/// # Panics
///
/// Where the parts of the program's shape contradict each other.
pub fn run(bytes: &[u8], privileged: bool) {
    if let Ok(program) = Program::decode(bytes) {
        run_program(program, privileged);
    }
}

/// Asks for the shape of a program.
///
/// # Panics
///
/// Where its parts contradict each other.
pub fn run_program(program: Program, privileged: bool) {
    let mut request = LoadRequest::new("fuzz", ProgramType::SOCKET_FILTER, program);
    request.privilege = if privileged { Privilege::FULL } else { Privilege::NONE };
    let mut constants = MapDef::new("constants", MapKind::ARRAY, 4, 8, 1);
    constants.flags = MapDef::RDONLY_PROG;
    constants.frozen = Some([1, 2, 3, 4, 5, 6, 7, 8].into());
    request.maps = vec![constants, MapDef::new("hash", MapKind::HASH, 8, 16, 4)];
    for features in [Features::ALL, Features::NONE] {
        match Graph::analyze(&request, &Host::new(features)) {
            Ok(graph) => check(&graph, &request.program),
            Err(error) => {
                assert!(error.at.is_none_or(|at| at.0 < request.program.len()), "{error}");
                assert!(request.program.is_empty() == (error.cause == StructureCause::Empty));
            }
        }
    }
}

fn check(graph: &Graph, original: &Program) {
    // Only branches are rewritten, and only to jumps.
    assert_eq!(graph.program().len(), original.len());
    for (at, insn) in original.iter() {
        let now = graph.program().get(at);
        let decided = matches!((insn, now), (Insn::Branch { .. }, Some(Insn::Jump { .. })));
        assert!(now == Some(insn) || decided, "{insn}");
    }
    let reached: BTreeSet<InsnIdx> = graph.postorder().collect();
    assert_eq!(reached.len(), graph.postorder().count());
    for &at in &reached {
        let subprog = graph.subprog_at(at);
        for to in &*graph.successors(at) {
            assert_eq!(graph.subprog_at(*to), subprog, "{at} leaves its function");
            assert!(reached.contains(to));
        }
        let block = graph.block_at(at).and_then(|id| graph.block(id)).expect("what is reached is in a block");
        assert!(block.start <= at && at <= block.last && block.subprog == subprog);
        assert!(graph.scc(at) <= graph.scc_count());
        let frames = [StackFrame { subprog, callsite: at }, StackFrame { subprog: SubprogId::MAIN, callsite: at }];
        let _ = graph.live_stack(&frames, at).slots(0);
    }
    let order = graph.callees_first();
    let place = |id: SubprogId| order.iter().position(|&other| other == id).expect("every function is in the order");
    for (index, subprog) in graph.subprogs().iter().enumerate() {
        let caller = SubprogId(u32::try_from(index).expect("few functions"));
        for call in subprog.callees.iter().filter(|call| call.kind == CallKind::Direct && reached.contains(&call.at)) {
            assert!(place(call.callee) < place(caller), "{caller} comes before what it calls");
        }
    }
    let dominators = graph.dominators();
    for (number, found) in graph.loops(&dominators).iter().enumerate() {
        assert!(found.parent.is_none_or(|parent| parent as usize > number), "inner loops come first");
        assert!(found.latches.iter().all(|&latch| dominators.dominates(found.header, latch)));
    }
    assert!(graph.dot().to_string().ends_with("}\n"));
    let usage = [SubprogUsage { stack_bytes: 100, is_callback: true, ..SubprogUsage::default() }; 4];
    let rules = StackRules {
        granule: 16,
        at_least_one: false,
        private_stacks: true,
        stack_args_exclude_private: true,
        stack_bytes: 512,
        call_frames: 8,
        globals_begin_anew: true,
    };
    if let Ok(depth) = check_stack_depth(graph, &usage, &rules) {
        assert!(depth.max_bytes <= rules.stack_bytes);
    }
}

#[cfg(test)]
mod tests {
    use bpfvet_insn::{Call, CmpOp, ImmSource, Insn, Operand, Program, Reg, Size, Width};
    use proptest::prelude::*;

    fn reg() -> impl Strategy<Value = Reg> {
        (0..11_u8).prop_map(|number| Reg::new(number).unwrap_or(Reg::FP))
    }

    /// Control more often than not, and most of it near.
    fn insn() -> impl Strategy<Value = Insn> {
        prop_oneof![
            4 => (reg(), -4..9_i16, -1..2_i32)
                .prop_map(|(dst, off, imm)| Insn::Branch { width: Width::W64, op: CmpOp::Eq, dst, src: Operand::Imm(imm), off }),
            1 => (-4..9_i32).prop_map(|off| Insn::Jump { off, long: off & 1 == 0 }),
            2 => Just(Insn::Exit),
            2 => (0..7_i32).prop_map(|id| Insn::Call(Call::Helper(id))),
            2 => (-4..12_i32).prop_map(|off| Insn::Call(Call::Subprog(off))),
            1 => (reg(), -4..12_i32).prop_map(|(dst, off)| Insn::LoadImm64 { dst, imm: ImmSource::Func(off) }),
            1 => (reg(), 0..3_i32).prop_map(|(dst, map)| Insn::LoadImm64 { dst, imm: ImmSource::MapIdx(map) }),
            2 => (reg(), reg()).prop_map(|(dst, src)| Insn::Mov { width: Width::W64, dst, src: Operand::Reg(src) }),
            2 => (reg(), 0..3_i32).prop_map(|(dst, imm)| Insn::Mov { width: Width::W64, dst, src: Operand::Imm(imm) }),
            2 => (reg(), reg(), any::<i16>())
                .prop_map(|(dst, base, off)| Insn::Load { dst, base, off, size: Size::B8, signed: false }),
            2 => (reg(), reg(), any::<i16>())
                .prop_map(|(base, src, off)| Insn::Store { base, off, size: Size::B8, src: Operand::Reg(src) }),
        ]
    }

    proptest! {
        #[test]
        fn smoke(insns in prop::collection::vec(insn(), 0..24), privileged in prop::bool::weighted(0.9)) {
            super::run_program(Program::from_insns(insns), privileged);
        }

        #[test]
        fn bytes(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            super::run(&bytes, true);
        }
    }
}
