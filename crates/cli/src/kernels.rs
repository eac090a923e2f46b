//! `kernels`: which can be asked, and what is known of them.

use std::io::Write as _;

use bpfvet::linux::Linux;
use bpfvet::platform::{Feature, Features, Platform as _};

use crate::fault::Fault;

pub(crate) fn run() -> Result<(), Fault> {
    let mut out = anstream::stdout().lock();
    let mut before = Features::NONE;
    for version in Linux::PROFILES {
        let Ok(linux) = Linux::new(*version) else { continue };
        let features = *linux.features();
        let gained = features.iter().filter(|feature| !before.has(*feature));
        let gained: Vec<&str> = gained.map(Feature::name).collect();
        let numbers = if features.circular_ranges() { "circular ranges" } else { "approximated" };
        let gained = if gained.is_empty() { "-".to_owned() } else { gained.join(" ") };
        writeln!(out, "{:<5} numbers: {numbers:<16} new: {gained}", version.to_string())?;
        before = features;
    }
    let (first, last) = (Linux::VERSIONS.first(), Linux::VERSIONS.last());
    if let Some((first, last)) = first.zip(last) {
        writeln!(out, "\n`all` stands for these; any release from {first} to {last} can be asked.")?;
    }
    writeln!(
        out,
        "`approximated`: that release keeps four intervals for a number. bpfvet reasons with circular ranges for it as well, which\n\
         are finer: a rejection that is due to the coarser intervals may be missed."
    )?;
    Ok(())
}
