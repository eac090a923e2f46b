//! How long the analysis of a program takes, by its length: the time for each instruction should not grow.

use std::hint::black_box;

use bpfvet_cfg::Graph;
use bpfvet_insn::{AluOp, CmpOp, Insn, Operand, Program, Reg, Size, Width};
use bpfvet_platform::{
    Features, HelperId, HelperLookup, Limits, LoadRequest, MapKind, MapKindInfo, Platform, Privilege, ProgramType,
    ProgramTypeInfo, ReturnRule,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// A host without helpers.
#[derive(Debug)]
struct Bare;

impl Platform for Bare {
    fn name(&self) -> &str {
        "bare"
    }

    fn features(&self) -> &Features {
        const { &Features::ALL }
    }

    fn limits(&self, _privilege: Privilege) -> Limits {
        Limits {
            program_len: 1_000_000,
            processed_insns: 1_000_000,
            pending_states: 8192,
            stored_states_per_bucket: None,
            call_frames: 16,
            stack_bytes: 512,
            subprogs: 256,
            maps: 64,
            linked_scalars: 5,
            history_len: 40,
        }
    }

    fn program_type(&self, _kind: ProgramType) -> Option<&ProgramTypeInfo> {
        None
    }

    fn helper(&self, _id: HelperId, _request: &LoadRequest) -> HelperLookup<'_> {
        HelperLookup::Unknown
    }

    fn map_kind(&self, _kind: MapKind) -> Option<&MapKindInfo> {
        None
    }

    fn return_rule(&self, _request: &LoadRequest) -> ReturnRule {
        ReturnRule::Any
    }

    fn map_allows_helper(&self, _kind: MapKind, _helper: HelperId) -> bool {
        false
    }
}

/// Sixteen instructions, over and over: spills, fills, arithmetic, a pointer into the stack, a branch ahead and a loop.
fn program(len: u32) -> Program {
    let (r, fp) = (|number| Reg::new(number).unwrap_or(Reg::R0), Reg::FP);
    let alu = |op, dst, src| Insn::Alu { width: Width::W64, op, dst: r(dst), src };
    let mov = |dst, src| Insn::Mov { width: Width::W64, dst: r(dst), src };
    let branch = |dst, off| Insn::Branch { width: Width::W64, op: CmpOp::Gt, dst: r(dst), src: Operand::Imm(3), off };
    let slot = |index: u32| -8 * i16::try_from(1 + index / 16 % 60).unwrap_or(0);
    let block = |index: u32| {
        [
            mov(6, Operand::Imm(7)),
            Insn::Store { base: fp, off: slot(index), size: Size::B8, src: Operand::Reg(r(6)) },
            mov(2, Operand::Reg(fp)),
            alu(AluOp::Add, 2, Operand::Imm(i32::from(slot(index)))),
            Insn::Load { dst: r(7), base: r(2), off: 0, size: Size::B8, signed: false },
            branch(7, 3),
            alu(AluOp::And, 7, Operand::Imm(15)),
            Insn::Store { base: r(2), off: 0, size: Size::B4, src: Operand::Imm(0) },
            alu(AluOp::Xor, 8, Operand::Reg(r(7))),
            Insn::Load { dst: r(3), base: fp, off: slot(index), size: Size::B4, signed: false },
            alu(AluOp::Sub, 3, Operand::Imm(1)),
            branch(3, -2),
            Insn::Store { base: fp, off: slot(index + 16), size: Size::B8, src: Operand::Reg(r(2)) },
            Insn::Load { dst: r(4), base: fp, off: slot(index + 16), size: Size::B8, signed: false },
            Insn::Load { dst: r(9), base: r(4), off: 0, size: Size::B1, signed: false },
            alu(AluOp::Mul, 9, Operand::Reg(r(8))),
        ]
    };
    let body = (0..len.saturating_sub(1)).step_by(16).flat_map(block).take(len.saturating_sub(17) as usize / 16 * 16);
    let tail = len - len.saturating_sub(17) / 16 * 16 - 1;
    let filler = (0..tail).map(|_| mov(0, Operand::Imm(0)));
    Program::from_insns(body.chain(filler).chain([Insn::Exit]))
}

fn analyze(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("analyze");
    group.sample_size(10);
    for len in [1_000, 10_000, 100_000, 1_000_000] {
        let program = program(len);
        assert_eq!(program.len(), len);
        let request = LoadRequest::new("bench", ProgramType::SOCKET_FILTER, program);
        group.throughput(Throughput::Elements(u64::from(len)));
        group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
            bencher.iter(|| black_box(Graph::analyze(&request, &Bare)).map(|graph| graph.blocks().len()));
        });
        assert!(Graph::analyze(&request, &Bare).is_ok());
    }
    group.finish();
}

criterion_group!(benches, analyze);
criterion_main!(benches);
