//! A state as the verifier's log prints it.
//!
//! ```text
//!  frame1: R0=scalar(…) R1=ctx() R10=fp0 fp-8=????mmmm fp-16=Pscalar(…) refs=2,3 cb
//!  ▲        ▲                            ▲                             ▲        ▲
//!  not the  registers that are           slots from the top down,      what     how the frame
//!  entry    readable                     bytes as ? r m 0 p            is held  was entered
//! ```
//!
//! Source: `print_verifier_state`, `kernel/bpf/log.c`, Linux 7.3.

mod value;

use alloc::string::String;
use core::fmt::Write;

use bpfvet_btf::TypeId;
use bpfvet_domain::Views;
use bpfvet_insn::RegSet;
use bpfvet_vm::{ByteKind, Dynptr, Frame, FrameKind, Iteration, Slot, SlotObject, State};

use crate::Names;
use crate::kernel_text::kind_text;

pub use value::value_text;
pub(crate) use value::{type_text, write_value};

/// What of a frame is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// All registers and slots that hold something.
    Whole,
    /// Of those, only these registers and slots.
    Changed {
        /// The registers.
        regs: RegSet,
        /// The slots, a bit each from the top of the stack down.
        slots: u64,
    },
}

impl Extent {
    const fn has_reg(self, number: u16) -> bool {
        match self {
            Self::Whole => true,
            Self::Changed { regs, slots: _ } => regs.bits() & (1 << number) != 0,
        }
    }

    const fn has_slot(self, slot: u32) -> bool {
        match self {
            Self::Whole => true,
            Self::Changed { regs: _, slots } => slot < 64 && slots & (1 << slot) != 0,
        }
    }
}

/// The text of one frame of a state, with what the state holds; it begins with a space and has no newline.
#[must_use]
pub fn state_text<D: Views>(state: &State<D>, frame: usize, extent: Extent, names: &Names<'_>) -> String {
    let mut out = String::new();
    write_state(&mut out, state, frame, extent, names);
    out
}

/// [`state_text`] at the end of `out`.
pub(crate) fn write_state<D: Views>(
    out: &mut String,
    state: &State<D>,
    frame: usize,
    extent: Extent,
    names: &Names<'_>,
) {
    let index = frame.min(state.depth());
    write_frame(out, state, index, state.frame(index), extent, names);
}

/// The text of a frame that may have left `state` already, as if it were still in it.
pub(crate) fn write_frame<D: Views>(
    out: &mut String,
    state: &State<D>,
    index: usize,
    frame: &Frame<D>,
    extent: Extent,
    names: &Names<'_>,
) {
    if index > 0 {
        let _ = write!(out, " frame{index}:");
    }
    for (number, value) in (0..).zip(frame.regs()) {
        if *value != bpfvet_vm::Value::Uninit && extent.has_reg(number) {
            let _ = write!(out, " R{number}=");
            write_value(out, value, index, names);
        }
    }
    for (number, slot) in (0..).zip(frame.stack.slots()) {
        if extent.has_slot(number) {
            write_slot(out, number, slot, index, names);
        }
    }
    write_held(out, state);
    match frame.kind {
        FrameKind::Plain => {}
        FrameKind::Callback(_) => out.push_str(" cb"),
        FrameKind::AsyncCallback(_) => out.push_str(" async_cb"),
    }
}

fn write_slot<D: Views>(out: &mut String, number: u32, slot: &Slot<D>, frame: usize, names: &Names<'_>) {
    let bytes = slot.bytes();
    if bytes.iter().all(|kind| matches!(kind, ByteKind::Invalid | ByteKind::Poison)) {
        return;
    }
    if let Slot::Object(SlotObject::Iteration(part)) = slot {
        write_iteration(out, number, part, names);
        return;
    }
    if let Slot::Object(SlotObject::Dynptr(half)) = slot {
        write_dynptr(out, number, half);
        return;
    }
    let _ = write!(out, " fp-{}=", number.saturating_add(1).saturating_mul(8));
    let shown = bytes.iter().take_while(|kind| slot.spilled().is_none() || **kind != ByteKind::Spill);
    out.extend(shown.map(|kind| byte_char(*kind)));
    if let Some(value) = slot.spilled() {
        write_value(out, value, frame, names);
    }
}

/// The state of an iteration, at the slot at its lowest address; the others say nothing.
fn write_iteration(out: &mut String, number: u32, part: &Iteration, names: &Names<'_>) {
    let Iteration { ty, object, drained, depth, protection: _ } = part;
    let Some(object) = object else { return };
    let types = names.platform().btf();
    let name = types.and_then(|types| types.type_by_id(TypeId(*ty))).map_or("", |ty| ty.name());
    let name = name.trim_start_matches("bpf_iter_");
    let (id, state) = (object.get(), if *drained { "drained" } else { "active" });
    let at = number.saturating_add(1).saturating_mul(8);
    let _ = write!(out, " fp-{at}=iter_{name}(id={id},state={state},depth={depth})");
}

/// A dynamic pointer, at the slot at its lower address; the other says nothing.
fn write_dynptr(out: &mut String, number: u32, half: &Dynptr) {
    let Dynptr { kind, first, object, parent } = half;
    if !first {
        return;
    }
    let at = number.saturating_add(1).saturating_mul(8);
    let _ = write!(out, " fp-{at}=dynptr_{}(id={}", kind_text(*kind), object.get());
    if let Some(parent) = parent {
        let _ = write!(out, ",parent_id={}", parent.get());
    }
    out.push(')');
}

const fn byte_char(kind: ByteKind) -> char {
    match kind {
        ByteKind::Invalid => '?',
        ByteKind::Spill => 'r',
        ByteKind::Misc => 'm',
        ByteKind::Zero => '0',
        ByteKind::Poison => 'p',
        ByteKind::Iteration => 'i',
        ByteKind::IrqFlag => 'f',
        ByteKind::Dynptr => 'd',
    }
}

/// Identities of what is held. Nothing is printed where the oldest has none.
fn write_held<D: Views>(out: &mut String, state: &State<D>) {
    if state.refs.first().is_none_or(|first| first.id.is_none()) {
        return;
    }
    let mut separator = " refs=";
    for id in state.refs.iter().filter_map(|held| held.id) {
        let _ = write!(out, "{separator}{id}");
        separator = ",";
    }
}
