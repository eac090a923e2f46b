//! The kernel's messages, letter by letter.

use crate::host::{Host, request};
use bpfvet_domain::Tnum;
use bpfvet_explore::{Limit, RejectionCause};
use bpfvet_insn::{AluOp, InsnIdx, Program, Reg};
use bpfvet_platform::Version;
use bpfvet_report::{Names, decode_message, kernel_message};
use bpfvet_vm::violation::{
    Access, AccessKind, Bounds, CallCause, LeakSite, LeakTo, MemoryCause, Place, PolicyCause, PrototypeReason,
    RegisterCause, ResourceCause, ReturnSite,
};
use bpfvet_vm::{Base, Cause, Flags, TypeTag, Violation};
use expect_test::{Expect, expect};

#[track_caller]
fn check(cause: impl Into<Cause>, expect: Expect) {
    check_at(Names::NEWEST, cause, expect);
}

#[track_caller]
fn check_at(version: Version, cause: impl Into<Cause>, expect: Expect) {
    let (host, request) = (Host::default(), request(vec![]));
    let names = Names::new(&request, &host).with_version(version);
    let violation = Violation { at: InsnIdx(9), frame: 0, cause: Box::new(cause.into()) };
    expect.assert_eq(&kernel_message(&RejectionCause::Violation(violation), &names));
}

fn access(base: Base, off: i64, size: i64) -> Access {
    Access { place: Place::Reg(Reg::R1), tag: TypeTag::of(base), off, size, kind: AccessKind::Read }
}

#[test]
fn regions() {
    let outside = |base, bounds| MemoryCause::OutOfBounds { access: access(base, 0, 4), bounds, limit: 8, id: 2 };
    check(
        outside(Base::Packet, Bounds::Min { start: 14 }),
        expect![[r#"
            invalid access to packet, off=14 size=4, R1(id=2,off=14,r=8)
            R1 min value is outside of the allowed memory range"#]],
    );
    check(
        outside(Base::MapValue, Bounds::Max { start: 255 }),
        expect![[r#"
            invalid access to map value, value_size=8 off=255 size=4
            R1 max value is outside of the allowed memory range"#]],
    );
    check(
        outside(Base::MapValue, Bounds::Unbounded { umax: u64::MAX }),
        expect!["R1 unbounded memory access, make sure to bounds check any such access"],
    );
    check(
        outside(Base::Mem, Bounds::Negative { start: -1 }),
        expect!["R1 min value is negative, either use unsigned index or do a if (index >=0) check."],
    );
    let tag = TypeTag::with(Base::MapValue, Flags::NULLABLE);
    check(
        MemoryCause::InvalidPointer { access: Access { tag, ..access(Base::Scalar, 0, 8) } },
        expect!["R1 invalid mem access 'map_value_or_null'"],
    );
    check(
        MemoryCause::Misaligned { base: Base::Packet, offset: Tnum { value: 1, mask: 0 }, off: 12, size: 4 },
        expect!["misaligned packet access off 2+1+12 size 4"],
    );
    check(
        MemoryCause::Misaligned { base: Base::Stack, offset: Tnum { value: 0, mask: 6 }, off: -8, size: 8 },
        expect!["misaligned stack access off (0x0; 0x6)+-8 size 8"],
    );
}

#[test]
fn stack() {
    let stack = |kind| Access { kind, ..access(Base::Stack, -520, 8) };
    let offset = Tnum { value: 0, mask: 0xff };
    check(
        MemoryCause::StackOutOfBounds { access: stack(AccessKind::Write), start: Some(-520), offset },
        expect!["invalid write to stack R1 off=-520 size=8"],
    );
    check(
        MemoryCause::StackOutOfBounds { access: stack(AccessKind::Read), start: None, offset },
        expect!["invalid variable-offset read from stack R1 var_off=(0x0; 0xff) off=-520 size=8"],
    );
    let uninit =
        MemoryCause::StackUninit { place: Some(Place::Reg(Reg::R2)), off: -8, byte: 4, size: 8, variable: None };
    check(uninit.clone(), expect!["invalid read from stack R2 off -8+4 size 8"]);
    check_at(Version::new(6, 12), uninit, expect!["invalid indirect read from stack R2 off -8+4 size 8"]);
    check(
        MemoryCause::VariableWriteOverSpill { off: -16 },
        expect!["spilled ptr in range of var-offset stack write; insn 9, ptr off: -16"],
    );
}

#[test]
fn registers() {
    check(RegisterCause::Unreadable { reg: Reg::R2 }, expect!["R2 !read_ok"]);
    check(
        RegisterCause::PointerOperator { reg: Reg::R2, op: AluOp::Arsh, bitwise: false },
        expect!["R2 pointer arithmetic with s>>= operator prohibited"],
    );
    check(RegisterCause::PointerPointer { reg: Reg::R2, op: AluOp::Smod }, expect!["R2 pointer %= pointer prohibited"]);
    let inner = MemoryCause::OutOfBounds {
        access: access(Base::MapValue, 0, 1),
        bounds: Bounds::Min { start: 8 },
        limit: 8,
        id: 0,
    };
    check(
        RegisterCause::MapValuePointerOutOfRange { reg: Reg::R1, inner: Box::new(inner.into()) },
        expect![[r#"
            invalid access to map value, value_size=8 off=8 size=1
            R1 min value is outside of the allowed memory range
            R1 pointer arithmetic of map value goes out of range, prohibited for !root"#]],
    );
}

#[test]
fn calls_and_policies() {
    check(
        CallCause::ArgumentKind {
            place: Place::Reg(Reg::R1),
            actual: TypeTag::of(Base::Scalar),
            expected: vec![TypeTag::of(Base::Stack), TypeTag::of(Base::Packet)],
        },
        expect!["R1 type=scalar expected=fp, pkt"],
    );
    check(
        CallCause::GlobalArguments {
            subprog: 2,
            name: "parse".into(),
            inner: Box::new(CallCause::NotCtx { place: Place::StackArg(1) }.into()),
        },
        expect![[r#"
            *(R11-16) expects pointer to ctx
            Caller passes invalid args into func#2 ('parse')"#]],
    );
    let prototype = CallCause::Prototype { name: "f".into(), reason: PrototypeReason::Return };
    check(prototype.clone(), expect!["Global function f() return value not void or scalar. Only those are supported."]);
    check_at(
        Version::new(6, 1),
        prototype,
        expect!["Global function f() doesn't return scalar. Only those are supported."],
    );
    check(
        ResourceCause::Leak { site: LeakSite::Exit, live: vec![(2, InsnIdx(4)), (3, InsnIdx(8))] },
        expect![[r#"
            Unreleased reference id=2 alloc_insn=4
            Unreleased reference id=3 alloc_insn=8
            BPF_EXIT instruction in main prog would lead to reference leak"#]],
    );
    check(
        PolicyCause::ReturnValue {
            site: ReturnSite::Program,
            reg: Reg::R0,
            smin: Some(0),
            smax: Some(9),
            min: 0,
            max: 1,
        },
        expect!["At program exit the register R0 has smin=0 smax=9 should have been in [0, 1]"],
    );
    check(PolicyCause::PointerLeak { reg: Reg::R0, to: LeakTo::Return }, expect!["R0 leaks addr as return value"]);
}

#[test]
fn limits_and_bytes() {
    let (host, request) = (Host::default(), request(vec![]));
    let names = Names::new(&request, &host);
    let limit = RejectionCause::Limit(Limit::ProcessedInsns { processed: 1_000_001 });
    expect!["BPF program is too large. Processed 1000001 insn"].assert_eq(&kernel_message(&limit, &names));
    let bytes = |hex: [u8; 8]| decode_message(&Program::decode(&hex).unwrap_err());
    expect!["unknown opcode ff"].assert_eq(&bytes([0xff, 0, 0, 0, 0, 0, 0, 0]));
    expect!["R11 is invalid"].assert_eq(&bytes([0xb7, 0x0b, 0, 0, 0, 0, 0, 0]));
    expect!["BPF_EXIT uses reserved fields"].assert_eq(&bytes([0x95, 0, 0, 0, 1, 0, 0, 0]));
}
