//! What a comparison tells in Linux before 6.8, which is less: a constant is needed.

use bpfvet_domain::{Branch, Domain};
use bpfvet_insn::{CmpOp, Width};
use bpfvet_platform::Features;

/// Of what is told of `a op b`, the part that such a kernel knows. (`is_branch_taken`, `reg_set_min_max`, `reg_combine_min_max`, Linux 6.1)
///
/// # Soundness
///
/// Where a way is not ruled out, the operands on it are as they were, or a constant that one of them is compared with.
pub(super) fn told<D: Domain>(
    features: &Features,
    op: CmpOp,
    width: Width,
    (a, b): (&D, &D),
    told: Branch<D>,
) -> Branch<D> {
    let (left, right) = (is_constant(a, width), is_constant(b, width));
    let untold = (*a, *b);
    match told {
        Branch::Always | Branch::Never => {
            let by_ranges = features.equality_by_ranges();
            let known = match op {
                CmpOp::Eq | CmpOp::Ne => (left && right) || (by_ranges && (left || right) && apart(a, b, width)),
                CmpOp::Gt
                | CmpOp::Ge
                | CmpOp::Lt
                | CmpOp::Le
                | CmpOp::Sgt
                | CmpOp::Sge
                | CmpOp::Slt
                | CmpOp::Sle
                | CmpOp::Set => right || (by_ranges && left),
            };
            if known {
                return told;
            }
            // The way that cannot be taken is thought possible, and there the one number is the other.
            let equal = (as_other(*a, *b, width), as_other(*b, *a, width));
            let (taken, fallthrough) = match op {
                CmpOp::Eq => (equal, untold),
                CmpOp::Ne => (untold, equal),
                CmpOp::Gt
                | CmpOp::Ge
                | CmpOp::Lt
                | CmpOp::Le
                | CmpOp::Sgt
                | CmpOp::Sge
                | CmpOp::Slt
                | CmpOp::Sle
                | CmpOp::Set => (untold, untold),
            };
            Branch::Both { taken, fallthrough }
        }
        Branch::Both { taken, fallthrough } => {
            let constant = left || right;
            let (taken_known, fallthrough_known) = match op {
                // That two numbers differ teaches nothing.
                CmpOp::Eq => (constant || width == Width::W64, false),
                CmpOp::Ne => (false, constant || width == Width::W64),
                CmpOp::Set => (right, right),
                CmpOp::Gt | CmpOp::Ge | CmpOp::Lt | CmpOp::Le | CmpOp::Sgt | CmpOp::Sge | CmpOp::Slt | CmpOp::Sle => {
                    (constant, constant)
                }
            };
            Branch::Both {
                taken: if taken_known { taken } else { untold },
                fallthrough: if fallthrough_known { fallthrough } else { untold },
            }
        }
    }
}

/// A number where it is equal to another: the other, if that is constant.
fn as_other<D: Domain>(number: D, other: D, width: Width) -> D {
    match width {
        Width::W64 if other.as_const().is_some() => other,
        // The high half is as it was.
        Width::W32 if number.umax() <= u64::from(u32::MAX) => {
            other.subreg_const().map_or(number, |low| D::constant(low.into()))
        }
        Width::W64 | Width::W32 => number,
    }
}

fn is_constant<D: Domain>(number: &D, width: Width) -> bool {
    match width {
        Width::W32 => number.subreg_const().is_some(),
        Width::W64 => number.as_const().is_some(),
    }
}

/// The ranges do not overlap, as unsigned or as signed numbers.
fn apart<D: Domain>(a: &D, b: &D, width: Width) -> bool {
    match width {
        Width::W32 => {
            a.u32_max() < b.u32_min()
                || b.u32_max() < a.u32_min()
                || a.s32_max() < b.s32_min()
                || b.s32_max() < a.s32_min()
        }
        Width::W64 => a.umax() < b.umin() || b.umax() < a.umin() || a.smax() < b.smin() || b.smax() < a.smin(),
    }
}
