//! A program with a few things changed.

use super::code::{Code, Slot};
use crate::machine::Choices;

const ALU: [u8; 13] = [0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x90, 0xa0, 0xb0, 0xc0, 0xd0];
const COMPARISONS: [u8; 11] = [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0];
const ATOMICS: [u8; 12] = [0x00, 0x01, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe1, 0xf1, 0x02, 0xe0];

/// `code` with one to four things changed; what is put in comes from itself or from `other`.
#[must_use]
pub fn mutate(code: &Code, other: &Code, choices: &mut Choices<'_>) -> Code {
    let mut code = code.clone();
    for _ in 0..=choices.below(4) {
        once(&mut code, other, choices);
    }
    code
}

fn once(code: &mut Code, other: &Code, choices: &mut Choices<'_>) {
    let starts = code.starts();
    let Some(at) = one_of(&starts, choices) else { return };
    match choices.below(12) {
        0 => code.remove(at, code.width(at)),
        1 | 2 => {
            let from = if choices.one_in(2) { other.clone() } else { code.clone() };
            if let Some(copied) = one_of(&from.starts(), choices) {
                let slots: Vec<Slot> = from.slots().iter().skip(copied).take(from.width(copied)).copied().collect();
                code.insert(at, &slots);
            }
        }
        3 => swap(code, at),
        4 => {
            // A number that nothing is known of, or little.
            let dst = u8::try_from(choices.below(10)).unwrap_or(0);
            let imm = choices.imm();
            code.insert(at, &[operation(pick_alu(choices), dst, imm)]);
        }
        _ => {
            if let Some(slot) = code.slot_mut(at) {
                change(slot, choices);
            }
        }
    }
}

fn one_of(starts: &[usize], choices: &mut Choices<'_>) -> Option<usize> {
    let count = u32::try_from(starts.len()).unwrap_or(u32::MAX);
    starts.get(choices.below(count) as usize).copied()
}

/// Exchanges the instruction with the next one, if both take one slot.
fn swap(code: &mut Code, at: usize) {
    if code.width(at) == 1 && code.width(at + 1) == 1 && at + 1 < code.slots().len() {
        let moved: Vec<Slot> = code.slots().iter().skip(at).take(1).copied().collect();
        code.remove(at, 1);
        code.insert(at + 1, &moved);
    }
}

fn pick_alu(choices: &mut Choices<'_>) -> u8 {
    let class = if choices.one_in(3) { 4 } else { 7 };
    choices.pick(&ALU) | class
}

fn operation(code: u8, dst: u8, imm: i32) -> Slot {
    let [a, b, c, d] = imm.to_le_bytes();
    [code, dst, 0, 0, a, b, c, d]
}

/// Changes one field to what is likely to matter.
fn change(slot: &mut Slot, choices: &mut Choices<'_>) {
    let [code, registers, low, high, a, b, c, d] = *slot;
    let (off, imm) = (i16::from_le_bytes([low, high]), i32::from_le_bytes([a, b, c, d]));
    match choices.below(8) {
        0 => slot[1] = registers & 0xf0 | u8::try_from(choices.below(11)).unwrap_or(0),
        1 => slot[1] = registers & 0x0f | u8::try_from(choices.below(11)).unwrap_or(0) << 4,
        2 => {
            let near = i16::from_le_bytes([choices.below(256) as u8, 0]) % 10 - 4;
            let off = match choices.below(4) {
                0 => off.wrapping_add(near),
                1 => off.wrapping_add(near * 4),
                2 => off.wrapping_neg(),
                _ => choices.imm() as i16,
            };
            slot[2..4].copy_from_slice(&off.to_le_bytes());
        }
        3 | 4 => {
            let imm = match choices.below(4) {
                0 => imm.wrapping_add(1),
                1 => imm.wrapping_sub(1),
                2 => imm.wrapping_neg(),
                _ => choices.imm(),
            };
            slot[4..8].copy_from_slice(&imm.to_le_bytes());
        }
        5 | 6 => slot[0] = another_code(code, choices),
        _ if code & 0xe7 == 0xc3 => slot[4..8].copy_from_slice(&u32::from(choices.pick(&ATOMICS)).to_le_bytes()),
        _ if choices.one_in(8) => {
            let at = choices.below(8) as usize;
            if let Some(byte) = slot.get_mut(at) {
                *byte ^= 1 << choices.below(8);
            }
        }
        // An offset where none was: signed division, sign-extending moves and loads.
        _ => slot[2] = choices.pick(&[0, 1, 8, 16, 32]),
    }
}

/// An opcode of the same family.
fn another_code(code: u8, choices: &mut Choices<'_>) -> u8 {
    match code & 7 {
        4 | 7 => match choices.below(4) {
            0 => code ^ 3,
            1 => code ^ 8,
            _ => choices.pick(&ALU) | code & 0x0f,
        },
        5 | 6 if code & 0xf0 != 0x80 && code & 0xf0 != 0x90 => match choices.below(4) {
            0 => code ^ 3,
            1 => code ^ 8,
            _ => choices.pick(&COMPARISONS) | code & 0x0f,
        },
        // Another size, or a signed load, or an atomic operation.
        1..=3 => match choices.below(4) {
            0 => code & 0x1f | choices.pick(&[0x60, 0x80, 0xc0]),
            1 => code & 0xf8 | choices.pick(&[1, 2, 3]),
            _ => code & 0xe7 | choices.pick(&[0, 8, 0x10, 0x18]),
        },
        _ => code ^ 1 << choices.below(8),
    }
}

#[cfg(test)]
mod tests {
    use super::mutate;
    use crate::differential::Code;
    use crate::machine::Choices;

    #[test]
    fn the_same_choices_make_the_same_program_and_others_others() {
        let code = Code::new(&[0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
        let made = |seed| mutate(&code, &code, &mut Choices::seeded(seed));
        assert_eq!(made(1), made(1));
        let different = (0..100).filter(|&seed| made(seed) != code).count();
        assert!(different > 80, "{different}");
    }
}
