//! How much room there is in the memory that a call is given with a size.

use alloc::format;
use alloc::string::String;

use bpfvet_domain::{Known, Views as _};
use bpfvet_explore::RejectionCause;
use bpfvet_insn::Reg;
use bpfvet_vm::violation::{CallCause, Place};
use bpfvet_vm::{Cause, Region, State, Value};

use super::History;
use crate::Names;

/// A size that a call does not take as it is.
#[derive(Clone, Copy)]
pub(super) struct WantedSize {
    /// The register that holds it.
    pub(super) reg: Reg,
    /// The bytes that there are from the pointer before it on.
    pub(super) room: u64,
    /// Zero is too small.
    pub(super) nonzero: bool,
}

/// What is known of the size at fault, if that is what is at fault.
pub(super) fn wanted_size(cause: &RejectionCause, history: &History, names: &Names<'_>) -> Option<WantedSize> {
    let RejectionCause::Violation(violation) = cause else { return None };
    let (place, nonzero) = match &*violation.cause {
        Cause::Call(CallCause::SizeZero { place, .. }) => (*place, true),
        Cause::Call(CallCause::SizeUnbounded { place } | CallCause::SizeNegative { place }) => (*place, false),
        Cause::Register(_)
        | Cause::Memory(_)
        | Cause::Resource(_)
        | Cause::Call(_)
        | Cause::Context(_)
        | Cause::Policy(_) => return None,
    };
    let Place::Reg(reg) = place else { return None };
    // Sizes follow the memory that they are of.
    let memory = Reg::new(reg.number().checked_sub(1)?)?;
    let room = room(history.failed()?, memory, names)?;
    Some(WantedSize { reg, room, nonzero })
}

/// The bytes from a pointer to the end of what it points to.
fn room(state: &State<Known>, reg: Reg, names: &Names<'_>) -> Option<u64> {
    let Value::Pointer(pointer) = state.reg(reg) else { return None };
    let start = pointer.off.as_const()?.cast_signed();
    let end = match pointer.region {
        Region::MapValue { map, uid: _ } => i64::from(names.map(map)?.value_size),
        Region::Mem { size } => i64::from(size),
        Region::Stack { .. } => 0,
        Region::Packet { group: _, range } | Region::PacketMeta { group: _, range } => i64::from(range),
        Region::Ctx
        | Region::Map { .. }
        | Region::MapKey { .. }
        | Region::PacketEnd
        | Region::FlowKeys
        | Region::Socket { .. }
        | Region::TpBuffer
        | Region::Btf { .. }
        | Region::Buf
        | Region::Func { .. }
        | Region::Arena
        | Region::Insn { .. }
        | Region::Dynptr { .. } => return None,
    };
    u64::try_from(end.checked_sub(start)?).ok().filter(|room| *room > 0)
}

/// `1 byte`, `8 bytes`.
pub(super) fn bytes(count: u64) -> String {
    if count == 1 { String::from("1 byte") } else { format!("{count} bytes") }
}
