//! What a kernel's log says of registers.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

/// A register and the kernel's words for it.
pub(super) type Printed = Vec<(u8, String)>;

/// What was printed along a program that is gone through straight on, branches that are taken ending at once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// By instruction: registers after it.
    pub(super) after: BTreeMap<usize, Printed>,
    /// By jump: registers where it is taken.
    pub(super) taken: BTreeMap<usize, Printed>,
}

/// Reads a log of level 2.
pub(super) fn seen(log: &str) -> Seen {
    static STEP: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^(\d+): \([0-9a-f]{2}\).*?;(.*)$").expect("it is a pattern"));
    static BRANCH: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^from (\d+) to \d+:(.*)$").expect("it is a pattern"));
    let mut seen = Seen::default();
    for line in log.lines() {
        let (kind, found) = match (STEP.captures(line), BRANCH.captures(line)) {
            (Some(found), _) if seen.taken.is_empty() => (&mut seen.after, found),
            (_, Some(found)) => (&mut seen.taken, found),
            (Some(_) | None, None) => continue,
        };
        if let Ok(at) = found[1].parse() {
            kind.insert(at, registers(&found[2]));
        }
    }
    seen
}

/// The scalars of a printed state, without identities and marks.
fn registers(text: &str) -> Printed {
    static REGISTER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"R(\d+)(?:_\w+)?=P?(scalar\((?:[^()]|\([^()]*\))*\)|-?\d\w*)").expect("it is a pattern")
    });
    static IDENTITY: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bid=[^,)]*,?").expect("it is a pattern"));
    REGISTER
        .captures_iter(text)
        .filter_map(|found| Some((found[1].parse().ok()?, IDENTITY.replace(&found[2], "").into_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Seen, seen};

    #[test]
    fn registers_are_read_from_steps_and_branches() {
        let log = "0: R1=ctx() R10=fp0\n\
            0: (85) call bpf_get_prandom_u32#7    ; R0_w=scalar()\n\
            1: (bf) r6 = r0                       ; R0_w=scalar(id=1) R6_w=scalar(id=1,umax=5,var_off=(0x0; 0x7))\n\
            2: (25) if r6 > 0x3 goto pc+1         ; R6_w=P-7\n\
            3: (95) exit\n\n\
            from 2 to 4: R0=scalar() R6_w=scalar(umin=4,umax=5) R7_w=0xffffffff R10=fp0\n\
            2: (25) not the first time            ; R6_w=1\n";
        let text = |register: u8, text: &str| (register, text.to_owned());
        assert_eq!(
            seen(log),
            Seen {
                after: [
                    (0, vec![text(0, "scalar()")]),
                    (1, vec![text(0, "scalar()"), text(6, "scalar(umax=5,var_off=(0x0; 0x7))")]),
                    (2, vec![text(6, "-7")]),
                ]
                .into(),
                taken: [(2, vec![text(0, "scalar()"), text(6, "scalar(umin=4,umax=5)"), text(7, "0xffffffff")])].into(),
            }
        );
    }
}
