//! Numbers that bound a verification.

/// Limits that the host puts on a program and on its verification.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Slots a program may have.
    pub program_len: u32,
    /// Instructions that may be processed over all paths.
    pub processed_insns: u64,
    /// Branch states that may wait at one time.
    pub pending_states: u32,
    /// Stored states per bucket after which no more are stored; `None` for no such limit.
    pub stored_states_per_bucket: Option<u32>,
    /// Nested calls, the entry function included.
    pub call_frames: u32,
    /// Bytes of stack, per function and per chain of calls.
    pub stack_bytes: u32,
    /// Functions in a program.
    pub subprogs: u32,
    /// Maps a program may use.
    pub maps: u32,
    /// Scalars with the same value that one branch can refine together.
    pub linked_scalars: u32,
    /// Entries of one state's history that force a checkpoint.
    pub history_len: u32,
}

impl Limits {
    /// Limits for a host that has not thought of its own: small programs, little stack, and a search that ends soon.
    pub const MODEST: Self = Self {
        program_len: 4096,
        processed_insns: 100_000,
        pending_states: 1024,
        stored_states_per_bucket: Some(64),
        call_frames: 8,
        stack_bytes: 512,
        subprogs: 64,
        maps: 16,
        linked_scalars: 5,
        history_len: 40,
    };
}
