//! The numbers and switches of the search that must not change a verdict, only its cost.

/// How the search spends memory and time. The verdict is the same for all values, as long as no limit is hit.
#[derive(Clone, Debug)]
pub struct Policy {
    /// States are compared and paths end where they are covered.
    pub prune: bool,
    /// A checkpoint wherever one may stand.
    pub checkpoint_everywhere: bool,
    /// Numbers whose range never mattered are compared all the same.
    pub exact_subsumption: bool,
    /// Of two ways the one that the kernel puts aside is walked first.
    pub reversed: bool,
    /// Jumps since the last checkpoint before another is worth it.
    pub min_jumps: u64,
    /// Instructions since the last checkpoint before another is worth it.
    pub min_insns: u64,
    /// Jumps since the last checkpoint before another is worth it inside a loop.
    pub min_loop_jumps: u64,
    /// Instructions since the last checkpoint before another is worth it inside a loop.
    pub min_loop_insns: u64,
    /// A checkpoint is retired after this many misses, and this many more for each hit.
    pub patience: u32,
    /// The same for checkpoints on which loops converge.
    pub loop_patience: u32,
    /// Rounds in which what matters in a loop may flow before everything is said to matter.
    pub back_edge_rounds: u32,
}

impl Default for Policy {
    /// As Linux 7.3 does it.
    fn default() -> Self {
        Self {
            prune: true,
            checkpoint_everywhere: false,
            exact_subsumption: false,
            reversed: false,
            min_jumps: 2,
            min_insns: 8,
            min_loop_jumps: 20,
            min_loop_insns: 100,
            patience: 3,
            loop_patience: 64,
            back_edge_rounds: 64,
        }
    }
}

/// What a caller is willing to spend; the host's own limits apply as well.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    /// Instructions processed.
    pub insns: Option<u64>,
    /// States stored at one time.
    pub states: Option<u32>,
    /// Set from elsewhere to end the search soon.
    pub cancel: Option<alloc::sync::Arc<core::sync::atomic::AtomicBool>>,
}
