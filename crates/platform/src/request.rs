//! A load request: everything that `bpf(BPF_PROG_LOAD)` would receive, as plain data.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bpfvet_btf::Btf;
use bpfvet_insn::{InsnIdx, Program};

use crate::{AttachType, MapDef, Privilege, ProgramType};

/// One program to be judged, with all that its verdict can depend on.
///
/// Map references in `program` are *indices into `maps`*, in the place where a file descriptor or an index would stand; object
/// loaders write them so, and raw programs are read so.
/// Likewise a set of the host's types stands as its place in the loader's list, 0 for the kernel's own, where a kernel variable or
/// a kernel call would name a module's BTF by descriptor or index.
#[derive(Clone, Debug)]
pub struct LoadRequest {
    /// Its name, for people.
    pub name: String,
    /// Its type.
    pub program_type: ProgramType,
    /// Where it is to be attached; [`AttachType`] zero where that does not matter.
    pub attach_type: AttachType,
    /// The instructions, relocated and linked.
    pub program: Arc<Program>,
    /// The maps that it refers to.
    pub maps: Vec<MapDef>,
    /// Whether its licence is compatible with the GPL.
    pub gpl_compatible: bool,
    /// Load flags.
    pub flags: LoadFlags,
    /// What the loader is trusted with.
    pub privilege: Privilege,
    /// Its own types, if the object has any.
    pub btf: Option<Arc<Btf>>,
    /// One per function, by ascending position; empty where there is none.
    pub funcs: Vec<FuncInfo>,
    /// Source lines, by ascending position; empty where there is none.
    pub lines: Vec<LineInfo>,
    /// The function or type it attaches to.
    pub attach_target: Option<AttachTarget>,
}

impl LoadRequest {
    /// A privileged request for a bare program of this type: no maps, no types, GPL-compatible.
    #[must_use]
    pub fn new(name: &str, program_type: ProgramType, program: Program) -> Self {
        Self {
            name: name.into(),
            program_type,
            attach_type: AttachType::default(),
            program: Arc::new(program),
            maps: Vec::new(),
            gpl_compatible: true,
            flags: LoadFlags::default(),
            privilege: Privilege::FULL,
            btf: None,
            funcs: Vec::new(),
            lines: Vec::new(),
            attach_target: None,
        }
    }

    /// The attach type that Linux takes: socket programs that say nothing attach where the first of them did.
    /// (`bpf_prog_load_fixup_attach_type`)
    #[must_use]
    pub fn attached_as(&self) -> AttachType {
        match self.program_type {
            ProgramType::CGROUP_SOCK if self.attach_type.0 == 0 => AttachType::CGROUP_INET_SOCK_CREATE,
            ProgramType::SK_REUSEPORT if self.attach_type.0 == 0 => AttachType::SK_REUSEPORT_SELECT,
            _ => self.attach_type,
        }
    }

    /// The source line that the instruction at `at` belongs to.
    #[must_use]
    pub fn line_at(&self, at: InsnIdx) -> Option<&LineInfo> {
        let after = self.lines.partition_point(|line| line.at <= at);
        self.lines.get(after.checked_sub(1)?)
    }
}

/// Flags of a load (`BPF_F_*` of `BPF_PROG_LOAD`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LoadFlags {
    /// The program may sleep.
    pub sleepable: bool,
    /// All accesses must be aligned, whatever the machine can do (`BPF_F_STRICT_ALIGNMENT`).
    pub strict_alignment: bool,
    /// No alignment is asked, even if the line above asks it (`BPF_F_ANY_ALIGNMENT`).
    pub any_alignment: bool,
    /// A checkpoint wherever one may stand (`BPF_F_TEST_STATE_FREQ`).
    pub test_state_freq: bool,
    /// A contradiction between a scalar's views is an error (`BPF_F_TEST_REG_INVARIANTS`).
    pub test_reg_invariants: bool,
    /// The program understands packets in fragments (`BPF_F_XDP_HAS_FRAGS`).
    pub xdp_has_frags: bool,
}

impl LoadFlags {
    /// Whether all accesses must be aligned.
    #[must_use]
    pub const fn asks_alignment(&self) -> bool {
        self.strict_alignment && !self.any_alignment
    }
}

/// Where a function of the program begins and what its type is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FuncInfo {
    /// Its first instruction.
    pub at: InsnIdx,
    /// BTF id of the function (`BTF_KIND_FUNC`) in the program's BTF.
    pub type_id: u32,
}

/// The source line that an instruction, and those after it, came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineInfo {
    /// The first instruction of the line.
    pub at: InsnIdx,
    /// File name, as the compiler saw it.
    pub file: Arc<str>,
    /// The text of the line.
    pub text: Arc<str>,
    /// Its number, from 1.
    pub line: u32,
    /// Its column, from 1.
    pub column: u32,
}

/// What a program attaches to, for types that say so by BTF.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttachTarget {
    /// The function, hook or structure's name, as in the section name.
    pub name: String,
    /// Its BTF id in the host's BTF, once resolved; 0 before.
    pub btf_id: u32,
    /// For structure operations: the member's index.
    pub member: Option<u32>,
}
