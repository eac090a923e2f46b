//! What is remembered of an instruction across all paths.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use bpfvet_insn::InsnIdx;

use crate::value::{MapRef, TypeTag};
use crate::violation::{CallCause, Violation};

/// What is remembered across paths; the caller of [`crate::step`] owns it and hands it in.
#[derive(Clone, Debug, Default)]
pub struct Memo {
    /// By slot: the kind of pointer that the instruction accessed memory through.
    pub pointers: Vec<Option<TypeTag>>,
    /// What else is remembered of instructions; of most it is nothing.
    insns: BTreeMap<InsnIdx, InsnMemo>,
    /// Deepest stack use of each function, in bytes.
    pub stack_depth: Vec<u32>,
    /// Functions that have passed arguments on the stack to a static function.
    pub passes_stack_args: Vec<bool>,
    /// Functions whose type records have turned out not to describe them.
    pub unreliable: Vec<bool>,
    /// Global functions called where sleeping is not allowed, and where it is.
    pub global_calls: Vec<[bool; 2]>,
    /// Pointer arithmetic that must be masked was met: scalars are compared exactly from then on.
    pub exact_scalars: bool,
}

/// What is remembered of one instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct InsnMemo {
    /// A barrier stands before it: no speculative path runs it.
    pub barrier_before: bool,
    /// A barrier stands after it: speculative paths end there.
    pub barrier_after: bool,
    /// How its pointer arithmetic must be masked: kind and limit.
    pub mask: Option<(u8, u32)>,
    /// For loops by callback: whether the flags were known to be zero, and the callback.
    pub loop_inline: Option<(bool, u32)>,
    /// The map that the call worked on first.
    pub map: Option<MapRef>,
    /// It is a call of a function that the host does not have, and was reached.
    pub missing_kfunc: bool,
    /// It is a tail call whose index must be masked, and worked on more than one map.
    pub tail_call_maps: bool,
}

impl Memo {
    /// An empty memory for a program of this many slots and functions.
    #[must_use]
    pub fn new(slots: usize, subprogs: usize) -> Self {
        Self {
            pointers: alloc::vec![None; slots],
            insns: BTreeMap::new(),
            stack_depth: alloc::vec![0; subprogs],
            passes_stack_args: alloc::vec![false; subprogs],
            unreliable: alloc::vec![false; subprogs],
            global_calls: alloc::vec![[false; 2]; subprogs],
            exact_scalars: false,
        }
    }

    /// What is remembered of the instruction at `at`.
    #[must_use]
    pub fn insn(&self, at: InsnIdx) -> InsnMemo {
        self.insns.get(&at).copied().unwrap_or_default()
    }

    /// The same, to be written.
    pub fn insn_mut(&mut self, at: InsnIdx) -> &mut InsnMemo {
        self.insns.entry(at).or_default()
    }

    /// What the host finds when it rewrites the program, after all paths: a tail call that cannot be masked, because it works
    /// on several maps, or a call of a function that it does not have. (`do_misc_fixups`)
    #[must_use]
    pub fn rewrite_violation(&self) -> Option<Violation> {
        self.insns.iter().find_map(|(&at, insn)| {
            let cause = match insn {
                InsnMemo { missing_kfunc: true, .. } => CallCause::MissingKfunc,
                InsnMemo { tail_call_maps: true, .. } => CallCause::TailCallMaps,
                InsnMemo { .. } => return None,
            };
            Some(Violation { at, frame: 0, cause: Box::new(cause.into()) })
        })
    }

    /// Remembers how deep a function's stack is.
    pub(crate) fn deepen(&mut self, subprog: u32, bytes: u32) {
        if let Some(depth) = self.stack_depth.get_mut(subprog as usize) {
            *depth = (*depth).max(bytes);
        }
    }
}
