//! The machine against tables of what instructions and helpers do.

use bpfvet::platform::{LoadRequest, MapDef, MapKind, ProgramType};
use bpfvet_asm::{Resolver, assemble};
use bpfvet_insn::{Call, ImmSource, InsnIdx, Reg};

use super::{Choices, End, Fault, FaultCause, Machine, RegionId, RegionKind, Word};

/// The second word of the array's value, and the ring buffer.
struct Maps;

impl Resolver for Maps {
    fn call(&self, _: &str) -> Option<Call> {
        None
    }

    fn imm64(&self, name: &str) -> Option<ImmSource> {
        match name {
            "value" => Some(ImmSource::MapValue { fd: 0, off: 8 }),
            "ring" => Some(ImmSource::MapFd(1)),
            _ => None,
        }
    }

    fn constant(&self, _: &str) -> Option<i64> {
        None
    }
}

fn end(text: &str) -> End {
    let program = assemble(text, &Maps).expect("a program").program;
    let mut request = LoadRequest::new("machine", ProgramType::SOCKET_FILTER, program);
    request.maps =
        vec![MapDef::new("array", MapKind::ARRAY, 4, 16, 2), MapDef::new("ring", MapKind::RINGBUF, 0, 0, 4096)];
    let ran = Machine::new(&request, Choices::seeded(2)).run(1000, |_| None::<()>);
    ran.expect("nobody watches").0
}

#[test]
fn programs_compute() {
    let table = [
        ("r0 = 7; r0 /= 0; exit", 0),
        ("r0 = 7; r1 = 0; r0 %= r1; exit", 7),
        ("w0 = -8; w0 s/= 3; exit", 0xffff_fffe),
        ("r0 = -8; r0 s%= 3; exit", u64::MAX - 1),
        ("r0 = 1; r0 <<= 63; r0 s>>= 63; exit", u64::MAX),
        ("w0 = -1; w0 >>= 4; exit", 0x0fff_ffff),
        ("r1 = 0x80; r0 = (s8)r1; exit", 0xffff_ffff_ffff_ff80),
        ("r0 = 0x1234; r0 = be16 r0; exit", 0x3412),
        ("r0 = -1; if w0 s< 0 goto l; r0 = 5; l: exit", u64::MAX),
        ("*(u64 *)(r10 - 8) = -2; r0 = *(s8 *)(r10 - 8); exit", u64::MAX - 1),
        ("*(u64 *)(r10 - 8) = 3; r0 = 4; lock *(u64 *)(r10 - 8) += r0; r0 = *(u64 *)(r10 - 8); exit", 7),
        ("r1 = 5; call l; exit; l: r0 = r1; r0 += 1; exit", 6),
        ("r6 = 9; call l; r0 = r6; exit; l: r0 = 0; r6 = 1; exit", 9),
        ("r0 = 0; l: r0 += 1; if r0 < 9 goto l; exit", 9),
        ("r0 = r10; *(u64 *)(r10 - 8) = r0; r1 = *(u64 *)(r10 - 8); r0 -= r1; exit", 0),
    ];
    for (text, result) in table {
        assert_eq!(end(text), End::Returned(Word::Num(result)), "{text}");
    }
}

#[test]
fn faults_say_where_and_what() {
    let stack = RegionKind::Stack { frame: 0 };
    let table = [
        ("r0 = r2; exit", 0, FaultCause::Uninit(Reg::R2)),
        ("r0 = 0; call l; exit; l: r0 = r6; exit", 3, FaultCause::Uninit(Reg::R6)),
        ("r0 = *(u64 *)(r10 - 513); exit", 0, FaultCause::OutOfBounds { kind: stack, off: -513, size: 8 }),
        ("r0 = *(u64 *)(r10 - 4); exit", 0, FaultCause::OutOfBounds { kind: stack, off: -4, size: 8 }),
        ("r1 = 5; r0 = *(u8 *)(r1 + 0); exit", 1, FaultCause::NotAPointer(5)),
        ("call l; r0 = *(u8 *)(r0 - 1); exit; l: r0 = r10; exit", 1, FaultCause::Dead(RegionKind::Stack { frame: 1 })),
        ("call l; exit; l: call l; exit", 2, FaultCause::TooDeep),
        ("r1 = 0; call 133; exit", 1, FaultCause::Argument(Reg::R1)),
        ("r0 = 0", 1, FaultCause::NoInstruction),
    ];
    for (text, at, cause) in table {
        assert_eq!(end(text), End::Fault(Fault { at: InsnIdx(at), cause }), "{text}");
    }
    let map_value = "r0 = value ll; r0 = *(u64 *)(r0 + 1); exit";
    let cause = FaultCause::OutOfBounds { kind: RegionKind::MapValue(0), off: 9, size: 8 };
    assert_eq!(end(map_value), End::Fault(Fault { at: InsnIdx(2), cause }));
    assert_eq!(end("l: goto l"), End::StepLimit);
}

#[test]
fn a_record_that_is_kept_is_a_fault() {
    let text = "l: r1 = ring ll; r2 = 8; r3 = 0; call 131; if r0 == 0 goto l; r0 = 0; exit";
    let leaked = |end: End| matches!(end, End::Fault(Fault { at: InsnIdx(7), cause: FaultCause::Leaked(RegionId(_)) }));
    assert!(leaked(end(text)), "{:?}", end(text));
}
