//! A host for tests: two helpers, any map, no types.

use std::borrow::Cow;

use bpfvet_insn::{Insn, Program, Reg};
use bpfvet_platform::{
    ArgSpec, Effects, Features, HelperId, HelperLookup, HelperProto, HelperSpecial, Limits, LoadRequest, MapDef,
    MapKind, MapKindInfo, Platform, Privilege, ProgramType, ProgramTypeInfo, RetKind, RetRange, RetSpec, ReturnRule,
};
use bpfvet_vm::{Frame, State};

/// A host for tests.
#[derive(Debug)]
pub(crate) struct Host {
    features: Features,
    lookup: HelperProto,
}

impl Default for Host {
    fn default() -> Self {
        let lookup = HelperProto {
            id: HelperId(1),
            name: Cow::Borrowed("map_lookup_elem"),
            args: [ArgSpec::UNUSED; 5],
            ret: RetSpec { kind: RetKind::MapValue, nullable: true, range: RetRange::Unknown },
            gpl_only: false,
            pkt_access: true,
            effects: Effects::default(),
            special: HelperSpecial::MapLookup,
        };
        Self { features: Features::ALL, lookup }
    }
}

impl Platform for Host {
    fn name(&self) -> &str {
        "Linux 7.3"
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
            call_frames: 16,
            stack_bytes: 512,
            subprogs: 256,
            maps: 64,
            linked_scalars: 5,
            history_len: 40,
        }
    }

    fn program_type(&self, _kind: ProgramType) -> Option<&ProgramTypeInfo> {
        None
    }

    fn helper(&self, id: HelperId, _request: &LoadRequest) -> HelperLookup<'_> {
        match id {
            HelperId(1) => HelperLookup::Allowed(&self.lookup),
            _ => HelperLookup::Unknown,
        }
    }

    fn helper_name(&self, id: HelperId) -> Option<&str> {
        (id == HelperId(1)).then_some("map_lookup_elem")
    }

    fn map_kind(&self, _kind: MapKind) -> Option<&MapKindInfo> {
        None
    }

    fn return_rule(&self, _request: &LoadRequest) -> ReturnRule {
        ReturnRule::Any
    }

    fn map_allows_helper(&self, _kind: MapKind, _helper: HelperId) -> bool {
        true
    }
}

/// A request for these instructions, with one map.
pub(crate) fn request(insns: Vec<Insn>) -> LoadRequest {
    let mut request = LoadRequest::new("test", ProgramType::XDP, Program::from_insns(insns));
    request.maps.push(MapDef::new("counters_by_protocol", MapKind::ARRAY, 4, 8, 256));
    request
}

/// The state at the entry of a program.
pub(crate) fn entry() -> State {
    let mut state = State::new(Frame::new(0, 0, None), false);
    state.set(Reg::R1, bpfvet_vm::Value::Pointer(bpfvet_vm::Pointer::to(bpfvet_vm::Region::Ctx)));
    state
}
