//! The causal path: of all that happened, only what made the value that the failure is about.
//!
//! Walked backwards from the failure with a set of places whose values matter. A move or a fill passes the interest on, an
//! operation widens it, a load, a constant or a call ends it, and a branch that tested such a place is part of the story.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bpfvet_insn::{Call, Insn, InsnIdx, Operand, Program, Reg};
use bpfvet_vm::Value;

use super::describe::value_words;
use super::history::{Happened, History, Ran};
use super::{Label, Role};
use crate::Names;

/// Labels of a causal path that are shown; the first and the last of a longer one.
const SHOWN: usize = 6;

/// A place whose value matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Reg { frame: u8, reg: Reg },
    Slot { frame: u8, slot: u8 },
}

/// What made the values of these registers of the innermost frame, oldest first.
pub(super) fn causal_path(
    history: &History,
    program: &Program,
    frame: usize,
    regs: &[Reg],
    names: &Names<'_>,
) -> Vec<Label> {
    let frame = u8::try_from(frame).unwrap_or(u8::MAX);
    let mut walk = Walk {
        program,
        names,
        wanted: regs.iter().map(|reg| Place::Reg { frame, reg: *reg }).collect(),
        labels: Vec::new(),
        inner: None,
    };
    for event in history.events().iter().rev() {
        if walk.wanted.is_empty() {
            break;
        }
        match event {
            Happened::Ran(ran) => walk.ran(ran),
            Happened::Decided { at, frame, jumped, operands } => walk.decided(*at, *frame, *jumped, operands),
        }
    }
    let mut labels = walk.labels;
    labels.dedup_by(|a, b| a.at == b.at);
    if labels.len() > SHOWN {
        // Nearest to the failure first: keep what is near it, and where it all began.
        let origin = labels.pop();
        labels.truncate(SHOWN - 1);
        labels.extend(origin);
    }
    labels.reverse();
    labels
}

struct Walk<'a> {
    program: &'a Program,
    names: &'a Names<'a>,
    wanted: Vec<Place>,
    /// Newest first.
    labels: Vec<Label>,
    /// The frame of the event looked at last.
    inner: Option<u8>,
}

impl Walk<'_> {
    fn wants(&self, frame: u8, reg: Reg) -> bool {
        self.wanted.contains(&Place::Reg { frame, reg })
    }

    fn want(&mut self, place: Place) {
        let is_frame_pointer = matches!(place, Place::Reg { frame: _, reg: Reg::FP });
        if !is_frame_pointer && !self.wanted.contains(&place) {
            self.wanted.push(place);
        }
    }

    fn drop(&mut self, place: Place) {
        self.wanted.retain(|wanted| *wanted != place);
    }

    fn tell(&mut self, at: InsnIdx, role: Role, text: String) {
        self.labels.push(Label { at, role, text });
    }

    fn words(&self, value: Option<&Value>) -> String {
        value.map_or_else(|| "unknown".to_string(), |value| value_words(value, self.names))
    }

    fn ran(&mut self, ran: &Ran) {
        let Ran { at, frame, wrote, slot } = *ran;
        let Some(insn) = self.program.get(at) else { return };
        let value = wrote.as_ref().map(|(_, value)| value);
        match *insn {
            Insn::Call(call) => self.call(at, frame, call, value),
            Insn::Exit => {
                // What the callee left in r0 is what its caller finds there.
                let caller = frame.saturating_sub(1);
                if frame > 0 && self.wants(caller, Reg::R0) {
                    self.drop(Place::Reg { frame: caller, reg: Reg::R0 });
                    self.want(Place::Reg { frame, reg: Reg::R0 });
                }
            }
            Insn::Mov { dst, src: Operand::Reg(src), .. }
            | Insn::MovSx { dst, src, .. }
            | Insn::AddrSpaceCast { dst, src, .. }
                if self.wants(frame, dst) =>
            {
                self.drop(Place::Reg { frame, reg: dst });
                self.want(Place::Reg { frame, reg: src });
                if src == Reg::FP {
                    self.tell(at, Role::Created, format!("`{dst}` points to the stack from here"));
                }
            }
            Insn::Mov { dst, src: Operand::Imm(_), .. } | Insn::LoadImm64 { dst, .. } if self.wants(frame, dst) => {
                self.drop(Place::Reg { frame, reg: dst });
                let text = format!("`{dst}` becomes {} here", self.words(value));
                self.tell(at, Role::Created, text);
            }
            Insn::Alu { dst, src, .. } if self.wants(frame, dst) => {
                let text = format!("`{dst}` is then {}", self.words(value));
                self.tell(at, Role::Changed, text);
                if let Operand::Reg(src) = src {
                    self.want(Place::Reg { frame, reg: src });
                }
            }
            Insn::Neg { dst, .. } | Insn::Endian { dst, .. } if self.wants(frame, dst) => {
                let text = format!("`{dst}` is then {}", self.words(value));
                self.tell(at, Role::Changed, text);
            }
            Insn::Load { dst, .. } | Insn::LoadAcquire { dst, .. } if self.wants(frame, dst) => {
                self.drop(Place::Reg { frame, reg: dst });
                match slot {
                    Some((frame, slot)) => self.want(Place::Slot { frame, slot }),
                    None => {
                        let text = format!("`{dst}` is loaded: {}", self.words(value));
                        self.tell(at, Role::Created, text);
                    }
                }
            }
            Insn::LoadPacket { .. } if self.wants(frame, Reg::R0) => {
                self.drop(Place::Reg { frame, reg: Reg::R0 });
                self.tell(at, Role::Created, "`r0` is loaded from the packet".to_string());
            }
            Insn::Atomic { src, .. } if wrote.is_some() && self.wants(frame, src) => {
                self.drop(Place::Reg { frame, reg: src });
                self.tell(at, Role::Created, format!("`{src}` is loaded: {}", self.words(value)));
            }
            Insn::Store { src, .. } => self.store(at, frame, slot, src),
            Insn::Mov { .. }
            | Insn::MovSx { .. }
            | Insn::AddrSpaceCast { .. }
            | Insn::LoadImm64 { .. }
            | Insn::Alu { .. }
            | Insn::Neg { .. }
            | Insn::Endian { .. }
            | Insn::Load { .. }
            | Insn::LoadAcquire { .. }
            | Insn::LoadPacket { .. }
            | Insn::Atomic { .. }
            | Insn::StoreRelease { .. }
            | Insn::Jump { .. }
            | Insn::JumpIndirect { .. }
            | Insn::Branch { .. }
            | Insn::MayGoto { .. } => {}
        }
        self.inner = Some(frame);
    }

    fn store(&mut self, at: InsnIdx, frame: u8, slot: Option<(u8, u8)>, src: Operand) {
        let Some((of, slot)) = slot else { return };
        let place = Place::Slot { frame: of, slot };
        if !self.wanted.contains(&place) {
            return;
        }
        self.drop(place);
        if let Operand::Reg(reg) = src {
            self.want(Place::Reg { frame, reg });
            self.tell(at, Role::Spilled, format!("`{reg}` is kept on the stack here"));
        } else {
            self.tell(at, Role::Created, "stored on the stack here".to_string());
        }
    }

    fn call(&mut self, at: InsnIdx, frame: u8, call: Call, value: Option<&Value>) {
        let enters = self.inner.is_some_and(|inner| inner > frame);
        if enters {
            // The callee's arguments are what the caller put into the same registers.
            let callee = frame.saturating_add(1);
            for number in 1..=5 {
                let Some(reg) = Reg::new(number) else { continue };
                if self.wants(callee, reg) {
                    self.drop(Place::Reg { frame: callee, reg });
                    self.want(Place::Reg { frame, reg });
                    self.tell(at, Role::Changed, format!("`{reg}` is passed to the function here"));
                }
            }
            return;
        }
        if self.wants(frame, Reg::R0) {
            self.drop(Place::Reg { frame, reg: Reg::R0 });
            let name = match call {
                Call::Helper(id) => self.names.helper(id).map(|name| format!("`{name}` returns ")),
                Call::Subprog(_) | Call::Kfunc { .. } => None,
            };
            let text = format!("{}{}", name.unwrap_or_else(|| "the call returns ".to_string()), self.words(value));
            self.tell(at, Role::Created, text);
        }
        for number in 1..=5 {
            let Some(reg) = Reg::new(number) else { continue };
            if self.wants(frame, reg) {
                self.drop(Place::Reg { frame, reg });
                self.tell(at, Role::Lost, format!("this call leaves `{reg}` unreadable"));
            }
        }
    }

    fn decided(&mut self, at: InsnIdx, frame: u8, jumped: bool, operands: &[Option<(Reg, Value)>; 2]) {
        let wanted = operands.iter().flatten().find(|(reg, _)| self.wants(frame, *reg));
        if let Some((reg, value)) = wanted {
            let outcome = if jumped { "taken" } else { "not taken" };
            let text = format!("{outcome}: `{reg}` is {}", self.words(Some(value)));
            self.tell(at, Role::Branch, text);
        }
    }
}
