//! What one verification came to and cost, as a row of a table, and as a run has saved it for later ones.

use std::path::Path;

use serde::{Deserialize, Deserializer, de};

use super::outcome::{Outcome, Verdict};
use super::task::Task;
use crate::fault::Fault;
use crate::host::Host;
use crate::input::read_text;

/// One verification.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Row {
    pub(crate) file: String,
    pub(crate) program: String,
    pub(crate) kernel: String,
    #[serde(deserialize_with = "verdict")]
    pub(crate) verdict: Verdict,
    duration_us: Option<u64>,
    insns_processed: u64,
    states_total: u64,
    states_peak: u64,
    max_states_per_insn: u64,
    stack_depth: u64,
}

/// What of it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    Duration,
    Insns,
    States,
    PeakStates,
    MaxStatesPerInsn,
    Stack,
}

impl Count {
    pub(crate) const ALL: [Self; 6] =
        [Self::Duration, Self::Insns, Self::States, Self::PeakStates, Self::MaxStatesPerInsn, Self::Stack];

    /// As the head of a column.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Duration => "Duration (us)",
            Self::Insns => "Insns",
            Self::States => "States",
            Self::PeakStates => "Peak states",
            Self::MaxStatesPerInsn => "Max states per insn",
            Self::Stack => "Stack depth",
        }
    }

    /// As a key to sort by.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Duration => "duration",
            Self::Insns => "insns",
            Self::States => "states",
            Self::PeakStates => "peak_states",
            Self::MaxStatesPerInsn => "max_states_per_insn",
            Self::Stack => "stack",
        }
    }
}

impl Row {
    pub(crate) fn of(task: &Task<'_>, host: &Host, outcome: &Outcome) -> Self {
        let stats = &outcome.stats;
        Self {
            file: task.input.path.clone(),
            program: task.name.to_owned(),
            kernel: host.version().to_string(),
            verdict: outcome.verdict,
            duration_us: u64::try_from(outcome.duration.as_micros()).ok(),
            insns_processed: stats.insns_processed,
            states_total: stats.total_states.into(),
            states_peak: stats.peak_states.into(),
            max_states_per_insn: stats.max_states_per_insn.into(),
            stack_depth: stats.max_stack_depth.into(),
        }
    }

    pub(crate) fn count(&self, count: Count) -> u64 {
        match count {
            Count::Duration => self.duration_us.unwrap_or(0),
            Count::Insns => self.insns_processed,
            Count::States => self.states_total,
            Count::PeakStates => self.states_peak,
            Count::MaxStatesPerInsn => self.max_states_per_insn,
            Count::Stack => self.stack_depth,
        }
    }

    /// The file without the directories that it lies in.
    pub(crate) fn base(&self) -> &str {
        Path::new(&self.file).file_name().and_then(|name| name.to_str()).unwrap_or(&self.file)
    }
}

/// The rows that an earlier run has saved: the lines of `--stats-json`, or of `--format json`.
pub(crate) fn saved(path: &Path) -> Result<Vec<Row>, Fault> {
    let text = read_text(path)?;
    let rows = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()).map(|(number, line)| {
        serde_json::from_str(line).map_err(|error| {
            let path = path.display();
            Fault::Told(format!("{path}: line {number} is not one of --stats-json: {error}"))
        })
    });
    rows.collect()
}

fn verdict<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Verdict, D::Error> {
    let name = String::deserialize(deserializer)?;
    Verdict::by_name(&name).ok_or_else(|| de::Error::custom(format!("`{name}` is not a verdict")))
}
