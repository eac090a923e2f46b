//! A table: by code, a program that is refused with it, and the same program repaired.

use bpfvet_platform::{Privilege, ProgramType};

use super::Example;

/// A privileged program of this type.
const fn of(code: &'static str, program_type: ProgramType, failing: &'static str, repaired: &'static str) -> Example {
    Example { code, program_type, privilege: Privilege::FULL, failing, repaired }
}

/// A privileged XDP program.
const fn xdp(code: &'static str, failing: &'static str, repaired: &'static str) -> Example {
    of(code, ProgramType::XDP, failing, repaired)
}

/// A socket filter loaded without any capability.
const fn unprivileged(code: &'static str, failing: &'static str, repaired: &'static str) -> Example {
    Example { code, program_type: ProgramType::SOCKET_FILTER, privilege: Privilege::NONE, failing, repaired }
}

/// All examples.
#[rustfmt::skip]
pub(super) const ALL: &[Example] = &[
    xdp(
        "structure::falls-through",
        "r0 = 2",
        "r0 = 2
         exit",
    ),
    xdp(
        "structure::jump-out-of-range",
        "r0 = 2
         if r0 == 2 goto +5
         exit",
        "r0 = 2
         if r0 == 2 goto +0
         exit",
    ),
    xdp(
        "structure::unreachable",
        "r0 = 2
         exit
         r0 = 1
         exit",
        "r0 = 2
         exit",
    ),
    xdp(
        "structure::infinite-loop",
        "call 7
         again: if r0 == 1 goto out
         goto again
         out: r0 = 2
         exit",
        "r0 = 0
         again: r0 += 1
         if r0 < 10 goto again
         r0 = 2
         exit",
    ),
    unprivileged(
        "structure::back-edge",
        "r0 = 0
         again: r0 += 1
         if r0 < 4 goto again
         exit",
        "r0 = 0
         r0 += 1
         r0 += 1
         r0 += 1
         r0 += 1
         exit",
    ),
    xdp(
        "structure::recursive-call",
        "call f
         r0 = 2
         exit
         f: call f
         r0 = 0
         exit",
        "call f
         r0 = 2
         exit
         f: r0 = 0
         exit",
    ),
    xdp(
        "register::unreadable",
        "r0 = r3
         exit",
        "r3 = 2
         r0 = r3
         exit",
    ),
    xdp(
        "register::frame-pointer-written",
        "r10 += -8
         r0 = 2
         exit",
        "r2 = r10
         r2 += -8
         r0 = 2
         exit",
    ),
    unprivileged(
        "register::pointer-arithmetic",
        "r1 = -r1
         r0 = 0
         exit",
        "r1 = 1
         r1 = -r1
         r0 = 0
         exit",
    ),
    xdp(
        "register::pointer-arithmetic-32",
        "w1 += 4
         r0 = 2
         exit",
        "r1 += 4
         r0 = 2
         exit",
    ),
    xdp(
        "register::pointer-arithmetic-on-nullable",
        "r1 = 0
         *(u32 *)(r10 - 4) = r1
         r2 = r10
         r2 += -4
         r1 = map[fd:0]
         call 1
         r0 += 4
         if r0 == 0 goto out
         r0 = *(u8 *)(r0 + 0)
         out: r0 = 2
         exit",
        "r1 = 0
         *(u32 *)(r10 - 4) = r1
         r2 = r10
         r2 += -4
         r1 = map[fd:0]
         call 1
         if r0 == 0 goto out
         r0 += 4
         r0 = *(u8 *)(r0 + 0)
         out: r0 = 2
         exit",
    ),
    xdp(
        "register::pointer-arithmetic-on-kind",
        "r2 = *(u32 *)(r1 + 4)
         r2 += 8
         r0 = 2
         exit",
        "r2 = *(u32 *)(r1 + 0)
         r2 += 8
         r0 = 2
         exit",
    ),
    xdp(
        "register::pointer-pointer",
        "r2 = r10
         r2 += r1
         r0 = 2
         exit",
        "r2 = r10
         r2 += -8
         r0 = 2
         exit",
    ),
    xdp(
        "register::pointer-operator",
        "r2 = r10
         r2 &= -8
         r0 = 2
         exit",
        "r2 = r10
         r2 += -8
         r0 = 2
         exit",
    ),
    xdp(
        "register::pointer-from-scalar",
        "r2 = 8
         r2 -= r10
         r0 = 2
         exit",
        "r2 = r10
         r2 += -8
         r0 = 2
         exit",
    ),
    xdp(
        "register::stack-pointer-subtraction",
        "r2 = r10
         r2 -= 8
         r0 = 2
         exit",
        "r2 = r10
         r2 += -8
         r0 = 2
         exit",
    ),
    xdp(
        "register::offset-unbounded",
        "call 5
         r2 = r10
         r2 += r0
         r0 = 2
         exit",
        "call 5
         r0 &= 7
         r2 = r10
         r2 += r0
         r0 = 2
         exit",
    ),
    xdp(
        "register::offset-constant-too-large",
        "r2 = r10
         r2 += 0x40000000
         r0 = 2
         exit",
        "r2 = r10
         r2 += -64
         r0 = 2
         exit",
    ),
    xdp(
        "register::division-by-zero",
        "r0 = 2
         r0 /= 0
         exit",
        "r0 = 2
         r0 /= 2
         exit",
    ),
    xdp(
        "register::invalid-shift",
        "r0 = 2
         r0 <<= 64
         exit",
        "r0 = 2
         r0 <<= 63
         r0 = 2
         exit",
    ),
    unprivileged(
        "register::sign-extends-pointer",
        "r2 = (s32)r1
         r0 = 0
         exit",
        "r2 = 1
         r2 = (s32)r2
         r0 = 0
         exit",
    ),
    unprivileged(
        "register::partial-pointer-copy",
        "w2 = w1
         r0 = 0
         exit",
        "r2 = r1
         r0 = 0
         exit",
    ),
    unprivileged(
        "register::pointer-comparison",
        "r0 = 0
         if r1 > 100 goto +0
         if r1 > 100 goto out
         r0 = 1
         out: exit",
        "r0 = 0
         r2 = *(u32 *)(r1 + 0)
         if r2 > 100 goto out
         r0 = 1
         out: exit",
    ),
    xdp(
        "memory::out-of-bounds",
        "r2 = *(u32 *)(r1 + 0)
         r0 = *(u8 *)(r2 + 13)
         r0 = 2
         exit",
        "r2 = *(u32 *)(r1 + 0)
         r3 = *(u32 *)(r1 + 4)
         r4 = r2
         r4 += 14
         if r4 > r3 goto out
         r0 = *(u8 *)(r2 + 13)
         out: r0 = 2
         exit",
    ),
    xdp(
        "memory::packet-end",
        "r2 = *(u32 *)(r1 + 0)
         r3 = *(u32 *)(r1 + 4)
         if r2 < r3 goto out
         r0 = *(u8 *)(r2 + 0)
         out: r0 = 2
         exit",
        "r2 = *(u32 *)(r1 + 0)
         r3 = *(u32 *)(r1 + 4)
         r4 = r2
         r4 += 1
         if r4 > r3 goto out
         r0 = *(u8 *)(r2 + 0)
         out: r0 = 2
         exit",
    ),
    xdp(
        "memory::invalid-pointer",
        "r1 = 0
         *(u32 *)(r10 - 4) = r1
         r2 = r10
         r2 += -4
         r1 = map[fd:0]
         call 1
         r0 = *(u64 *)(r0 + 0)
         r0 = 2
         exit",
        "r1 = 0
         *(u32 *)(r10 - 4) = r1
         r2 = r10
         r2 += -4
         r1 = map[fd:0]
         call 1
         if r0 == 0 goto out
         r0 = *(u64 *)(r0 + 0)
         out: r0 = 2
         exit",
    ),
    xdp(
        "memory::modified-pointer",
        "r1 += 8
         r2 = *(u32 *)(r1 + 4)
         r0 = 2
         exit",
        "r2 = *(u32 *)(r1 + 12)
         r0 = 2
         exit",
    ),
    xdp(
        "memory::variable-offset",
        "r6 = r1
         call 7
         r0 &= 4
         r6 += r0
         r2 = *(u32 *)(r6 + 0)
         r0 = 2
         exit",
        "r6 = r1
         call 7
         r0 &= 4
         r2 = *(u32 *)(r6 + 12)
         r0 = 2
         exit",
    ),
    xdp(
        "memory::misaligned",
        "r1 = 0
         *(u32 *)(r10 - 6) = r1
         r0 = 2
         exit",
        "r1 = 0
         *(u32 *)(r10 - 8) = r1
         r0 = 2
         exit",
    ),
    xdp(
        "memory::context",
        "r2 = *(u32 *)(r1 + 200)
         r0 = 2
         exit",
        "r2 = *(u32 *)(r1 + 12)
         r0 = 2
         exit",
    ),
    xdp(
        "memory::map-flags",
        "r1 = 0
         *(u32 *)(r10 - 4) = r1
         r2 = r10
         r2 += -4
         r1 = map[fd:4]
         call 1
         if r0 == 0 goto out
         r1 = 1
         *(u64 *)(r0 + 0) = r1
         out: r0 = 2
         exit",
        "r1 = 0
         *(u32 *)(r10 - 4) = r1
         r2 = r10
         r2 += -4
         r1 = map[fd:1]
         call 1
         if r0 == 0 goto out
         r1 = 1
         *(u64 *)(r0 + 0) = r1
         out: r0 = 2
         exit",
    ),
    of(
        "memory::packet-read-only",
        ProgramType::CGROUP_SKB,
        "r2 = *(u32 *)(r1 + 76)
         r3 = *(u32 *)(r1 + 80)
         r4 = r2
         r4 += 1
         if r4 > r3 goto out
         *(u8 *)(r2 + 0) = 0
         out: r0 = 1
         exit",
        "r2 = *(u32 *)(r1 + 76)
         r3 = *(u32 *)(r1 + 80)
         r4 = r2
         r4 += 1
         if r4 > r3 goto out
         r5 = *(u8 *)(r2 + 0)
         out: r0 = 1
         exit",
    ),
    xdp(
        "memory::stack-out-of-bounds",
        "r1 = 0
         *(u64 *)(r10 - 520) = r1
         r0 = 2
         exit",
        "r1 = 0
         *(u64 *)(r10 - 512) = r1
         r0 = 2
         exit",
    ),
    unprivileged(
        "memory::stack-uninit",
        "*(u8 *)(r10 - 8) = 0
         r0 = *(u64 *)(r10 - 8)
         r0 = 0
         exit",
        "*(u64 *)(r10 - 8) = 0
         r0 = *(u64 *)(r10 - 8)
         r0 = 0
         exit",
    ),
    xdp(
        "memory::partial-pointer-spill",
        "*(u32 *)(r10 - 8) = r1
         r0 = 2
         exit",
        "*(u64 *)(r10 - 8) = r1
         r0 = 2
         exit",
    ),
    xdp(
        "memory::partial-pointer-fill",
        "*(u64 *)(r10 - 8) = r1
         r2 = *(u32 *)(r10 - 8)
         r0 = 2
         exit",
        "*(u64 *)(r10 - 8) = r1
         r2 = *(u64 *)(r10 - 8)
         r0 = 2
         exit",
    ),
    xdp(
        "memory::atomic-on-kind",
        "r2 = 1
         lock *(u32 *)(r1 + 0) += r2
         r0 = 2
         exit",
        "r2 = 1
         *(u64 *)(r10 - 8) = r2
         lock *(u64 *)(r10 - 8) += r2
         r0 = 2
         exit",
    ),
    unprivileged(
        "memory::spilled-pointer-corrupted",
        "*(u64 *)(r10 - 8) = r1
         *(u8 *)(r10 - 7) = 0
         r0 = *(u64 *)(r10 - 8)
         r0 = 0
         exit",
        "*(u64 *)(r10 - 8) = r1
         *(u8 *)(r10 - 16) = 0
         r0 = *(u64 *)(r10 - 8)
         r0 = 0
         exit",
    ),
    xdp(
        "resource::leak",
        "r1 = map[fd:2]
         r2 = 8
         r3 = 0
         call 131
         r0 = 2
         exit",
        "r1 = map[fd:2]
         r2 = 8
         r3 = 0
         call 131
         if r0 == 0 goto out
         r1 = r0
         r2 = 0
         call 132
         out: r0 = 2
         exit",
    ),
    xdp(
        "call::argument-kind",
        "r2 = 4
         r1 = map[fd:0]
         call 1
         r0 = 2
         exit",
        "r1 = 0
         *(u32 *)(r10 - 4) = r1
         r2 = r10
         r2 += -4
         r1 = map[fd:0]
         call 1
         r0 = 2
         exit",
    ),
    of(
        "call::size-zero",
        ProgramType::KPROBE,
        "r1 = r10
         r1 += -8
         r2 = 0
         call 16
         r0 = 0
         exit",
        "r1 = r10
         r1 += -16
         r2 = 16
         call 16
         r0 = 0
         exit",
    ),
    of(
        "call::size-negative",
        ProgramType::KPROBE,
        "r1 = r10
         r1 += -16
         r2 = -1
         call 16
         r0 = 0
         exit",
        "r1 = r10
         r1 += -16
         r2 = 16
         call 16
         r0 = 0
         exit",
    ),
    xdp(
        "call::map-helper",
        "r6 = r1
         r1 = 0
         *(u32 *)(r10 - 4) = r1
         r2 = r10
         r2 += -4
         r1 = map[fd:3]
         call 1
         r0 = 2
         exit",
        "r6 = r1
         r1 = 0
         *(u32 *)(r10 - 4) = r1
         r2 = r10
         r2 += -4
         r1 = map[fd:1]
         call 1
         r0 = 2
         exit",
    ),
    xdp(
        "call::not-constant",
        "call 7
         r2 = r0
         r2 &= 8
         r1 = map[fd:2]
         r3 = 0
         call 131
         r0 = 2
         exit",
        "r2 = 8
         r1 = map[fd:2]
         r3 = 0
         call 131
         if r0 == 0 goto out
         r1 = r0
         r2 = 0
         call 132
         out: r0 = 2
         exit",
    ),
    xdp(
        "policy::unknown-helper",
        "call 9999
         exit",
        "call 7
         r0 = 2
         exit",
    ),
    of(
        "policy::helper-not-allowed",
        ProgramType::KPROBE,
        "r1 = 1
         r2 = 0
         call 23
         r0 = 0
         exit",
        "call 5
         r0 = 0
         exit",
    ),
    unprivileged(
        "policy::pointer-leak",
        "r0 = r1
         exit",
        "r0 = 0
         exit",
    ),
    xdp(
        "policy::packet-load",
        "r6 = r1
         r0 = *(u8 *)skb[0]
         r0 = 2
         exit",
        "r2 = *(u32 *)(r1 + 0)
         r3 = *(u32 *)(r1 + 4)
         r4 = r2
         r4 += 1
         if r4 > r3 goto out
         r0 = *(u8 *)(r2 + 0)
         out: r0 = 2
         exit",
    ),
    of(
        "policy::packet-load-context",
        ProgramType::SOCKET_FILTER,
        "r6 = 0
         r0 = *(u8 *)skb[0]
         exit",
        "r6 = r1
         r0 = *(u8 *)skb[0]
         exit",
    ),
    of(
        "policy::return-value",
        ProgramType::CGROUP_SOCK,
        "r0 = 5
         exit",
        "r0 = 1
         exit",
    ),
    xdp(
        "policy::returns-stack-pointer",
        "call f
         r0 = 2
         exit
         f: r0 = r10
         exit",
        "call f
         r0 = 2
         exit
         f: r0 = 0
         exit",
    ),
    xdp(
        "limit::combined-stack",
        "r1 = 0
         *(u64 *)(r10 - 400) = r1
         call f
         r0 = 2
         exit
         f: r1 = 0
         *(u64 *)(r10 - 400) = r1
         r0 = 0
         exit",
        "r1 = 0
         *(u64 *)(r10 - 200) = r1
         call f
         r0 = 2
         exit
         f: r1 = 0
         *(u64 *)(r10 - 200) = r1
         r0 = 0
         exit",
    ),
];
