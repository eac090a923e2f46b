//! Any program has a verdict, and how the search spends its time does not change it.

use bpfvet::explore::{Budget, Limit, Policy};
use bpfvet::linux::Linux;
use bpfvet::platform::{LoadRequest, MapDef, MapKind, Privilege, ProgramType};
use bpfvet::{RejectionCause, Verifier};
use bpfvet_insn::Program;

/// Instructions that one verification may look at: enough for what a fuzzer makes up, and soon over.
const INSNS: u64 = 4096;

/// Types with different contexts, helpers and rules.
const TYPES: [ProgramType; 4] =
    [ProgramType::SOCKET_FILTER, ProgramType::XDP, ProgramType::SCHED_CLS, ProgramType::KPROBE];

/// Takes `bytes` for a program of several types, loaded by root and by no one; the maps are an array and a hash.
///
/// # Panics
///
/// Where an invariant of the verifier does not hold, or where pruning changes a verdict.
pub fn run(bytes: &[u8]) {
    let Ok(program) = Program::decode(bytes) else { return };
    let linux = Linux::newest();
    for kind in TYPES {
        for privilege in [Privilege::FULL, Privilege::NONE] {
            let mut request = LoadRequest::new("fuzz", kind, program.clone());
            request.privilege = privilege;
            request.maps =
                vec![MapDef::new("array", MapKind::ARRAY, 4, 16, 4), MapDef::new("hash", MapKind::HASH, 8, 8, 64)];
            let verdict = verdict(&linux, &request, Policy::default());
            let walked = verdict_without_pruning(&linux, &request);
            if let (Some(pruned), Some(walked)) = (verdict, walked) {
                assert_eq!(pruned, walked, "{} {privilege:?}: pruning changes the verdict\n{program}", kind.name());
            }
        }
    }
}

fn verdict_without_pruning(linux: &Linux, request: &LoadRequest) -> Option<bool> {
    verdict(linux, request, Policy { prune: false, ..Policy::default() })
}

/// Whether it is accepted; `None` where that was not found out.
fn verdict(linux: &Linux, request: &LoadRequest, policy: Policy) -> Option<bool> {
    let budget = Budget { insns: Some(INSNS), ..Budget::default() };
    let verifier = Verifier::builder(linux).policy(policy).budget(budget).build();
    let cause = match verifier.verify(request) {
        Ok(_) => return Some(true),
        Err(rejection) => rejection.cause,
    };
    match cause {
        RejectionCause::Internal { at, what } => panic!("insn {at}: {what}\n{}", request.program),
        RejectionCause::Interrupted
        | RejectionCause::Unsupported(_)
        // A program that runs for ever is found out by comparing states.
        | RejectionCause::InfiniteLoop { .. }
        | RejectionCause::Limit(Limit::ProcessedInsns { .. } | Limit::PendingStates { .. }) => None,
        RejectionCause::Pass { .. }
        | RejectionCause::Violation(_)
        | RejectionCause::Structure(_)
        | RejectionCause::Limit(Limit::ProgramLength { .. })
        | RejectionCause::LoadRefused(_)
        | RejectionCause::MapRefused { .. }
        | RejectionCause::NoSuchMap { .. }
        | RejectionCause::NoDirectValue { .. }
        | RejectionCause::MissingInsn { .. }
        | RejectionCause::DirectValueOutOfBounds { .. } => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// An instruction as eight bytes: more often than not one that means something to a verifier.
    fn slot() -> impl Strategy<Value = [u8; 8]> {
        let reg = 0..=10_u8;
        let alu = prop::sample::select(vec![
            0x07_u8, 0x0f, 0x17, 0x1f, 0x27, 0x47, 0x57, 0x5f, 0x67, 0x77, 0xb7, 0xbf, 0xb4, 0xbc, 0x04, 0x0c, 0xc7,
        ]);
        let memory =
            prop::sample::select(vec![0x61_u8, 0x69, 0x71, 0x79, 0x62, 0x63, 0x6b, 0x72, 0x73, 0x7a, 0x7b, 0xdb]);
        let jump =
            prop::sample::select(vec![0x05_u8, 0x15, 0x1d, 0x25, 0x2d, 0x55, 0x65, 0xa5, 0xad, 0xc5, 0x16, 0xa6]);
        let small = prop_oneof![-64..=64_i32, any::<i32>()];
        prop_oneof![
            (alu, reg.clone(), reg.clone(), small).prop_map(|(code, dst, src, imm)| {
                // A register as second operand leaves no room for a number.
                let (src, imm) = if code & 8 == 0 { (0, imm) } else { (src, 0) };
                bytes(code, dst, src, 0, imm)
            }),
            (memory, reg.clone(), reg.clone(), -8..=9_i16).prop_map(|(code, dst, src, off)| {
                let store_imm = matches!(code, 0x62 | 0x72 | 0x7a);
                bytes(code, dst, if store_imm { 0 } else { src }, off.saturating_mul(4), 0)
            }),
            (jump, reg.clone(), reg, -4..=8_i16, -2..=64_i32).prop_map(|(code, dst, src, off, imm)| {
                let (src, imm) = if code & 8 == 0 { (0, imm) } else { (src, 0) };
                if code == 0x05 { bytes(code, 0, 0, off, 0) } else { bytes(code, dst, src, off, imm) }
            }),
            prop::sample::select(vec![1, 2, 3, 5, 7, 14]).prop_map(|helper| bytes(0x85, 0, 0, 0, helper)),
            Just(bytes(0x95, 0, 0, 0, 0)),
        ]
    }

    fn bytes(code: u8, dst: u8, src: u8, off: i16, imm: i32) -> [u8; 8] {
        let ([o0, o1], [i0, i1, i2, i3]) = (off.to_le_bytes(), imm.to_le_bytes());
        [code, dst | src << 4, o0, o1, i0, i1, i2, i3]
    }

    /// Programs that begin with values and end, so that what is between is looked at.
    fn program() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(slot(), 0..24).prop_map(|slots| {
            let mut program: Vec<[u8; 8]> = vec![
                bytes(0xb7, 0, 0, 0, 0),
                bytes(0xbf, 6, 1, 0, 0),
                bytes(0x61, 7, 1, 0, 0),
                bytes(0x7b, 10, 7, -8, 0),
                bytes(0xbf, 2, 10, 0, 0),
                bytes(0x07, 2, 0, 0, -8),
                // The array, as the first of two slots.
                bytes(0x18, 1, 1, 0, 0),
                bytes(0, 0, 0, 0, 0),
            ];
            program.extend(slots);
            program.push(bytes(0xb7, 0, 0, 0, 0));
            program.push(bytes(0x95, 0, 0, 0, 0));
            program.concat()
        })
    }

    proptest! {
        #[test]
        fn smoke(program in program(), bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            super::run(&program);
            super::run(&bytes);
        }
    }
}
