//! Arguments beyond the fifth, passed on the stack: `r11 - 8k` outgoing, `r11 + 8k` incoming.

use bpfvet_domain::Domain;
use bpfvet_insn::{Operand, Reg};

use crate::State;
use crate::Value;
use crate::cx::Cx;
use crate::failure::{Check, Stop};
use crate::violation::MemoryCause;

/// How many arguments can be passed so: twelve in all, five in registers.
const MAX_STACK_ARGS: u32 = 7;

/// Stores an outgoing argument. (`check_stack_arg_write`)
pub(super) fn store<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, off: i16, src: Operand) -> Check<()> {
    let off = i32::from(off);
    let slot = u32::try_from(-off / 8 - 1).unwrap_or(u32::MAX);
    if slot >= MAX_STACK_ARGS {
        return Err(MemoryCause::StackArgTooMany { off, max: MAX_STACK_ARGS }.into());
    }
    let value = match src {
        Operand::Reg(src) => *state.reg(src),
        Operand::Imm(imm) => Value::constant(i64::from(imm).cast_unsigned()),
    };
    let frame = state.top_mut();
    let index = slot as usize;
    if frame.out_args.len() <= index {
        frame.out_args.resize(index + 1, Value::Uninit);
    }
    if let Some(place) = frame.out_args.get_mut(index) {
        *place = value;
    }
    frame.args_sealed = true;
    cx.fx.note_mut().arg = u8::try_from(slot).ok();
    Ok(())
}

/// Loads an incoming argument. (`check_stack_arg_read`)
pub(super) fn load<D: Domain>(cx: &mut Cx<'_, '_, D>, state: &mut State<D>, dst: Reg, off: i16) -> Check<()> {
    if state.top().args_sealed {
        return Err(MemoryCause::StackArgSealed.into());
    }
    let off = i32::from(off);
    let slot = u32::try_from(off / 8 - 1).unwrap_or(u32::MAX);
    let incoming = cx.facts.incoming_stack_args(state.top().subprog);
    if slot >= incoming {
        return Err(MemoryCause::StackArgOutOfBounds { off, depth: incoming.saturating_mul(8) }.into());
    }
    let Some(caller) = state.depth().checked_sub(1) else {
        return Err(Stop::Internal(&"an entry function has incoming stack arguments"));
    };
    let value = state.frame(caller).out_args.get(slot as usize).copied().unwrap_or(Value::Uninit);
    state.set(dst, value);
    cx.fx.note_mut().arg = u8::try_from(slot).ok();
    Ok(())
}
