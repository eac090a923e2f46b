//! A host with a few helpers, and short ways to ask about a text.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bpfvet_asm::{Resolver, assemble};
use bpfvet_btf::Btf;
use bpfvet_cfg::{Graph, StructureError};
use bpfvet_insn::{Call, ImmSource, Insn, InsnIdx, Program};
use bpfvet_platform::{
    ArgKind, ArgSpec, DynptrArg, DynptrKind, Effects, Features, FuncInfo, HelperId, HelperLookup, HelperProto,
    HelperSpecial, Limits, LoadRequest, LookupResult, MapDef, MapKind, MapKindInfo, MemDir, MemSize, Platform,
    Privilege, ProgramType, ProgramTypeInfo, RetKind, RetRange, RetSpec, ReturnRule,
};

/// A host whose features and limits a test can change.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) features: Features,
    pub(crate) limits: Limits,
    helpers: BTreeMap<u32, HelperProto>,
    array: MapKindInfo,
}

const NAMES: &[(&str, i32)] = &[
    ("lookup", 1),
    ("update", 2),
    ("read", 4),
    ("random", 7),
    ("cpu", 8),
    ("store_bytes", 9),
    ("tail_call", 12),
    ("sleep", 20),
    ("for_each", 164),
    ("set_timer", 170),
    ("find_vma", 180),
    ("loop", 181),
    ("dynptr", 197),
];

impl Default for Host {
    fn default() -> Self {
        const MEM: fn(MemDir) -> ArgKind = |dir| ArgKind::Mem { dir, size: MemSize::NextArg };
        let mut host = Self {
            features: Features::ALL,
            limits: Limits {
                program_len: 1_000_000,
                processed_insns: 1_000_000,
                pending_states: 8192,
                stored_states_per_bucket: None,
                call_frames: 16,
                stack_bytes: 512,
                subprogs: 256,
                maps: 64,
                linked_scalars: 5,
                history_len: 40,
            },
            helpers: BTreeMap::new(),
            array: MapKindInfo {
                kind: MapKind::ARRAY,
                direct_value: true,
                direct_value_single: true,
                constant_key_lookup: true,
                holds_maps: false,
                lookup: LookupResult::Value,
                sleepable: true,
                implied_flags: 0,
            },
        };
        let plain = Effects::default();
        use HelperSpecial as Special;
        host.add(1, &[ArgKind::ConstMap, ArgKind::MapKey], plain, Special::MapLookup);
        let update = [ArgKind::ConstMap, ArgKind::MapKey, ArgKind::MapValue { dir: MemDir::Any }, ArgKind::Anything];
        host.add(2, &update, plain, Special::None);
        host.add(4, &[MEM(MemDir::WriteUninit), ArgKind::MemSizeOrZero, ArgKind::Anything], plain, Special::None);
        host.add(7, &[], plain, Special::None);
        host.add(8, &[], Effects { fastcall: true, ..plain }, Special::None);
        let store = [ArgKind::Ctx, ArgKind::Anything, MEM(MemDir::Read), ArgKind::MemSize, ArgKind::Anything];
        host.add(9, &store, Effects { moves_packet: true, ..plain }, Special::None);
        host.add(12, &[ArgKind::Ctx, ArgKind::ConstMap, ArgKind::Anything], plain, Special::TailCall);
        host.add(20, &[], Effects { sleeps: true, ..plain }, Special::None);
        let each = [ArgKind::ConstMap, ArgKind::Func, ArgKind::Stack, ArgKind::Anything];
        host.add(164, &each, plain, Special::ForEachMapElem);
        host.add(170, &[ArgKind::Timer, ArgKind::Func], plain, Special::TimerSetCallback);
        let vma = [ArgKind::Struct("task_struct"), ArgKind::Anything, ArgKind::Func, ArgKind::Stack, ArgKind::Anything];
        host.add(180, &vma, plain, Special::FindVma);
        let looping = [ArgKind::Anything, ArgKind::Func, ArgKind::Stack, ArgKind::Anything];
        host.add(181, &looping, plain, Special::Loop);
        host.add(197, &[ArgKind::Anything, ArgKind::Dynptr(DynptrArg::New(DynptrKind::Local))], plain, Special::None);
        host
    }
}

impl Host {
    fn add(&mut self, id: u32, kinds: &[ArgKind], effects: Effects, special: HelperSpecial) {
        let mut args = [ArgSpec::UNUSED; 5];
        for (arg, &kind) in args.iter_mut().zip(kinds) {
            *arg = ArgSpec::of(kind);
        }
        let proto = HelperProto {
            id: HelperId(id),
            name: Cow::Borrowed("helper"),
            args,
            ret: RetSpec { kind: RetKind::Integer, nullable: false, range: RetRange::Unknown },
            gpl_only: false,
            pkt_access: false,
            effects,
            special,
        };
        self.helpers.insert(id, proto);
    }

    /// The shape of a program, loaded by root, with the maps of [`maps`] and a type for each function.
    pub(crate) fn analyze(&self, program: Program) -> Result<Graph, StructureError> {
        Graph::analyze(&request(program), self)
    }

    /// The shape of a text's program.
    pub(crate) fn shape(&self, text: &str) -> Result<Graph, StructureError> {
        self.analyze(program(text))
    }
}

impl Platform for Host {
    fn name(&self) -> &str {
        "a host for tests"
    }

    fn features(&self) -> &Features {
        &self.features
    }

    fn limits(&self, _privilege: Privilege) -> Limits {
        self.limits
    }

    fn program_type(&self, _kind: ProgramType) -> Option<&ProgramTypeInfo> {
        None
    }

    fn helper(&self, id: HelperId, _request: &LoadRequest) -> HelperLookup<'_> {
        self.helpers.get(&id.0).map_or(HelperLookup::Unknown, HelperLookup::Allowed)
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

struct Names;

impl Resolver for Names {
    fn call(&self, name: &str) -> Option<Call> {
        NAMES.iter().find(|(known, _)| *known == name).map(|&(_, id)| Call::Helper(id))
    }

    fn imm64(&self, name: &str) -> Option<ImmSource> {
        let index = maps().iter().position(|map| map.name == name)?;
        Some(ImmSource::MapIdx(i32::try_from(index).ok()?))
    }
}

/// Maps that programs may refer to: by name as a whole, by `map[idx:N][0]+OFF` in their value.
pub(crate) fn maps() -> Vec<MapDef> {
    let hash = MapDef::new("hash", MapKind::HASH, 8, 16, 10);
    let mut constants = MapDef::new("constants", MapKind::ARRAY, 4, 16, 1);
    constants.flags = MapDef::RDONLY_PROG;
    constants.frozen = Some((0..16).map(|byte| 0xf0 + byte).collect());
    let mut table = MapDef::new("table", MapKind::INSN_ARRAY, 4, 16, 3);
    table.frozen = Some([4_u8, 2, 4].iter().flat_map(|&at| [at].into_iter().chain([0; 15])).collect());
    vec![hash, constants, table]
}

/// A request of root for a program, with the maps of [`maps`] and a type for each function.
pub(crate) fn request(program: Program) -> LoadRequest {
    let named = program.iter().filter_map(|(at, insn)| match insn {
        Insn::Call(Call::Subprog(_)) | Insn::LoadImm64 { imm: ImmSource::Func(_), .. } => insn.target(at),
        _ => None,
    });
    let starts: BTreeSet<InsnIdx> = named.chain([InsnIdx(0)]).collect();
    let funcs = starts.into_iter().map(|at| FuncInfo { at, type_id: 3 }).collect();
    let mut request = LoadRequest::new("test", ProgramType::SOCKET_FILTER, program);
    request.maps = maps();
    request.funcs = funcs;
    request.btf = Some(Arc::new(types()));
    request
}

/// The types of `static int f(void)`: 1 the number, 2 the prototype, 3 the function.
fn types() -> Btf {
    let int = [1_u32, 1 << 24, 4, 1 << 24 | 32];
    let proto = [0_u32, 13 << 24, 1];
    let func = [5_u32, 12 << 24, 2];
    let types: Vec<u8> = int.iter().chain(&proto).chain(&func).flat_map(|word| word.to_le_bytes()).collect();
    let strings = b"\0int\0f\0";
    let mut bytes = vec![0x9f, 0xeb, 1, 0];
    let len = |bytes: &[u8]| u32::try_from(bytes.len()).expect("small");
    for word in [24, 0, len(&types), len(&types), len(strings)] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(types);
    bytes.extend(strings);
    Btf::parse(bytes).expect("well formed")
}

/// A text's program.
pub(crate) fn program(text: &str) -> Program {
    match assemble(text, &Names) {
        Ok(assembly) => assembly.program,
        Err(error) => panic!("{error}\n{text}"),
    }
}

/// Positions, for short.
pub(crate) const fn at(slot: u32) -> InsnIdx {
    InsnIdx(slot)
}
