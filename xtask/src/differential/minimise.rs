//! The smallest programs about which the judges differ in the same way.

use anyhow::Result;
use bpfvet_testkit::differential::Code;

use super::Judges;
use super::compare::{Kind, Signature};
use super::subject::Subject;
use crate::oracle::Machine;

/// A disagreement in the making smaller.
struct Work {
    signature: Signature,
    subject: Subject,
    /// Instructions that are taken away at a time.
    step: usize,
}

/// Makes all of them small, together: every round asks both judges once, about every way to leave something out.
pub(crate) fn all(judges: &Judges, found: &[(Signature, Subject)]) -> Result<Vec<(Signature, Subject)>> {
    // An emulated kernel takes long to boot.
    let rounds = match judges.machine {
        Machine::Process => 60,
        Machine::Emulated(_) => 10,
    };
    let mut works: Vec<Work> = found
        .iter()
        .map(|(signature, subject)| {
            let step = (Code::new(&subject.raw.bytes).starts().len() / 2).max(1);
            Work { signature: signature.clone(), subject: subject.clone(), step }
        })
        .collect();
    for _ in 0..rounds {
        let trials: Vec<Vec<Subject>> = works.iter().map(trials).collect();
        let asked: Vec<Subject> = trials.iter().flatten().cloned().collect();
        if asked.is_empty() {
            break;
        }
        let mut signatures = judges.signatures(&asked)?.into_iter();
        for (work, trials) in works.iter_mut().zip(trials) {
            let mut same = Vec::new();
            for trial in trials {
                if signatures.next().flatten().is_some_and(|signature| signature == work.signature) {
                    same.push(trial);
                }
            }
            match same.into_iter().min_by_key(|trial| trial.raw.bytes.len()) {
                Some(smaller) => work.subject = smaller,
                None => work.step /= 2,
            }
        }
    }
    Ok(works.into_iter().map(|Work { signature, subject, step: _ }| (signature, subject)).collect())
}

/// The program without each of its parts.
fn trials(work: &Work) -> Vec<Subject> {
    let Work { signature, subject, step } = work;
    if *step == 0 || signature.kind == Kind::Count {
        return Vec::new();
    }
    let code = Code::new(&subject.raw.bytes);
    let starts = code.starts();
    let mut trials = Vec::new();
    for part in starts.chunks(*step) {
        let (Some(&first), Some(&last)) = (part.first(), part.last()) else { continue };
        let mut less = code.clone();
        less.remove(first, last + code.width(last) - first);
        let mut trial = subject.clone();
        trial.raw.bytes = less.bytes();
        trials.push(trial);
    }
    trials
}
