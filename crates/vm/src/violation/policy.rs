//! Something that this program type, licence or privilege may not do.

use alloc::string::String;

use bpfvet_insn::Reg;

/// Something that this program type, licence or privilege may not do.
#[derive(Clone, PartialEq, Debug)]
pub enum PolicyCause {
    /// There is no helper of this number.
    UnknownHelper {
        /// Its number.
        id: i32,
    },
    /// The helper is not for this program.
    HelperNotAllowed {
        /// Its name.
        helper: String,
        /// Its number.
        id: u32,
    },
    /// The helper is for programs with a GPL-compatible licence.
    GplOnly {
        /// Its name.
        helper: String,
    },
    /// The function of the host is not for this program.
    KfuncNotAllowed {
        /// Its name.
        kfunc: String,
    },
    /// The function of the host is for loaders with `CAP_PERFMON`.
    KfuncNeedsPerfmon {
        /// Its name.
        kfunc: String,
    },
    /// The helper's own rule forbids it here.
    HelperRefused {
        /// Its name.
        helper: String,
    },
    /// The helper tells the address of a traced function, and this program has none, or not in that way.
    HelperNeedsTracedFunction {
        /// Its name.
        helper: String,
        /// Its number.
        id: u32,
        /// Whether the program type could have one, if it were attached differently.
        attach_differently: bool,
    },
    /// Packet memory is given to a helper that takes none, or by a program type without packet access.
    HelperPacketAccess,
    /// A pointer's value would reach where it can be read.
    PointerLeak {
        /// The register.
        reg: Reg,
        /// Where it would go.
        to: LeakTo,
    },
    /// A legacy packet load in a program type that has none.
    PacketLoad,
    /// The register that must hold the context for a legacy packet load holds something else.
    PacketLoadContext,
    /// The value returned is outside what the attach point allows.
    ReturnValue {
        /// Where it is returned.
        site: ReturnSite,
        /// The register.
        reg: Reg,
        /// Lowest possible value, `None` if unbounded.
        smin: Option<i64>,
        /// Highest possible value, `None` if unbounded.
        smax: Option<i64>,
        /// Lowest allowed value.
        min: i32,
        /// Highest allowed value.
        max: i32,
    },
    /// The value returned is not a number.
    ReturnKind {
        /// Where it is returned.
        site: ReturnSite,
        /// The register.
        reg: Reg,
        /// What it holds.
        tag: crate::value::TypeTag,
    },
    /// A callback returns something that is not a number.
    CallbackReturnKind,
    /// A function returns a stack pointer.
    ReturnsStackPointer,
    /// A map that is read-only for programs is changed by a helper.
    MapReadOnly,
}

/// Where a pointer's value would leak to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeakTo {
    /// A map value.
    Map,
    /// The context.
    Ctx,
    /// A packet.
    Packet,
    /// The flow keys.
    FlowKeys,
    /// Other memory.
    Mem,
    /// A helper's argument that takes anything.
    Helper,
    /// The return value.
    Return,
}

/// Where a value is returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReturnSite {
    /// From the program.
    Program,
    /// From a function verified on its own.
    Subprogram,
    /// From a callback.
    Callback,
    /// From a callback that the host runs later.
    AsyncCallback,
    /// Through the helper that sets the return value.
    SetRetval,
}

impl PolicyCause {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::UnknownHelper { .. } => "policy::unknown-helper",
            Self::HelperNotAllowed { .. } => "policy::helper-not-allowed",
            Self::GplOnly { .. } => "policy::gpl-only",
            Self::KfuncNotAllowed { .. } => "policy::kfunc-not-allowed",
            Self::KfuncNeedsPerfmon { .. } => "policy::kfunc-needs-perfmon",
            Self::HelperRefused { .. } => "policy::helper-refused",
            Self::HelperNeedsTracedFunction { .. } => "policy::helper-needs-traced-function",
            Self::HelperPacketAccess => "policy::helper-packet-access",
            Self::PointerLeak { .. } => "policy::pointer-leak",
            Self::PacketLoad => "policy::packet-load",
            Self::PacketLoadContext => "policy::packet-load-context",
            Self::ReturnValue { .. } => "policy::return-value",
            Self::ReturnKind { .. } => "policy::return-kind",
            Self::CallbackReturnKind => "policy::callback-return-kind",
            Self::ReturnsStackPointer => "policy::returns-stack-pointer",
            Self::MapReadOnly => "policy::map-read-only",
        }
    }
}
