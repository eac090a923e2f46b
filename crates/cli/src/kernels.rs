//! `kernels`: which can be asked, and what is known of them.

use std::io::Write as _;

use bpfvet::linux::Linux;
use bpfvet::platform::{Feature, Features, Platform as _};

use crate::fault::Fault;

/// What the first release whose numbers are followed to the bit has, and those before do not.
pub(crate) const EXACT_SINCE: Feature = Feature::MaskSplits;

pub(crate) fn run() -> Result<(), Fault> {
    let mut out = anstream::stdout().lock();
    let mut before = Features::NONE;
    for version in Linux::PROFILES {
        let Ok(linux) = Linux::new(*version) else { continue };
        let features = *linux.features();
        let gained = features.iter().filter(|feature| !before.has(*feature));
        let gained: Vec<&str> = gained.map(Feature::name).collect();
        let numbers = if features.circular_ranges() { "circular ranges" } else { "intervals" };
        let gained = if gained.is_empty() { "-".to_owned() } else { gained.join(" ") };
        writeln!(out, "{:<5} numbers: {numbers:<16} new: {gained}", version.to_string())?;
        before = features;
    }
    let (first, last) = (Linux::VERSIONS.first(), Linux::VERSIONS.last());
    if let Some((first, last)) = first.zip(last) {
        writeln!(out, "\n`all` stands for these; any release from {first} to {last} can be asked.")?;
    }
    let exact = EXACT_SINCE.since();
    writeln!(
        out,
        "`intervals`: known bits, and an unsigned and a signed interval at each width, as Linux {exact} computes with them. Releases before\n\
         {exact} conclude less from the same facts: a rejection of theirs that is due to that may be missed."
    )?;
    Ok(())
}
