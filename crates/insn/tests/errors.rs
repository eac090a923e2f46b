//! Each way in which a slot can be wrong, and which fault is named first.

use bpfvet_insn::{DecodeError, DecodeErrorKind, Field, Form, InsnIdx, Program, Raw, Size, decode_at};

fn raw(code: u8, dst: u8, src: u8, off: i16, imm: i32) -> Raw {
    Raw { code, dst, src, off, imm }
}

fn decode(raws: &[Raw]) -> Result<Program, DecodeError> {
    let bytes: Vec<u8> = raws.iter().flat_map(|raw| raw.to_bytes()).collect();
    Program::decode(&bytes)
}

#[track_caller]
fn refuses(raws: &[Raw], at: u32, kind: DecodeErrorKind) {
    let error = decode(raws).expect_err("must not decode");
    assert_eq!((error.at, error.kind), (InsnIdx(at), kind));
}

fn reserved(form: Form, field: Field, value: i32) -> DecodeErrorKind {
    DecodeErrorKind::Reserved { form, field, value }
}

const EXIT: Raw = Raw { code: 0x95, dst: 0, src: 0, off: 0, imm: 0 };

#[test]
fn reserved_fields_must_be_zero() {
    let table = [
        (raw(0x87, 1, 2, 0, 0), Form::Neg, Field::Src, 2),
        (raw(0x87, 1, 0, 3, 0), Form::Neg, Field::Off, 3),
        (raw(0x84, 1, 0, 0, -1), Form::Neg, Field::Imm, -1),
        (raw(0xd4, 1, 1, 0, 16), Form::End, Field::Src, 1),
        (raw(0xdc, 1, 0, 1, 16), Form::End, Field::Off, 1),
        (raw(0xd7, 1, 0, 0, 8), Form::End, Field::Imm, 8),
        (raw(0xb7, 1, 2, 0, 0), Form::Mov, Field::Src, 2),
        (raw(0xb7, 1, 0, 8, 0), Form::Mov, Field::Off, 8),
        (raw(0xbf, 1, 2, 0, 5), Form::Mov, Field::Imm, 5),
        (raw(0xbf, 1, 2, 7, 0), Form::Mov, Field::Off, 7),
        (raw(0xbc, 1, 2, 32, 0), Form::Mov, Field::Off, 32),
        (raw(0xbc, 1, 2, 1, 1), Form::Mov, Field::Off, 1),
        (raw(0xbf, 1, 2, 8, 5), Form::Mov, Field::Imm, 5),
        (raw(0x07, 1, 2, 0, 0), Form::Alu, Field::Src, 2),
        (raw(0x0f, 1, 2, 0, 9), Form::Alu, Field::Imm, 9),
        (raw(0x0f, 1, 2, 1, 0), Form::Alu, Field::Off, 1),
        (raw(0x37, 1, 0, 2, 3), Form::Alu, Field::Off, 2),
        (raw(0x61, 1, 2, 0, 1), Form::Load, Field::Imm, 1),
        (raw(0x62, 1, 2, 0, 0), Form::StoreImm, Field::Src, 2),
        (raw(0x63, 1, 2, 0, 7), Form::StoreReg, Field::Imm, 7),
        (raw(0x20, 1, 0, 0, 0), Form::LoadPacket, Field::Dst, 1),
        (raw(0x40, 0, 1, 5, 0), Form::LoadPacket, Field::Off, 5),
        (raw(0x20, 0, 1, 0, 0), Form::LoadPacket, Field::Src, 1),
        (raw(0x05, 0, 1, 0, 0), Form::Jump, Field::Src, 1),
        (raw(0x05, 1, 0, 0, 0), Form::Jump, Field::Dst, 1),
        (raw(0x05, 0, 0, 0, 1), Form::Jump, Field::Imm, 1),
        (raw(0x06, 0, 0, 1, 0), Form::Jump, Field::Off, 1),
        (raw(0x0d, 1, 0, 0, 1), Form::JumpIndirect, Field::Imm, 1),
        (raw(0x0d, 1, 0, 1, 0), Form::JumpIndirect, Field::Off, 1),
        (raw(0x0d, 1, 1, 0, 0), Form::JumpIndirect, Field::Src, 1),
        (raw(0x15, 1, 1, 0, 0), Form::Branch, Field::Src, 1),
        (raw(0x1e, 1, 1, 0, 1), Form::Branch, Field::Imm, 1),
        (raw(0xe5, 0, 1, 0, 0), Form::MayGoto, Field::Src, 1),
        (raw(0xe5, 1, 0, 0, 0), Form::MayGoto, Field::Dst, 1),
        (raw(0xe5, 0, 0, 0, 9), Form::MayGoto, Field::Imm, 9),
        (raw(0x85, 0, 3, 0, 0), Form::Call, Field::Src, 3),
        (raw(0x85, 0, 0, 1, 0), Form::Call, Field::Off, 1),
        (raw(0x85, 0, 1, 1, 0), Form::Call, Field::Off, 1),
        (raw(0x85, 1, 2, 1, 0), Form::Call, Field::Dst, 1),
        (raw(0x95, 0, 0, 0, 1), Form::Exit, Field::Imm, 1),
        (raw(0x95, 0, 0, 1, 0), Form::Exit, Field::Off, 1),
    ];
    for (slot, form, field, value) in table {
        refuses(&[EXIT, slot], 1, reserved(form, field, value));
    }
}

#[test]
fn only_two_reserved_fields_are_not_looked_at_by_linux() {
    let exit = decode(&[raw(0x95, 0, 0, 1, 0)]).expect_err("offset of exit");
    assert!(!exit.is_refused_by_linux());
    let function = decode(&[raw(0x18, 1, 4, 0, 1), raw(0, 0, 0, 0, 1), EXIT]).expect_err("high half");
    assert_eq!(function.kind, DecodeErrorKind::ReservedHigh { value: 1 });
    assert!(!function.is_refused_by_linux());
    let exit = decode(&[raw(0x95, 0, 0, 1, 1)]).expect_err("offset and immediate of exit");
    assert!(exit.is_refused_by_linux());
}

#[test]
fn what_linux_passes_over_counts_for_nothing() {
    let bytes = |slots: &[Raw]| slots.iter().flat_map(|slot| slot.to_bytes()).collect::<Vec<u8>>();
    let as_linux = |slots: &[Raw]| Program::decode_as_linux(&bytes(slots));
    let (function, high, target) = (raw(0x18, 1, 4, 0, 2), raw(0, 0, 0, 0, 1), raw(0x95, 0, 0, -1, 0));
    let plain = Program::decode(&bytes(&[function, raw(0, 0, 0, 0, 0), EXIT]));
    assert!(plain.is_ok());
    assert_eq!(as_linux(&[function, high, target]), plain);
    // The next fault is found, and no other field is passed over.
    let imm = as_linux(&[target, raw(0x95, 0, 0, 0, 1)]).expect_err("immediate of exit");
    assert_eq!((imm.at, imm.is_refused_by_linux()), (InsnIdx(1), true));
    let map = as_linux(&[target, raw(0x18, 1, 1, 0, 2), high, EXIT]).expect_err("high half of a map");
    assert_eq!(map.kind, DecodeErrorKind::ImmSource { source_reg: 1, second: 1 });
    let half = as_linux(&[function, raw(0x95, 0, 0, 1, 1), EXIT]).expect_err("no second half");
    assert_eq!(half.kind, DecodeErrorKind::SecondHalf { field: Field::Code, value: 0x95 });
    assert!(as_linux(&[raw(0x18, 1, 4, 0, 2)]).is_err(), "half of a pair");
}

#[test]
fn registers_are_looked_at_first_and_the_destination_before_the_source() {
    refuses(&[raw(0xff, 11, 12, 0, 0)], 0, DecodeErrorKind::Register { field: Field::Dst, number: 11 });
    refuses(&[raw(0xff, 10, 12, 0, 0)], 0, DecodeErrorKind::Register { field: Field::Src, number: 12 });
    // A field that is otherwise reserved or unused is no exception.
    refuses(&[raw(0xb7, 1, 15, 0, 0)], 0, DecodeErrorKind::Register { field: Field::Src, number: 15 });
    refuses(&[raw(0xff, 10, 10, 0, 0)], 0, DecodeErrorKind::Opcode { code: 0xff });
    refuses(&[raw(0x18, 11, 0, 0, 0), EXIT], 0, DecodeErrorKind::Register { field: Field::Dst, number: 11 });
}

#[test]
fn r11_is_only_the_base_of_stack_arguments() {
    let bad_dst = DecodeErrorKind::Register { field: Field::Dst, number: 11 };
    let bad_src = DecodeErrorKind::Register { field: Field::Src, number: 11 };
    for good in [raw(0x79, 1, 11, 8, 0), raw(0x7b, 11, 1, -8, 0), raw(0x7a, 11, 0, -16, 7)] {
        assert!(decode(&[good]).is_ok(), "{good:?}");
    }
    // Wrong sign, not aligned, narrow, sign-extending, atomic.
    for bad in [
        raw(0x79, 1, 11, -8, 0),
        raw(0x79, 1, 11, 0, 0),
        raw(0x79, 1, 11, 4, 0),
        raw(0x61, 1, 11, 8, 0),
        raw(0x81, 1, 11, 8, 0),
        raw(0xbf, 1, 11, 0, 0),
        raw(0x7b, 1, 11, -8, 0),
    ] {
        refuses(&[bad], 0, bad_src);
    }
    for bad in [
        raw(0x7b, 11, 1, 8, 0),
        raw(0x7a, 11, 0, 0, 0),
        raw(0x63, 11, 1, -8, 0),
        raw(0xdb, 11, 1, -8, 0),
        raw(0x79, 11, 11, 8, 0),
        raw(0xb7, 11, 0, 0, 0),
    ] {
        refuses(&[bad], 0, bad_dst);
    }
}

#[test]
fn a_64_bit_immediate_needs_a_clean_second_half() {
    let first = raw(0x18, 1, 0, 0, 0);
    // In the last slot it is found before anything else.
    refuses(&[raw(0xff, 0, 0, 0, 0), first], 1, DecodeErrorKind::Unpaired);
    refuses(&[first, EXIT], 0, DecodeErrorKind::SecondHalf { field: Field::Code, value: 0x95 });
    let halves = [
        (raw(0, 1, 0, 0, 0), Field::Dst, 1),
        (raw(0, 0, 12, 0, 0), Field::Src, 12),
        (raw(0, 0, 0, -1, 0), Field::Off, -1),
    ];
    for (second, field, value) in halves {
        refuses(&[first, second, EXIT], 0, DecodeErrorKind::SecondHalf { field, value });
    }
    refuses(&[raw(0x18, 1, 0, 2, 0), raw(0, 0, 0, 0, 0), EXIT], 0, reserved(Form::LoadImm64, Field::Off, 2));
    // A second half without a first is an opcode that does not exist.
    refuses(&[raw(0, 0, 0, 0, 0), EXIT], 0, DecodeErrorKind::Opcode { code: 0 });
}

#[test]
fn sources_of_a_64_bit_immediate_are_known_and_maps_take_no_second_immediate() {
    let second = |imm| raw(0, 0, 0, 0, imm);
    for source_reg in 0..=6 {
        assert!(decode(&[raw(0x18, 1, source_reg, 0, 1), second(0)]).is_ok(), "{source_reg}");
    }
    for source_reg in 7..=10 {
        let kind = DecodeErrorKind::ImmSource { source_reg, second: 0 };
        refuses(&[raw(0x18, 1, source_reg, 0, 1), second(0), EXIT], 0, kind);
    }
    for source_reg in [1, 5] {
        let kind = DecodeErrorKind::ImmSource { source_reg, second: 4 };
        refuses(&[raw(0x18, 1, source_reg, 0, 1), second(4), EXIT], 0, kind);
    }
}

#[test]
fn atomics_have_an_operation_and_two_sizes() {
    refuses(&[raw(0xdb, 1, 2, 0, 0x10)], 0, DecodeErrorKind::AtomicOp { imm: 0x10 });
    refuses(&[raw(0xdb, 1, 2, 0, 0xe0)], 0, DecodeErrorKind::AtomicOp { imm: 0xe0 });
    // The operation is looked at before the size.
    refuses(&[raw(0xd3, 1, 2, 0, 0x10)], 0, DecodeErrorKind::AtomicOp { imm: 0x10 });
    refuses(&[raw(0xd3, 1, 2, 0, 0)], 0, DecodeErrorKind::AtomicSize { size: Size::B1 });
    refuses(&[raw(0xcb, 1, 2, 0, 0xe1)], 0, DecodeErrorKind::AtomicSize { size: Size::B2 });
    // Acquire and release come in all sizes.
    for code in [0xc3, 0xcb, 0xd3, 0xdb] {
        for imm in [0x100, 0x110] {
            assert!(decode(&[raw(code, 1, 2, 0, imm)]).is_ok());
        }
    }
}

#[test]
fn casts_are_between_address_spaces_0_and_1() {
    for imm in [0, 2, 0x1_0001, 0x2_0000, -1] {
        refuses(&[raw(0xbf, 1, 2, 1, imm)], 0, DecodeErrorKind::AddressSpaces { imm });
    }
}

#[test]
fn bytes_are_whole_slots() {
    for bytes in [1, 7, 9, 15] {
        let error = Program::decode(&vec![0x95; bytes]).expect_err("not whole");
        assert_eq!(error.kind, DecodeErrorKind::Length { bytes: bytes as u64 });
    }
    assert_eq!(Program::decode(&[]), Ok(Program::default()));
    assert_eq!(decode_at(&EXIT.to_bytes(), InsnIdx(1)), Ok(None));
}

#[test]
fn what_linux_checks_on_paths_decodes() {
    // Shift by 64, division by zero, a write to the frame pointer, an offset without sense.
    for slot in [
        raw(0x67, 1, 0, 0, 64),
        raw(0x37, 1, 0, 0, 0),
        raw(0x94, 1, 0, 1, 0),
        raw(0xb7, 10, 0, 0, 0),
        raw(0x05, 0, 0, -100, 0),
    ] {
        assert!(decode(&[slot]).is_ok(), "{slot:?}");
    }
}

#[test]
fn errors_read_as_plain_sentences() {
    let texts = [
        (raw(0xff, 0, 0, 0, 0), "instruction 0: opcode 0xff does not exist"),
        (raw(0x95, 0, 0, 1, 0), "instruction 0: exit has off 1, which is reserved"),
        (raw(0xb7, 12, 0, 0, 0), "instruction 0: dst register 12 does not exist here"),
        (raw(0xbf, 1, 2, 1, 0x2_0001), "instruction 0: address-space cast from 1 to 2, not between 0 and 1"),
    ];
    for (slot, text) in texts {
        assert_eq!(decode(&[slot]).expect_err("must not decode").to_string(), text);
    }
}
