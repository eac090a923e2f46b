//! Encoded instructions that can be taken away and put in between, with every distance kept right.

/// Eight bytes: opcode, registers, offset, immediate.
pub type Slot = [u8; 8];

const LOAD_IMM64: u8 = 0x18;
const CALL: u8 = 0x85;
const EXIT: u8 = 0x95;
const LONG_GOTO: u8 = 0x06;
/// The classes of jumps.
const JMP: u8 = 5;
const JMP32: u8 = 6;
/// `BPF_PSEUDO_CALL`, and `BPF_PSEUDO_FUNC` as a source of `LOAD_IMM64`.
const TO_SUBPROG: u8 = 1;
const OF_FUNC: u8 = 4;

/// A program's slots. Nothing is promised of them but that there are whole ones.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Code(Vec<Slot>);

/// Where an instruction keeps a distance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Distance {
    Offset,
    Immediate,
}

/// Where this instruction keeps the distance to another, if it names one.
fn distance(slot: Slot) -> Option<Distance> {
    let [code, registers, ..] = slot;
    let source = registers >> 4;
    match (code, code & 7) {
        (CALL, _) => (source == TO_SUBPROG).then_some(Distance::Immediate),
        (LOAD_IMM64, _) => (source == OF_FUNC).then_some(Distance::Immediate),
        (EXIT, _) => None,
        (LONG_GOTO, _) => Some(Distance::Immediate),
        (_, JMP | JMP32) => Some(Distance::Offset),
        _ => None,
    }
}

fn read(slot: Slot, distance: Distance) -> i64 {
    let [_, _, a, b, c, d, e, f] = slot;
    match distance {
        Distance::Offset => i16::from_le_bytes([a, b]).into(),
        Distance::Immediate => i32::from_le_bytes([c, d, e, f]).into(),
    }
}

fn write(slot: &mut Slot, distance: Distance, value: i64) {
    match distance {
        Distance::Offset => slot[2..4].copy_from_slice(&i16::try_from(value).unwrap_or(0).to_le_bytes()),
        Distance::Immediate => slot[4..8].copy_from_slice(&i32::try_from(value).unwrap_or(0).to_le_bytes()),
    }
}

impl Code {
    /// The whole slots of these bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.chunks_exact(8).filter_map(|slot| slot.try_into().ok()).collect())
    }

    /// The bytes again.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.0.concat()
    }

    /// Its slots.
    #[must_use]
    pub fn slots(&self) -> &[Slot] {
        &self.0
    }

    /// One of them, to be changed.
    pub fn slot_mut(&mut self, at: usize) -> Option<&mut Slot> {
        self.0.get_mut(at)
    }

    /// Slots that the instruction at `at` takes.
    #[must_use]
    pub fn width(&self, at: usize) -> usize {
        match self.0.get(at) {
            Some([LOAD_IMM64, ..]) if at + 1 < self.0.len() => 2,
            _ => 1,
        }
    }

    /// The slots at which an instruction begins.
    #[must_use]
    pub fn starts(&self) -> Vec<usize> {
        let mut starts = Vec::new();
        let mut at = 0;
        while at < self.0.len() {
            starts.push(at);
            at += self.width(at);
        }
        starts
    }

    /// Without `count` slots from `at` on; what led to them leads to what follows them.
    pub fn remove(&mut self, at: usize, count: usize) {
        let end = (at + count).min(self.0.len());
        let moved = |place: usize| if place >= end { place - (end - at) } else { place.min(at) };
        self.relocate(moved);
        self.0.drain(at.min(end)..end);
    }

    /// With these slots before the one at `at`; what led there leads to the new ones.
    pub fn insert(&mut self, at: usize, slots: &[Slot]) {
        let at = at.min(self.0.len());
        let moved = |place: usize| if place > at { place + slots.len() } else { place };
        // Instructions from `at` on move even though what leads to the first of them does not.
        let place = |place: usize| if place >= at { place + slots.len() } else { place };
        self.relocate_from(place, moved);
        self.0.splice(at..at, slots.iter().copied());
    }

    fn relocate(&mut self, moved: impl Fn(usize) -> usize) {
        self.relocate_from(&moved, &moved);
    }

    /// Distances for when every instruction goes where `place` says, and every target where `target` says.
    fn relocate_from(&mut self, place: impl Fn(usize) -> usize, target: impl Fn(usize) -> usize) {
        let signed = |place: usize| i64::try_from(place).unwrap_or(i64::MAX);
        for at in self.starts() {
            let Some(slot) = self.0.get_mut(at) else { continue };
            let Some(kept) = distance(*slot) else { continue };
            let Ok(to) = usize::try_from(signed(at) + 1 + read(*slot, kept)) else { continue };
            write(slot, kept, signed(target(to)) - signed(place(at)) - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Slot};

    const EXIT: Slot = [0x95, 0, 0, 0, 0, 0, 0, 0];
    const ZERO: Slot = [0xb7, 0, 0, 0, 0, 0, 0, 0];

    fn jump(off: i16) -> Slot {
        let [low, high] = off.to_le_bytes();
        [5, 0, low, high, 0, 0, 0, 0]
    }

    fn code(slots: &[Slot]) -> Code {
        Code::new(&slots.concat())
    }

    #[test]
    fn jumps_over_what_goes_are_shorter() {
        let mut forth = code(&[jump(2), ZERO, ZERO, EXIT]);
        forth.remove(1, 1);
        assert_eq!(forth, code(&[jump(1), ZERO, EXIT]));
        let mut back = code(&[ZERO, ZERO, ZERO, jump(-3)]);
        back.remove(2, 1);
        assert_eq!(back, code(&[ZERO, ZERO, jump(-2)]));
    }

    #[test]
    fn jumps_to_what_goes_lead_behind_it() {
        let mut there = code(&[jump(1), ZERO, ZERO, EXIT]);
        there.remove(2, 1);
        assert_eq!(there, code(&[jump(1), ZERO, EXIT]));
    }

    #[test]
    fn jumps_over_what_comes_are_longer() {
        let mut forth = code(&[jump(1), ZERO, EXIT]);
        forth.insert(1, &[ZERO]);
        assert_eq!(forth, code(&[jump(2), ZERO, ZERO, EXIT]));
        let mut back = code(&[ZERO, jump(-2)]);
        back.insert(1, &[ZERO]);
        assert_eq!(back, code(&[ZERO, ZERO, jump(-3)]));
        let mut before = code(&[ZERO, jump(-2)]);
        before.insert(0, &[EXIT]);
        assert_eq!(before, code(&[EXIT, ZERO, jump(-3)]));
    }
}
