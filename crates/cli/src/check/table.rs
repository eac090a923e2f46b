//! What verifications cost, as a table in the manner of veristat.

use std::fmt;

use comfy_table::presets;
use comfy_table::{Cell, CellAlignment, Table};

use super::outcome::Outcome;
use super::task::Task;
use crate::host::Host;

const HEAD: [&str; 10] =
    ["file", "program", "kernel", "verdict", "insns", "states", "peak", "per insn", "stack", "time (us)"];

/// One row a verification.
#[derive(Debug)]
pub(crate) struct Costs {
    table: Table,
}

impl Costs {
    pub(crate) fn new() -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(HEAD);
        Self { table }
    }

    pub(crate) fn add(&mut self, task: &Task<'_>, host: &Host, outcome: &Outcome) {
        let stats = &outcome.stats;
        let texts = [
            task.input.path.clone(),
            task.name.to_owned(),
            host.version().to_string(),
            outcome.verdict.name().to_owned(),
        ];
        let numbers = [
            stats.insns_processed.into(),
            stats.total_states.into(),
            stats.peak_states.into(),
            stats.max_states_per_insn.into(),
            stats.max_stack_depth.into(),
            outcome.duration.as_micros(),
        ];
        let numbers = numbers.iter().map(|number: &u128| Cell::new(number).set_alignment(CellAlignment::Right));
        self.table.add_row(texts.into_iter().map(Cell::new).chain(numbers));
    }
}

impl fmt::Display for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table.trim_fmt().fmt(f)
    }
}
