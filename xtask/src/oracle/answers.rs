//! What kernels have answered, kept in the cache: a release never changes its mind about the same load.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::{Job, Load, Machine, Raw, Reply, ask_within};
use crate::lab::{Kernel, Lab};

/// Loads between two writings of the cache: what is lost when a run is broken off.
const CHUNK: usize = 500;

/// Seconds that a load may take: an old kernel may walk a new test's loop for hours.
const SECONDS: u32 = 60;

#[derive(Serialize, Deserialize)]
struct Answer {
    key: u64,
    reply: Reply,
}

/// As [`super::ask`], of an emulated kernel; what it has answered before is not asked again.
pub(crate) fn ask_once(lab: &Lab, kernel: &Kernel, jobs: &[Job]) -> Result<Vec<Reply>> {
    let path = lab.path(format!("answers/{}.jsonl", kernel.release));
    let mut known = read(&path);
    let mut contents = BTreeMap::new();
    let keys: Vec<u64> = jobs.iter().map(|job| key(job, &mut contents)).collect::<Result<_>>()?;
    let open: Vec<(u64, Job)> = keys
        .iter()
        .zip(jobs)
        .filter(|(key, _)| !known.contains_key(key))
        .map(|(key, job)| (*key, job.clone()))
        .collect();
    let machine = Machine::Emulated(kernel.clone());
    for (number, chunk) in open.chunks(CHUNK).enumerate() {
        eprintln!("{}: {} loads of {} asked", kernel.release, number * CHUNK, open.len());
        let asked: Vec<Job> = chunk.iter().map(|(_, job)| job.clone()).collect();
        let replies = ask_within(lab, &machine, &asked, SECONDS)?;
        let answers = chunk.iter().zip(replies).map(|((key, _), reply)| Answer { key: *key, reply });
        append(&path, answers, &mut known).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let reply = |(id, key): (usize, &u64)| {
        let known = known.get(key).cloned().unwrap_or_else(|| Reply::silent(id, "no answer"));
        Reply { id, ..known }
    };
    Ok(keys.iter().enumerate().map(reply).collect())
}

fn read(path: &Path) -> BTreeMap<u64, Reply> {
    let bytes = std::fs::read(path).unwrap_or_default();
    // The last line may be cut short.
    let answers = bytes.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice::<Answer>(line).ok());
    answers.map(|Answer { key, reply }| (key, reply)).collect()
}

fn append(path: &Path, answers: impl Iterator<Item = Answer>, known: &mut BTreeMap<u64, Reply>) -> Result<()> {
    std::fs::create_dir_all(path.parent().unwrap_or(path))?;
    let mut file = BufWriter::new(File::options().create(true).append(true).open(path)?);
    for answer in answers {
        serde_json::to_writer(&mut file, &answer)?;
        file.write_all(b"\n")?;
        known.insert(answer.key, answer.reply);
    }
    Ok(file.flush()?)
}

/// Everything that the answer depends on, beside the kernel. `contents` keeps the hashes of files.
fn key(job: &Job, contents: &mut BTreeMap<PathBuf, u64>) -> Result<u64> {
    let Job { load, flags, log_level, caps, log_bytes } = job;
    let mut hasher = DefaultHasher::new();
    (flags, log_level, caps, log_bytes).hash(&mut hasher);
    match load {
        Load::Raw(raw) => {
            let Raw { program_type, attach_type, bytes, maps, types, own_types, functions, attach_to, attach_name: _ } =
                raw;
            (0, program_type, attach_type, bytes, maps, types, own_types, functions, attach_to).hash(&mut hasher);
        }
        Load::Object { file, program, also, btf, repair } => {
            let mut content = |file: &PathBuf| -> Result<u64> {
                if let Some(hash) = contents.get(file) {
                    return Ok(*hash);
                }
                let mut hasher = DefaultHasher::new();
                std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?.hash(&mut hasher);
                contents.insert(file.clone(), hasher.finish());
                Ok(hasher.finish())
            };
            let (file, btf) = (content(file)?, btf.as_ref().map(content).transpose()?);
            (1, file, program, also, btf, repair).hash(&mut hasher);
        }
    }
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Answer, append, key, read};
    use crate::lab::Scratch;
    use crate::oracle::{Caps, Job, Load, Raw, Reply};

    fn job(bytes: Vec<u8>, caps: Caps) -> Job {
        Job { load: Load::Raw(Raw { bytes, ..Raw::default() }), flags: 0, log_level: 5, caps, log_bytes: 100 }
    }

    #[test]
    fn loads_that_differ_have_keys_that_differ() {
        let key = |job| key(&job, &mut BTreeMap::new()).unwrap();
        assert_eq!(key(job(vec![1], Caps::All)), key(job(vec![1], Caps::All)));
        assert_ne!(key(job(vec![1], Caps::All)), key(job(vec![2], Caps::All)));
        assert_ne!(key(job(vec![1], Caps::All)), key(job(vec![1], Caps::NONE)));
    }

    #[test]
    fn answers_are_kept() {
        let scratch = Scratch::within(&std::env::temp_dir()).unwrap();
        let path = scratch.path().join("a/b.jsonl");
        let mut known = read(&path);
        append(&path, [Answer { key: 7, reply: Reply::silent(1, "x") }].into_iter(), &mut known).unwrap();
        append(&path, [Answer { key: 8, reply: Reply::silent(2, "y") }].into_iter(), &mut known).unwrap();
        assert_eq!(read(&path), known);
        assert_eq!(known.len(), 2);
    }
}
