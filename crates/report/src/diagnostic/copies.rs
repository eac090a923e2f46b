//! Checks that were made, but of another copy than the one that is used.
//!
//! ```text
//!  r1 = r2 ── if r1 > 15 ──▶ r1 is bounded, r2 is used        a copy in another register
//!  r1 = *p ── if r1 > 15 ──▶ r2 = *p is used                  the same memory, read twice
//! ```
//!
//! Walked forwards along the path with, for each place, the event that its value comes from.

use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::vec::Vec;

use bpfvet_domain::{Known, Views as _};
use bpfvet_insn::{Insn, Operand, Program, Reg, Size};
use bpfvet_vm::{Region, Value};

use super::history::{Happened, History, Ran};
use super::slice::Story;
use super::{Class, Label, Role};

/// Pieces of memory that are told apart.
const PIECES: usize = 64;

/// A check that did not count.
pub(super) struct Copy {
    /// Where it was made.
    pub(super) label: Label,
    /// Whose mistake it is.
    pub(super) class: Class,
    /// What to do.
    pub(super) help: &'static str,
}

/// The last check on the path that was of something like the value that failed.
pub(super) fn checked(history: &History, program: &Program, story: &Story) -> Option<Copy> {
    let mut walk = Walk { program, origins: Vec::new(), held: Vec::new(), pieces: Vec::new(), same: BTreeMap::new() };
    let mut checks = Vec::new();
    for (event, happened) in history.events().iter().enumerate() {
        match happened {
            Happened::Ran(ran) => walk.ran(event, ran),
            Happened::Decided { at, frame, jumped: _, operands } => {
                for (reg, value) in operands.iter().flatten() {
                    if matches!(value, Value::Scalar(_)) && !story.tested.contains(&event) {
                        checks.extend(walk.origin(Place::Reg(*frame, *reg)).map(|origin| (*at, origin)));
                    }
                }
            }
        }
    }
    let wanted: Vec<usize> = story.origins.iter().map(|origin| walk.first(*origin)).collect();
    let (at, origin) = checks.into_iter().rev().find(|(_, origin)| wanted.contains(&walk.first(*origin)))?;
    let copy = !story.origins.contains(&origin);
    let (class, text, help) = if copy {
        (
            Class::Program,
            "checked here, and read from memory again later: it may have changed",
            "read it into a variable once, and check and use that variable",
        )
    } else {
        (
            Class::Compiler,
            "checked here, but a copy of it is used",
            "the compiler checked a copy: `barrier_var(i)` before the check, or a mask right before the use, keeps them one",
        )
    };
    Some(Copy { class, label: Label { at, role: Role::Branch, text: text.to_string() }, help })
}

/// Where a value is: a register of a frame, or a slot of one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Reg(u8, Reg),
    Slot(u8, u8),
}

/// A piece of memory that is not the stack.
#[derive(Clone, Copy, PartialEq)]
struct Piece {
    region: Region,
    off: u64,
    size: Size,
}

struct Walk<'a> {
    program: &'a Program,
    /// By place, the event that its value comes from.
    origins: Vec<(Place, usize)>,
    /// By register, the pointer in it.
    held: Vec<((u8, Reg), Value<Known>)>,
    /// Pieces of memory, each with the event that first read it.
    pieces: Vec<(Piece, usize)>,
    /// Events that read a piece again, with the first that did.
    same: BTreeMap<usize, usize>,
}

impl Walk<'_> {
    fn origin(&self, place: Place) -> Option<usize> {
        self.origins.iter().find(|(other, _)| *other == place).map(|(_, origin)| *origin)
    }

    /// The first event that read what this one read.
    fn first(&self, event: usize) -> usize {
        self.same.get(&event).copied().unwrap_or(event)
    }

    fn set(&mut self, place: Place, origin: Option<usize>) {
        self.origins.retain(|(other, _)| *other != place);
        self.origins.extend(origin.map(|origin| (place, origin)));
    }

    fn ran(&mut self, event: usize, ran: &Ran) {
        let Ran { at, frame, wrote, slot } = *ran;
        let base = match self.program.get(at) {
            Some(Insn::Load { base, off, size, .. }) => self.piece(frame, *base, *off, *size),
            _ => None,
        };
        if let (Some(Insn::Store { src: Operand::Reg(src), .. }), Some((of, slot))) = (self.program.get(at), slot) {
            let origin = self.origin(Place::Reg(frame, *src));
            self.set(Place::Slot(of, slot), origin);
        }
        let Some((reg, value)) = wrote else { return };
        let place = Place::Reg(frame, reg);
        let origin = match self.program.get(at) {
            Some(Insn::Mov { src: Operand::Reg(src), .. } | Insn::MovSx { src, .. }) => {
                self.origin(Place::Reg(frame, *src))
            }
            // What is computed of a number still comes from it.
            Some(Insn::Alu { .. } | Insn::Neg { .. } | Insn::Endian { .. }) => self.origin(place),
            Some(Insn::Load { .. }) => match slot {
                Some((of, slot)) => self.origin(Place::Slot(of, slot)),
                None => Some(event),
            },
            _ => Some(event),
        };
        if let Some(piece) = base {
            match self.pieces.iter().find(|(other, _)| *other == piece) {
                Some((_, first)) => {
                    self.same.insert(event, *first);
                }
                None if self.pieces.len() < PIECES => self.pieces.push((piece, event)),
                None => {}
            }
        }
        self.set(place, origin);
        self.held.retain(|(held, _)| *held != (frame, reg));
        if matches!(value, Value::Pointer(_)) {
            self.held.push(((frame, reg), value));
        }
    }

    fn piece(&self, frame: u8, base: Reg, off: i16, size: Size) -> Option<Piece> {
        let (_, value) = self.held.iter().find(|(held, _)| *held == (frame, base))?;
        let Value::Pointer(pointer) = value else { return None };
        let start = pointer.off.as_const()?;
        Some(Piece { region: pointer.region, off: start.wrapping_add_signed(i64::from(off)), size })
    }
}
