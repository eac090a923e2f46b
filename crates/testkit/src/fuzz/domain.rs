//! Operations and comparisons in any order keep every member: the laws of a domain along a path of numbers.

use bpfvet_domain::{AluOp, CmpOp, Domain, Intervals, Offset, Scalar, Width, laws};

/// A set and one of its members.
type Known<D> = (D, u64);

/// Takes `data` for steps of eleven bytes: what to do, with which of two numbers, and a word.
///
/// # Panics
///
/// Where a law is broken, by any of the domains.
pub fn run(data: &[u8]) {
    walk::<Scalar>(data);
    walk::<Intervals>(data);
    walk::<Offset>(data);
}

fn walk<D: Domain>(data: &[u8]) {
    let mut numbers: [Known<D>; 2] = [(D::unknown(), 0), (D::constant(1), 1)];
    for step in data.chunks_exact(11) {
        let [what, which, how, word @ ..] = step else { return };
        let word = word.iter().rev().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
        let (at, other) = if which & 1 == 0 { (0, 1) } else { (1, 0) };
        let width = if which & 2 == 0 { Width::W32 } else { Width::W64 };
        let (a, b) = (numbers[at], numbers[other]);
        match what % 6 {
            0 => numbers[at] = (D::constant(word), word),
            1 => numbers[at] = (D::unknown(), word),
            2 => numbers[at] = (a.0.join(&D::constant(word)), a.1),
            3 => check(laws::lattice(a.0, a.1, b.0, b.1).and_then(|()| laws::views(a.0, a.1))),
            4 => numbers[at] = computed(AluOp::ALL[usize::from(*how) % AluOp::ALL.len()], width, a, b),
            _ => {
                let op = CmpOp::ALL[usize::from(*how) % CmpOp::ALL.len()];
                check(laws::branch(op, width, a.0, a.1, b.0, b.1));
                let outcome = op.holds(width, a.1, b.1);
                let (first, second) = D::refine(op, width, outcome, a.0, b.0).expect("it came out so");
                numbers[at] = (first, a.1);
                numbers[other] = (second, b.1);
            }
        }
    }
}

fn computed<D: Domain>(op: AluOp, width: Width, a: Known<D>, b: Known<D>) -> Known<D> {
    check(laws::alu(op, width, a.0, a.1, b.0, b.1));
    check(laws::bytes(a.0, a.1));
    check(laws::registers(width, a.0, a.1, b.0, b.1));
    (D::alu(op, width, a.0, b.0), op.apply(width, a.1, b.1))
}

fn check<D: Domain>(verdict: laws::Verdict<D>) {
    if let Err(broken) = verdict {
        panic!("{broken}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn smoke(bytes in proptest::collection::vec(any::<u8>(), 0..11 * 40)) {
            super::run(&bytes);
        }
    }
}
