//! What is known of a call before any value is known, asked of the platform once per callee.

use alloc::collections::BTreeMap;

use bpfvet_btf::TypeId;
use bpfvet_insn::Call;
use bpfvet_platform::{
    ArgKind, ArgSpec, HelperId, HelperLookup, HelperSpecial, KfuncArg, KfuncArgKind, KfuncFlags, KfuncLookup, KfuncRet,
    KfuncSpecial, LoadRequest, Platform, RetKind,
};

use crate::SubprogEffects;
use crate::mentions::Mentions;

/// What a callee does with control.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Control {
    /// It returns.
    Plain,
    /// It leaves the function if it succeeds.
    TailCall,
    /// It calls a function of the program, now and any number of times.
    SyncCallback(Callback),
    /// It has a function of the program called later.
    AsyncCallback,
}

/// Which argument is the callback, which is handed through to it, and as which of its arguments; all counted from zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Callback {
    /// The argument that is the callback.
    pub(crate) func: u8,
    /// The argument that is handed through.
    pub(crate) ctx: u8,
    /// Which argument of the callback it becomes.
    pub(crate) ctx_as: u8,
}

/// What is known of a helper that the program may call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Helper {
    /// What its arguments must be.
    pub(crate) args: [ArgSpec; 5],
    /// How many arguments it takes.
    pub(crate) arg_count: u8,
    /// It returns nothing.
    pub(crate) is_void: bool,
    /// It spares the argument registers that it does not use.
    pub(crate) fastcall: bool,
    /// What it does with control.
    pub(crate) control: Control,
    /// What calling it may do.
    pub(crate) effects: SubprogEffects,
}

/// What is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Callee {
    /// A helper that the program may call.
    Helper(Helper),
    /// A helper that it may not call, or that is not known. A path that gets there ends there.
    UnknownHelper,
    /// A function of the program.
    Subprog,
    /// A kernel function that the program may call.
    Kfunc(Kfunc),
    /// A kernel function of which nothing is known.
    UnknownKfunc,
}

/// What is known of a kernel function that the program may call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Kfunc {
    /// How many arguments it takes.
    pub(crate) arg_count: u8,
    /// What it does to memory that each argument points to.
    pub(crate) touches: [KfuncTouch; 5],
    /// It returns nothing.
    pub(crate) is_void: bool,
    /// It spares the argument registers that it does not use.
    pub(crate) fastcall: bool,
    /// It goes on with an iteration.
    pub(crate) iterates: bool,
    /// What calling it may do.
    pub(crate) effects: SubprogEffects,
}

/// What a kernel function does to memory that an argument points to (`bpf_kfunc_stack_access_bytes`, Linux 7.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KfuncTouch {
    /// It is no pointer.
    Nothing,
    /// This many bytes.
    Bytes {
        /// How many.
        bytes: u32,
        /// They are written, and not read before.
        writes: bool,
    },
    /// As many bytes as the next argument says.
    NextArg {
        /// They are written, and not read before.
        writes: bool,
    },
    /// Nobody knows.
    Unknown,
}

impl Callee {
    /// How many arguments it takes, where that is known.
    pub(crate) const fn arg_count(&self) -> Option<u8> {
        match self {
            Self::Helper(helper) => Some(helper.arg_count),
            Self::Kfunc(kfunc) => Some(kfunc.arg_count),
            Self::UnknownHelper | Self::Subprog | Self::UnknownKfunc => None,
        }
    }

    /// What it does with control.
    pub(crate) const fn control(&self) -> Control {
        match self {
            Self::Helper(helper) => helper.control,
            Self::UnknownHelper | Self::Subprog | Self::Kfunc(_) | Self::UnknownKfunc => Control::Plain,
        }
    }

    /// What calling it may do, apart from what functions of the program do.
    pub(crate) const fn effects(&self) -> SubprogEffects {
        match self {
            Self::Helper(helper) => helper.effects,
            Self::UnknownHelper | Self::Subprog => {
                SubprogEffects { changes_pkt_data: false, might_sleep: false, might_throw: false }
            }
            Self::Kfunc(kfunc) => kfunc.effects,
            // Nothing is known of it, so anything may happen.
            Self::UnknownKfunc => SubprogEffects { changes_pkt_data: true, might_sleep: true, might_throw: true },
        }
    }
}

/// All that the program calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Callees {
    helpers: BTreeMap<i32, Callee>,
    kfuncs: BTreeMap<(i32, i16), Callee>,
}

impl Callees {
    /// Asks the platform about every helper and function of the host that the program calls.
    pub(crate) fn collect(mentions: &Mentions, request: &LoadRequest, platform: &dyn Platform) -> Self {
        let mut this = Self::default();
        for (_, call) in mentions.calls(&request.program) {
            match call {
                Call::Helper(id) => {
                    this.helpers.entry(id).or_insert_with(|| lookup(id, request, platform));
                }
                Call::Kfunc { id, btf } => {
                    this.kfuncs.entry((id, btf)).or_insert_with(|| lookup_kfunc(id, btf, request, platform));
                }
                Call::Subprog(_) => {}
            }
        }
        this
    }

    /// What is known of this callee.
    pub(crate) fn of(&self, call: Call) -> &Callee {
        match call {
            Call::Helper(id) => self.helpers.get(&id).unwrap_or(&Callee::UnknownHelper),
            Call::Subprog(_) => &Callee::Subprog,
            Call::Kfunc { id, btf } => self.kfuncs.get(&(id, btf)).unwrap_or(&Callee::UnknownKfunc),
        }
    }
}

fn lookup(id: i32, request: &LoadRequest, platform: &dyn Platform) -> Callee {
    let Ok(id) = u32::try_from(id) else { return Callee::UnknownHelper };
    let proto = match platform.helper(HelperId(id), request) {
        HelperLookup::Allowed(proto) => proto,
        HelperLookup::NotForProgram
        | HelperLookup::Refused(_)
        | HelperLookup::Unknown
        | HelperLookup::Unsupported(_) => return Callee::UnknownHelper,
    };
    let used = proto.args.iter().take_while(|arg| arg.kind != ArgKind::Unused).count();
    Callee::Helper(Helper {
        args: proto.args,
        arg_count: u8::try_from(used).unwrap_or(5),
        is_void: proto.ret.kind == RetKind::Void,
        fastcall: proto.effects.fastcall,
        control: control(proto.special),
        effects: SubprogEffects {
            changes_pkt_data: proto.effects.moves_packet,
            might_sleep: proto.effects.sleeps,
            might_throw: false,
        },
    })
}

fn lookup_kfunc(id: i32, module: i16, request: &LoadRequest, platform: &dyn Platform) -> Callee {
    let proto = match platform.kfunc(TypeId(id.cast_unsigned()), module, request) {
        KfuncLookup::Allowed(proto) => proto,
        KfuncLookup::NotAllowed { .. } | KfuncLookup::Unsupported(_) => return Callee::UnknownKfunc,
    };
    let mut touches = [KfuncTouch::Nothing; 5];
    for (touch, (index, arg)) in touches.iter_mut().zip(proto.args.iter().enumerate()) {
        let starts = index == 0 && proto.flags.contains(KfuncFlags::ITER_NEW);
        *touch = touch_of(arg, starts || arg.uninit);
    }
    Callee::Kfunc(Kfunc {
        arg_count: u8::try_from(proto.args.len()).unwrap_or(5),
        touches,
        is_void: proto.ret == KfuncRet::Void,
        fastcall: proto.flags.contains(KfuncFlags::FASTCALL),
        iterates: proto.flags.contains(KfuncFlags::ITER_NEXT),
        effects: SubprogEffects {
            changes_pkt_data: proto.special == KfuncSpecial::MovesPacket,
            might_sleep: proto.flags.contains(KfuncFlags::SLEEPABLE),
            might_throw: proto.special == KfuncSpecial::Throw,
        },
    })
}

fn touch_of(arg: &KfuncArg, writes: bool) -> KfuncTouch {
    match arg.kind {
        KfuncArgKind::Scalar
        | KfuncArgKind::Const
        | KfuncArgKind::ReturnSize { .. }
        | KfuncArgKind::MemSize
        | KfuncArgKind::ConstMemSize => KfuncTouch::Nothing,
        KfuncArgKind::Mem => KfuncTouch::NextArg { writes },
        KfuncArgKind::Ignored
        | KfuncArgKind::Ctx
        | KfuncArgKind::Struct { .. }
        | KfuncArgKind::FixedMem { .. }
        | KfuncArgKind::Iterator { .. }
        | KfuncArgKind::Dynptr(_)
        | KfuncArgKind::ConstStr
        | KfuncArgKind::IrqFlag
        | KfuncArgKind::NotModelled(_) => match arg.pointee {
            Some(bytes) => KfuncTouch::Bytes { bytes, writes },
            None => KfuncTouch::Unknown,
        },
    }
}

const fn control(special: HelperSpecial) -> Control {
    match special {
        HelperSpecial::TailCall => Control::TailCall,
        HelperSpecial::TimerSetCallback => Control::AsyncCallback,
        HelperSpecial::Loop | HelperSpecial::UserRingbufDrain => {
            Control::SyncCallback(Callback { func: 1, ctx: 2, ctx_as: 1 })
        }
        HelperSpecial::ForEachMapElem => Control::SyncCallback(Callback { func: 1, ctx: 2, ctx_as: 3 }),
        HelperSpecial::FindVma => Control::SyncCallback(Callback { func: 2, ctx: 3, ctx_as: 2 }),
        HelperSpecial::None
        | HelperSpecial::MapLookup
        | HelperSpecial::SpinLock
        | HelperSpecial::SpinUnlock
        | HelperSpecial::GetLocalStorage
        | HelperSpecial::Snprintf
        | HelperSpecial::SetRetval
        | HelperSpecial::KptrXchg
        | HelperSpecial::DynptrFromMem
        | HelperSpecial::DynptrData
        | HelperSpecial::DynptrWrite
        | HelperSpecial::PerCpuPtr
        | HelperSpecial::CallChain => Control::Plain,
    }
}
