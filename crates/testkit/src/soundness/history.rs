//! The bugs that verifiers had: which of them are programs of the corpus, and whether those are refused.

use std::path::Path;

use crate::corpus::{Case, Runner, check, programs};

/// What the corpus says of history.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Entries of the list.
    pub entries: u32,
    /// Those that a program stands for.
    pub encoded: u32,
    /// Those that are out of scope, with the reason beside them.
    pub beyond: u32,
    /// Programs.
    pub programs: u32,
    /// Those that must be refused.
    pub refusals: u32,
    /// What came out otherwise than it says there.
    pub wrong: Vec<String>,
}

impl History {
    /// Reads the files of the folder and verifies what is in them.
    ///
    /// # Errors
    ///
    /// What cannot be read.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let mut history = Self::default();
        let mut files: Vec<_> = match std::fs::read_dir(folder) {
            Ok(files) => files.flatten().map(|file| file.path()).collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(history),
            Err(error) => return Err(format!("{}: {error}", folder.display())),
        };
        files.sort();
        for path in files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
            let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            if path.file_name().is_some_and(|name| name == "README.md") {
                history.list(&text);
            }
            history.verify(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(history)
    }

    /// Rows of the table of entries: the last cell leads to a program, or says why there is none.
    fn list(&mut self, text: &str) {
        let entry = |line: &&str| {
            ["| CVE-", "| FIX-", "| BUG-", "| PREVAIL", "| UBPF"].iter().any(|head| line.starts_with(head))
        };
        for line in text.lines().filter(entry) {
            self.entries += 1;
            if line.contains("](") { self.encoded += 1 } else { self.beyond += 1 }
        }
    }

    fn verify(&mut self, text: &str) -> Result<(), String> {
        for program in programs(text)? {
            let case = Case::new(&program)?;
            self.programs += 1;
            self.refusals += u32::from(case.refused_with().next().is_some());
            let [ordinary, ..] = Runner::all();
            if !case.skips(ordinary.name)
                && let Err(error) = check(&case, &ordinary)
            {
                self.wrong.push(format!("{}: {error}", program.name));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::History;

    #[test]
    fn rows_lead_to_programs_or_say_why_not() {
        let mut history = History::default();
        history.list("| id | where |\n| --- | --- |\n| CVE-1 | [a.md](a.md): A |\n| FIX-2 | the host rewrites it |\n");
        assert_eq!((history.entries, history.encoded, history.beyond), (2, 1, 1));
    }
}
