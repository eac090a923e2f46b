//! The log that the kernel's verifier writes, from what the search tells its observers.
//!
//! ```text
//!  0: R1=ctx() R10=fp0                          what changed before the line, on a line of its own
//!  ; if (!p) @ prog.c:7                         the source line, where it is another
//!  0: (61) r2 = *(u32 *)(r1 +76)         ; R1=ctx() R2=pkt(r=0)       what this changed, behind the instruction
//!  from 4 to 9: R0=… R10=fp0                    a path is taken up (level 2)
//!  9: safe                                      a path is covered
//! ```
//!
//! At level 1 the text of a path is cut away when the path ends without an error, so that what remains is the path to the
//! error. Source: `do_check`, `print_insn_state`, `verbose_linfo`, Linux 7.3.

mod account;
mod graph;
mod precision;
mod stack;
mod stats;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use bpfvet_cfg::Graph;
use bpfvet_domain::Domain;
use bpfvet_explore::{Observer, PathInfo, PrecisionEvent, Rejection, RejectionCause, SccEvent, Stats};
use bpfvet_insn::{Insn, InsnIdx, Program, RegSet};
use bpfvet_platform::ProgramType;
use bpfvet_vm::violation::PrototypeReason;
use bpfvet_vm::{Effects, Event, FrameKind, State, prototype};

use crate::Names;
use crate::diagnostic::Recorder;
use crate::kernel_text::{ends_line, kernel_message, prototype_message};
use crate::names::base_name;
use crate::state_text::{Extent, write_frame, write_state};

/// How much a log tells, in the kernel's bits (`BPF_LOG_LEVEL1`, `BPF_LOG_LEVEL2`, `BPF_LOG_STATS`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LogLevel(pub u32);

impl LogLevel {
    const fn tells_paths(self) -> bool {
        self.0 & 3 != 0
    }

    const fn tells_all(self) -> bool {
        self.0 & 2 != 0
    }

    const fn tells_stats(self) -> bool {
        self.0 & 4 != 0
    }

    const fn is_silent(self) -> bool {
        self.0 == 0
    }
}

/// What is to be printed of the current state.
#[derive(Clone, Copy, Debug)]
struct Changed {
    regs: RegSet,
    slots: u64,
}

impl Changed {
    const NOTHING: Self = Self { regs: RegSet::EMPTY, slots: 0 };
    const ALL: Self = Self { regs: RegSet::from_bits(u16::MAX), slots: u64::MAX };

    const fn is_nothing(self) -> bool {
        self.regs.is_empty() && self.slots == 0
    }
}

/// Writes the log of one verification, as the kernel would.
pub struct KernelLog<'a> {
    names: Names<'a>,
    program: &'a Program,
    level: LogLevel,
    elapsed: Option<&'a dyn Fn() -> u64>,
    text: String,
    /// Length of the text when each waiting state was put aside (`log_pos`).
    waiting: Vec<usize>,
    /// Position of the source line printed last among the request's lines (`prev_linfo`).
    line: Option<usize>,
    changed: Changed,
    /// Where the text of the last instruction ends (`prev_log_pos`).
    insn_end: Option<usize>,
    /// Length of that text with its newline (`prev_insn_print_pos`).
    insn_len: usize,
    /// A path was taken up that is not announced yet (`do_print_state`).
    resumed: bool,
    /// Where the line begins that says that a path is covered, while it is the last one.
    safe: Option<usize>,
    /// What happened on the path, where a failure is accounted for.
    recorder: Option<Recorder<'a>>,
}

impl fmt::Debug for KernelLog<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KernelLog").field("level", &self.level).field("len", &self.text.len()).finish_non_exhaustive()
    }
}

impl<'a> KernelLog<'a> {
    /// An empty log of a verification of the request in `names`.
    #[must_use]
    pub fn new(names: Names<'a>, level: LogLevel) -> Self {
        let program = &names.request().program;
        Self {
            program,
            level,
            elapsed: None,
            text: String::new(),
            waiting: Vec::new(),
            line: None,
            changed: Changed::NOTHING,
            insn_end: None,
            insn_len: 0,
            resumed: false,
            safe: None,
            recorder: Self::recorder(&names, program, level),
            names,
        }
    }

    fn recorder(names: &Names<'_>, program: &'a Program, level: LogLevel) -> Option<Recorder<'a>> {
        (level.tells_paths() && account::is_written(names)).then(|| Recorder::new(program))
    }

    /// The same, with what is known of the program's shape: its instructions after dead branches were decided and, at level 2,
    /// what the kernel prints of it before it walks.
    #[must_use]
    pub fn with_graph(mut self, graph: &'a Graph) -> Self {
        self.program = graph.program();
        self.recorder = Self::recorder(&self.names, self.program, self.level);
        if self.level.tells_all() {
            graph::write(&mut self.text, graph, self.program, &self.names);
        }
        self
    }

    /// The same, with a clock: microseconds since the verification began. Without one the log tells no time.
    #[must_use]
    pub fn with_clock(self, elapsed: &'a dyn Fn() -> u64) -> Self {
        Self { elapsed: Some(elapsed), ..self }
    }

    /// The text so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }

    /// The source line of `at` behind `prefix`, unless it is the one printed last.
    fn source_line(&mut self, at: InsnIdx, prefix: fmt::Arguments<'_>) {
        let lines = &self.names.request().lines;
        let Some(index) = lines.partition_point(|line| line.at <= at).checked_sub(1) else { return };
        let previous = self.line.and_then(|line| lines.get(line));
        let Some(line) = lines.get(index) else { return };
        if self.line == Some(index) || previous.is_some_and(|old| old.file == line.file && old.line == line.line) {
            return;
        }
        let _ = writeln!(self.text, "{prefix}{} @ {}:{}", line.text.trim_start(), base_name(line), line.line);
        self.line = Some(index);
    }

    /// What changed, behind the last instruction if that is still the end of the text, else on a line of its own.
    fn insn_state<D: Domain>(&mut self, at: InsnIdx, state: &State<D>) {
        if self.insn_end == Some(self.text.len()) && self.text.ends_with('\n') {
            self.text.pop();
            pad(&mut self.text, self.insn_len);
            self.text.push(';');
        } else {
            let _ = write!(self.text, "{at}:");
        }
        let Changed { regs, slots } = core::mem::replace(&mut self.changed, Changed::NOTHING);
        write_state(&mut self.text, state, state.depth(), Extent::Changed { regs, slots }, &self.names);
        self.text.push('\n');
    }

    fn whole_state<D: Domain>(&mut self, state: &State<D>, frame: usize) {
        write_state(&mut self.text, state, frame, Extent::Whole, &self.names);
        self.text.push('\n');
    }

    fn insn(&mut self, at: InsnIdx) {
        let begin = self.text.len();
        match self.program.get(at) {
            Some(insn) => {
                let _ = writeln!(self.text, "{at}: {}", insn.disasm(&self.names));
            }
            None => {
                let _ = writeln!(self.text, "{at}: ");
            }
        }
        self.insn_len = self.text.len() - begin;
        self.insn_end = Some(self.text.len());
    }

    fn event<D: Domain>(&mut self, event: &Event<D>, state: &State<D>) {
        match event {
            Event::Entered => {
                self.changed = Changed::ALL;
                if self.level.tells_paths() {
                    self.text.push_str("caller:\n");
                    self.whole_state(state, state.depth().saturating_sub(1));
                    self.text.push_str("callee:\n");
                    self.whole_state(state, state.depth());
                }
            }
            Event::Returned { callee, index, to } => {
                // The kernel announces what follows as it announces a path that is taken up.
                self.resumed = true;
                if self.level.tells_paths() {
                    self.text.push_str("returning from callee:\n");
                    write_frame(&mut self.text, state, *index, callee, Extent::Whole, &self.names);
                    let _ = writeln!(self.text, "\nto caller at {to}:");
                    self.whole_state(state, state.depth());
                }
            }
            Event::GlobalCall { subprog } => {
                if self.level.tells_paths() {
                    let name = self.names.subprog(*subprog);
                    let _ = writeln!(self.text, "Func#{subprog} ('{name}') is global and assumed valid.");
                }
            }
            Event::LoopLimit => {
                if self.level.tells_all() {
                    let _ = writeln!(self.text, "frame{} bpf_loop iteration limit reached", state.depth());
                }
            }
        }
    }

    /// The kernel reads the entry function's prototype too, and complains of what it does not understand without consequence.
    fn entry_prototype(&mut self) {
        let request = self.names.request();
        if request.program_type == ProgramType::EXT {
            self.validates(0);
        }
        if self.level.is_silent() || request.funcs.is_empty() {
            return;
        }
        if let Err(reason) = prototype(request, self.names.platform(), InsnIdx(0)).args
            && !matches!(reason, PrototypeReason::NotModelled { .. })
        {
            let message = prototype_message(self.names.subprog(0), &reason, &self.names);
            if !message.is_empty() {
                self.text.push_str(&message);
                self.text.push('\n');
            }
        }
    }

    fn prev<D: Domain>(path: &PathInfo<'_, D>) -> i64 {
        path.prev.map_or(-1, |prev| i64::from(prev.0))
    }

    fn validates(&mut self, subprog: u32) {
        if self.level.tells_paths() {
            let name = self.names.subprog(subprog);
            let _ = writeln!(self.text, "Validating {name}() func#{subprog}...");
        }
    }

    fn is_conditional(&self, at: InsnIdx) -> bool {
        matches!(self.program.get(at), Some(Insn::Branch { .. }))
    }
}

/// Blanks up to the column where the state begins behind an instruction of this length (`bpf_vlog_alignment`).
fn pad(out: &mut String, len: usize) {
    let column = (len + 4).max(40).next_multiple_of(8);
    out.extend(core::iter::repeat_n(' ', column.saturating_sub(len + 1).max(1)));
}

const fn speculative<D: Domain>(state: &State<D>) -> &'static str {
    if state.speculative { " (speculative execution)" } else { "" }
}

impl<D: Domain> Observer<D> for KernelLog<'_> {
    fn follows_precision(&self) -> bool {
        self.level.tells_all()
    }

    fn validating(&mut self, subprog: u32) {
        self.validates(subprog);
    }

    fn run_started(&mut self, subprog: u32, entry: &State<D>) {
        if let Some(recorder) = &mut self.recorder {
            recorder.run_started(subprog, entry);
        }
        self.line = None;
        self.changed = Changed::ALL;
        self.resumed = false;
        if subprog == 0 {
            self.entry_prototype();
        }
    }

    fn run_finished(&mut self, subprog: u32) {
        self.waiting.clear();
        if !self.level.tells_all() {
            self.text.clear();
        }
        if subprog > 0 && self.level.tells_paths() {
            let name = self.names.subprog(subprog);
            let _ = writeln!(self.text, "Func#{subprog} ('{name}') is safe for any args that match its prototype");
        }
    }

    fn pruned(&mut self, path: &PathInfo<'_, D>, _by: &State<D>) {
        if self.level.tells_paths() {
            let at = path.at;
            self.safe = Some(self.text.len());
            let _ = if self.resumed {
                writeln!(self.text, "\nfrom {} to {at}{}: safe", Self::prev(path), speculative(path.state))
            } else {
                writeln!(self.text, "{at}: safe")
            };
        }
    }

    fn path_ended(&mut self, _at: InsnIdx, _state: &State<D>) {
        self.safe = None;
    }

    fn step(&mut self, path: &PathInfo<'_, D>) {
        if let Some(recorder) = &mut self.recorder {
            recorder.step(path);
        }
        let PathInfo { at, prev: _, resumed: _, state } = *path;
        if self.level.tells_all() && self.resumed {
            let _ = write!(self.text, "\nfrom {} to {at}{}:", Self::prev(path), speculative(state));
            self.whole_state(state, state.depth());
            self.resumed = false;
        }
        if self.level.tells_paths() {
            if !self.changed.is_nothing() {
                self.insn_state(at, state);
            }
            self.source_line(at, format_args!("; "));
            self.insn(at);
        }
    }

    fn stepped(&mut self, at: InsnIdx, state: &State<D>, effects: &Effects<D>) {
        if let Some(recorder) = &mut self.recorder {
            recorder.stepped(at, state, effects);
        }
        self.changed.regs = self.changed.regs.union(effects.touched);
        self.changed.slots |= effects.touched_slots;
        for event in &effects.events {
            self.event(event, state);
        }
        if self.level.tells_paths() && self.is_conditional(at) {
            self.insn_state(at, state);
        }
    }

    fn forked(&mut self, from: InsnIdx, to: InsnIdx, state: &State<D>) {
        if let Some(recorder) = &mut self.recorder {
            recorder.forked(from, to, state);
        }
        self.waiting.push(self.text.len());
        // A callback's frame was made ready, and the kernel prints all registers after that.
        let is_callback = matches!(state.top().kind, FrameKind::Callback(_) | FrameKind::AsyncCallback(_));
        if is_callback && to != from.next() && matches!(self.program.get(from), Some(Insn::Call(_))) {
            self.changed = Changed::ALL;
        }
    }

    fn resumed(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            Observer::<D>::resumed(recorder);
        }
        let begin = self.waiting.pop().unwrap_or(0);
        if !self.level.tells_all() {
            self.text.truncate(begin);
        }
        self.changed = Changed::ALL;
        self.resumed = true;
    }

    fn precision(&mut self, event: &PrecisionEvent<'_, D>) {
        if self.level.tells_all() {
            precision::write(&mut self.text, event, self.program, &self.names);
        }
    }

    fn scc(&mut self, event: &SccEvent<'_>) {
        if !self.level.tells_all() {
            return;
        }
        // The kernel notes the edge back before it says that the path is covered.
        match (self.safe, event) {
            (Some(begin), SccEvent::BackEdge { .. }) => {
                let safe = self.text.split_off(begin);
                precision::write_scc(&mut self.text, event);
                self.text.push_str(&safe);
            }
            (None, SccEvent::BackEdge { .. }) | (_, SccEvent::Enter { .. } | SccEvent::Exit { .. }) => {
                precision::write_scc(&mut self.text, event);
            }
        }
        self.safe = None;
    }

    fn infinite_loop(&mut self, at: InsnIdx, now: &State<D>, before: &State<D>) {
        if self.level.is_silent() {
            return;
        }
        self.source_line(at, format_args!("; "));
        let _ = writeln!(self.text, "infinite loop detected at insn {at}");
        self.text.push_str("cur state:");
        self.whole_state(now, now.depth());
        self.text.push_str("old state:");
        self.whole_state(before, now.depth());
    }

    fn rejected(&mut self, rejection: &Rejection, state: Option<&State<D>>) {
        if self.level.is_silent() {
            return;
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.rejected(rejection, state);
        }
        let cause = &rejection.cause;
        match cause {
            // Told where it was found.
            RejectionCause::InfiniteLoop { .. } => return,
            RejectionCause::Structure(error) => {
                if let (Some(at), bpfvet_cfg::StructureCause::BackEdge { to }) = (error.at, &error.cause) {
                    self.source_line(at, format_args!("{at}: "));
                    self.source_line(*to, format_args!("{to}: "));
                }
            }
            RejectionCause::Violation(_)
            | RejectionCause::Limit(_)
            | RejectionCause::LoadRefused(_)
            | RejectionCause::MapRefused { .. }
            | RejectionCause::NoSuchMap { .. }
            | RejectionCause::NoDirectValue { .. }
            | RejectionCause::MissingInsn { .. }
            | RejectionCause::DirectValueOutOfBounds { .. }
            | RejectionCause::Pass { .. }
            | RejectionCause::Unsupported(_)
            | RejectionCause::Interrupted
            | RejectionCause::Internal { .. } => {}
        }
        let message = kernel_message(cause, &self.names);
        if self.level.tells_paths() && account::is_written(&self.names) && ends_line(cause) && !message.is_empty() {
            let recorder = self.recorder.as_ref();
            account::write(&mut self.text, rejection, &message, self.program, &self.names, recorder);
            return;
        }
        self.text.push_str(&message);
        if ends_line(cause) && !message.is_empty() {
            self.text.push('\n');
        }
    }

    fn finished(&mut self, stats: &Stats) {
        if !self.level.is_silent() {
            stats::write(&mut self.text, stats, self.level.tells_stats(), self.elapsed, &self.names);
        }
    }
}
