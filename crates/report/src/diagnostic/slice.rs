//! The causal path: of all that happened, only what made the value that the failure is about.
//!
//! Walked backwards from the failure with a set of places whose values matter. A move or a fill passes the interest on, an
//! operation widens it, a load, a constant or a call ends it, and a branch that tested such a place is part of the story.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bpfvet_domain::Known;
use bpfvet_insn::{Call, Insn, InsnIdx, Operand, Program, Reg, Width};
use bpfvet_platform::{HelperId, HelperLookup};
use bpfvet_vm::{Base, Value};

use super::describe::{half_words, value_words};
use super::history::{Happened, History, Ran};
use super::{Label, Role};
use crate::Names;

/// Labels of a causal path that are shown; the first and the last of a longer one.
const SHOWN: usize = 6;

/// Branches that are shown of those that lead to where something is lost.
const LEADING: usize = 2;

/// A place whose value matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Reg { frame: u8, reg: Reg },
    Slot { frame: u8, slot: u8 },
}

/// What made a value.
pub(super) struct Story {
    /// The places that belong to it, oldest first.
    pub(super) labels: Vec<Label>,
    /// The events that it begins with: where the values that matter come from.
    pub(super) origins: Vec<usize>,
    /// The registers of branches that tested such a value, by event.
    pub(super) tested: Vec<usize>,
    /// The call after which pointers into the packet are worth nothing, if the value was one.
    pub(super) lost_packet: Option<InsnIdx>,
}

/// What made the values of these registers of the innermost frame.
pub(super) fn causal_path(
    history: &History,
    program: &Program,
    frame: usize,
    regs: &[Reg],
    names: &Names<'_>,
) -> Story {
    let frame = u8::try_from(frame).unwrap_or(u8::MAX);
    let mut walk = Walk {
        program,
        names,
        wanted: regs.iter().map(|reg| Place::Reg { frame, reg: *reg }).collect(),
        labels: Vec::new(),
        inner: None,
        origins: Vec::new(),
        tested: Vec::new(),
        event: 0,
        moved: None,
        lost_packet: None,
    };
    for (number, event) in history.events().iter().enumerate().rev() {
        if walk.wanted.is_empty() {
            break;
        }
        walk.event = number;
        match event {
            Happened::Ran(ran) => walk.ran(ran),
            Happened::Decided { at, frame, jumped, operands } => walk.decided(*at, *frame, *jumped, operands),
        }
    }
    let Walk { mut labels, origins, tested, lost_packet, .. } = walk;
    keep_last_rounds(&mut labels);
    keep_last_of_line(&mut labels, names);
    if labels.len() > SHOWN {
        // Nearest to the failure first: keep what is near it, and where it all began.
        let origin = labels.pop();
        labels.truncate(SHOWN - 1);
        labels.extend(origin);
    }
    labels.reverse();
    Story { labels, origins, tested, lost_packet }
}

/// The last branches behind the place where something was taken that is never given back: they lead to where it is lost.
pub(super) fn branches_since(history: &History, taken: InsnIdx) -> Vec<Label> {
    let events = history.events();
    let since = events.iter().rposition(|event| matches!(event, Happened::Ran(ran) if ran.at == taken)).unwrap_or(0);
    let mut labels: Vec<Label> = Vec::new();
    for event in events.iter().skip(since).rev() {
        let Happened::Decided { at, frame: _, jumped, operands } = event else { continue };
        // Whether the thing itself is there is no news.
        let is_null_check = operands.iter().flatten().any(|(_, value)| matches!(value, Value::Pointer(_)));
        if is_null_check || labels.iter().any(|label| label.at == *at) {
            continue;
        }
        let text = if *jumped { "this path: taken" } else { "this path: not taken" };
        labels.push(Label { at: *at, role: Role::Branch, text: text.to_string() });
        if labels.len() == LEADING {
            break;
        }
    }
    labels.reverse();
    labels
}

/// What a loop did in its last round stands for what it did in each. The labels are newest first.
fn keep_last_rounds(labels: &mut Vec<Label>) {
    let mut kept: Vec<Label> = Vec::new();
    let mut again: Vec<InsnIdx> = Vec::new();
    for label in labels.drain(..) {
        if kept.iter().any(|other| other.at == label.at && other.role == label.role) {
            again.push(label.at);
        } else {
            kept.push(label);
        }
    }
    for label in kept.iter_mut().filter(|label| again.contains(&label.at)) {
        label.text.push_str(" in the last round");
    }
    *labels = kept;
}

/// Of several steps in one line of the source, the result. The labels are newest first.
fn keep_last_of_line(labels: &mut Vec<Label>, names: &Names<'_>) {
    let line = |label: &Label| names.request().line_at(label.at).map(|line| (line.file.clone(), line.line));
    let mut last = None;
    labels.retain(|label| {
        let here = line(label).filter(|_| label.role == Role::Changed);
        let again = here.is_some() && here == last;
        last = here;
        !again
    });
}

struct Walk<'a> {
    program: &'a Program,
    names: &'a Names<'a>,
    wanted: Vec<Place>,
    /// Newest first.
    labels: Vec<Label>,
    /// The frame of the event looked at last.
    inner: Option<u8>,
    origins: Vec<usize>,
    tested: Vec<usize>,
    /// The event that is looked at.
    event: usize,
    /// The first call behind it that may have moved the packet.
    moved: Option<InsnIdx>,
    lost_packet: Option<InsnIdx>,
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
        if role == Role::Created {
            self.origins.push(self.event);
        }
        self.labels.push(Label { at, role, text });
    }

    /// A value that matters was a pointer into the packet, and a call since then may have moved the packet.
    fn was(&mut self, value: Option<&Value<Known>>) {
        let Some(Value::Pointer(pointer)) = value else { return };
        let Some(at) = self.moved else { return };
        if matches!(pointer.tag().base, Base::Packet | Base::PacketMeta | Base::PacketEnd) && self.lost_packet.is_none()
        {
            self.lost_packet = Some(at);
            let name = match self.program.get(at) {
                Some(Insn::Call(Call::Helper(id))) => self.names.helper(*id).unwrap_or("this call"),
                _ => "this call",
            };
            let text = format!("`{name}` may move the packet: pointers into it are worth nothing from here");
            let label = Label { at, role: Role::Lost, text };
            self.labels.push(label);
        }
    }

    fn moves_packet(&self, call: Call) -> bool {
        let Call::Helper(id) = call else { return false };
        let Ok(id) = u32::try_from(id) else { return false };
        match self.names.platform().helper(HelperId(id), self.names.request()) {
            HelperLookup::Allowed(proto) => proto.effects.moves_packet,
            HelperLookup::NotForProgram
            | HelperLookup::Refused(_)
            | HelperLookup::Unknown
            | HelperLookup::Unsupported(_) => false,
        }
    }

    fn words(&self, value: Option<&Value<Known>>) -> String {
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
                self.was(value);
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
                        self.was(value);
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

    fn call(&mut self, at: InsnIdx, frame: u8, call: Call, value: Option<&Value<Known>>) {
        if self.moved.is_none() && self.moves_packet(call) {
            self.moved = Some(at);
        }
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

    fn decided(&mut self, at: InsnIdx, frame: u8, jumped: bool, operands: &[Option<(Reg, Value<Known>)>; 2]) {
        let wanted = operands.iter().flatten().find(|(reg, _)| self.wants(frame, *reg));
        if let Some((reg, value)) = wanted {
            self.tested.push(self.event);
            let outcome = if jumped { "taken" } else { "not taken" };
            let half = match (self.program.get(at), value) {
                (Some(Insn::Branch { width: Width::W32, .. }), Value::Scalar(scalar)) => half_words(&scalar.num),
                _ => None,
            };
            let text = match half {
                Some(half) => format!("{outcome}: the low half of `{reg}` is {half}"),
                None => format!("{outcome}: `{reg}` is {}", self.words(Some(value))),
            };
            self.tell(at, Role::Branch, text);
        }
    }
}
