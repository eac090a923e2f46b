//! What does not change while a program is verified.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use bpfvet_btf::TypeId;
use bpfvet_insn::{Call, Insn, InsnIdx, Program, RegSet};
use bpfvet_platform::{Features, KfuncLookup, Limits, LoadRequest, MapDef, Platform, ProgramTypeInfo};

use crate::typed::Attach;
use crate::value::MapRef;
use crate::violation::PrototypeReason;

/// What does not change while a program is verified.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The load request.
    pub request: &'a LoadRequest,
    /// The host.
    pub platform: &'a dyn Platform,
    /// The instructions, after branches on constants were resolved.
    pub program: &'a Program,
    /// The host's behaviours.
    pub features: Features,
    /// The host's limits.
    pub limits: Limits,
    /// The program's type.
    pub kind: &'a ProgramTypeInfo,
    /// What its context holds, where what it attaches to says so.
    pub attach: Option<Attach>,
    /// Its functions, by position.
    pub subprogs: Vec<SubprogFacts>,
    /// Registers that may still be read from each slot on, indexed by slot.
    pub live_regs: &'a [RegSet],
    /// The functions of the host that it calls, by id and module.
    pub kfuncs: BTreeMap<(i32, i16), KfuncLookup>,
}

/// What is known of one function before any path is walked.
#[derive(Clone, Debug)]
pub struct SubprogFacts {
    /// Its first instruction.
    pub start: InsnIdx,
    /// One past its last slot.
    pub end: InsnIdx,
    /// Its name, if type records have one.
    pub name: Option<String>,
    /// Whether it is verified on its own.
    pub global: bool,
    /// Whether it may move or resize the packet.
    pub moves_packet: bool,
    /// Whether it may sleep.
    pub might_sleep: bool,
    /// Whether it may throw.
    pub might_throw: bool,
    /// Whether it, or a function that it calls, calls a function of the host: then what the four lines above say of it is a
    /// guess.
    pub calls_kernel: bool,
    /// Whether it, or a function that it calls, writes through dynamic pointers.
    pub writes_dynptrs: bool,
    /// Whether it, or a function that it calls, makes dynamic pointers over packets that move when they are written.
    pub makes_movable_dynptrs: bool,
    /// Whether it returns nothing.
    pub returns_void: bool,
    /// How many parameters its type has, also where `args` says nothing useful; zero without a type. Those beyond the fifth
    /// are passed on the stack.
    pub params: u32,
    /// Its parameters as its prototype says, or why the prototype says nothing useful.
    pub args: Result<Vec<ArgShape>, PrototypeReason>,
}

/// What a function's prototype says of one parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArgShape {
    /// A number.
    Scalar,
    /// The context.
    Ctx,
    /// Memory of a known size.
    Mem {
        /// Bytes.
        size: u32,
        /// It may be null.
        nullable: bool,
    },
    /// Memory of which nothing is known; it may only be read, with care.
    UntrustedMem,
    /// A typed object of the host.
    Struct {
        /// Its type in the host's BTF.
        id: u32,
        /// It may be null.
        nullable: bool,
        /// It is alive and valid; otherwise nothing is known of it.
        trusted: bool,
    },
    /// A dynamic pointer.
    Dynptr,
    /// An arena pointer, or a number.
    Arena,
}

/// What the host says of each of its functions that the program calls, by id and module.
#[must_use]
pub fn kfuncs(request: &LoadRequest, platform: &dyn Platform) -> BTreeMap<(i32, i16), KfuncLookup> {
    let mut found = BTreeMap::new();
    for (_, insn) in request.program.landmarks() {
        if let Insn::Call(Call::Kfunc { id, btf }) = *insn {
            found.entry((id, btf)).or_insert_with(|| platform.kfunc(TypeId(id.cast_unsigned()), btf, request));
        }
    }
    found
}

impl Facts<'_> {
    /// The map that a reference names; `None` where the program has no such map.
    #[must_use]
    pub fn map(&self, map: MapRef) -> Option<&MapDef> {
        let mut def = self.request.maps.get(usize::from(map.index))?;
        for _ in 0..map.inner {
            def = def.inner.as_deref()?;
        }
        Some(def)
    }

    /// Whether the loader has `CAP_BPF`.
    #[must_use]
    pub const fn bpf_capable(&self) -> bool {
        self.request.privilege.bpf
    }

    /// Whether pointers may be leaked.
    #[must_use]
    pub const fn may_leak(&self) -> bool {
        self.request.privilege.may_leak_pointers()
    }

    /// Whether stack may be read that was never written.
    #[must_use]
    pub const fn may_read_uninit(&self) -> bool {
        self.request.privilege.may_read_uninit_stack() && self.features.uninit_stack_reads()
    }

    /// Whether fresh scalars are precise: without `CAP_BPF` nothing is ever forgotten.
    #[must_use]
    pub const fn scalars_precise(&self) -> bool {
        !self.request.privilege.bpf || !self.features.precision_tracking()
    }

    /// The function that starts at `at`, by position.
    #[must_use]
    pub fn subprog_starting_at(&self, at: InsnIdx) -> Option<u32> {
        let found = self.subprogs.binary_search_by_key(&at, |subprog| subprog.start).ok()?;
        u32::try_from(found).ok()
    }

    /// A function by position.
    #[must_use]
    pub fn subprog(&self, index: u32) -> Option<&SubprogFacts> {
        self.subprogs.get(index as usize)
    }
}

impl Facts<'_> {
    /// How many of a function's arguments come on the stack.
    #[must_use]
    pub fn incoming_stack_args(&self, subprog: u32) -> u32 {
        let args = self.subprog(subprog).and_then(|subprog| subprog.args.as_ref().ok()).map_or(0, Vec::len);
        u32::try_from(args.saturating_sub(5)).unwrap_or(0)
    }
}
