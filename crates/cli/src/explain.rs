//! `explain`: what a code means.

use std::io::Write as _;

use crate::fault::Fault;

pub(crate) fn run(code: Option<&str>) -> Result<(), Fault> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "{code:?}")?;
    Ok(())
}
