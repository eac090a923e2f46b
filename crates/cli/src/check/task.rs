//! One program on one kernel.

use std::path::Path;
use std::time::Instant;

use bpfvet::Verifier;
use bpfvet::elf::{Object, ProgramEntry, ProgramError, section_kind};
use bpfvet::linux::Linux;
use bpfvet::platform::{LoadRequest, Privilege, ProgramType};
use bpfvet::report::json::Explanation;
use bpfvet::report::{Diagnostic, History, KernelLog, LogLevel, Names, Recorder, explain, explain_bytes};

use super::outcome::{Outcome, Verdict};
use super::words::Words;
use crate::host::{Host, Types};
use crate::input::{Content, Input, View, request};
use crate::pick::Kind;

/// What is the same for all tasks.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) hosts: &'a [Host],
    pub(crate) types: &'a Types,
    pub(crate) kind: Option<&'a Kind>,
    pub(crate) privilege: Privilege,
    /// Bits of the log; none where no log is wanted.
    pub(crate) log_level: u32,
    /// How explanations are drawn; `None` where none is wanted.
    pub(crate) words: Option<Words>,
    /// Explanations for machines are wanted.
    pub(crate) explains: bool,
}

/// One program.
#[derive(Debug)]
pub(crate) struct Task<'a> {
    pub(crate) input: &'a Input,
    pub(crate) name: &'a str,
    /// Where it stands in the object; `None` for bare instructions.
    entry: Option<(usize, &'a ProgramEntry)>,
}

impl<'a> Task<'a> {
    pub(crate) fn raw(input: &'a Input, name: &'a str) -> Self {
        Self { input, name, entry: None }
    }

    pub(crate) fn of_object(input: &'a Input, index: usize, entry: &'a ProgramEntry) -> Self {
        Self { input, name: &entry.name, entry: Some((index, entry)) }
    }

    /// The section that it is in.
    pub(crate) fn section(&self) -> Option<&'a str> {
        self.entry.map(|(_, entry)| entry.section.as_str())
    }

    /// Where its file is, and perhaps its source.
    fn dir(&self) -> &'a Path {
        Path::new(&self.input.path).parent().unwrap_or(Path::new(""))
    }

    /// Asks one kernel; `at` is its place among the kernels.
    pub(crate) fn run(&self, host: &Host, at: usize, asked: &Asked<'_>) -> Outcome {
        let dir = self.dir();
        match &self.input.content {
            Content::Raw { name: _, program: Err(error) } => {
                let diagnostic = explain_bytes(error);
                let mut outcome = Outcome::undecodable(asked.kind.map(|kind| kind.program_type), &diagnostic);
                asked.tell_without_program(&diagnostic, &mut outcome);
                outcome
            }
            Content::Raw { name, program: Ok(program) } => match asked.kind {
                Some(kind) => {
                    let request = kind.request(name, program.clone(), asked.privilege);
                    let outcome = asked.judge(&request, host.plain(), dir);
                    match outcome.wants_types.then(|| host.typed(asked.types)).flatten() {
                        Some(linux) => asked.judge(&request, linux, dir),
                        None => outcome,
                    }
                }
                None => Outcome::failed(None, "the program's type is not known".to_owned()),
            },
            Content::Object { bytes, views } => match (views.get(at), self.entry) {
                (Some(view), Some(entry)) => self.of_view(entry, view, bytes, host, asked),
                _ => Outcome::failed(None, "the program is not in the object".to_owned()),
            },
        }
    }

    /// Without the kernel's types first, for reading those takes longer than most verifications.
    fn of_view(
        &self,
        (index, entry): (usize, &ProgramEntry),
        view: &View,
        bytes: &[u8],
        host: &Host,
        asked: &Asked<'_>,
    ) -> Outcome {
        let typed = || Some((view.typed(bytes, asked.types)?, host.typed(asked.types)?));
        if section_kind(&entry.section).is_some_and(|kind| kind.by_btf)
            && let Some((object, linux)) = typed()
        {
            return asked.of_object(object, index, linux, self.dir());
        }
        let outcome = asked.of_object(view.plain(), index, host.plain(), self.dir());
        match outcome.wants_types.then(typed).flatten() {
            Some((object, linux)) => asked.of_object(object, index, linux, self.dir()),
            None => outcome,
        }
    }
}

impl Asked<'_> {
    fn of_object(&self, object: &Object, index: usize, linux: &Linux, dir: &Path) -> Outcome {
        let Some(entry) = object.programs().get(index) else {
            return Outcome::failed(None, "the program is not in the object".to_owned());
        };
        let program_type = self.kind.map(|kind| kind.program_type).or(entry.program_type);
        let mut outcome = match request(object, index, self.kind) {
            Some(Ok(request)) => self.judge(&request, linux, dir),
            Some(Err(error)) => self.unloadable(&error, program_type),
            None => Outcome::failed(program_type, "the program is not in the object".to_owned()),
        };
        outcome.warnings = object.warnings(entry).iter().map(ToString::to_string).collect();
        outcome
    }

    fn unloadable(&self, error: &ProgramError, program_type: Option<ProgramType>) -> Outcome {
        if let ProgramError::Decode(error) = error {
            let diagnostic = explain_bytes(error);
            let mut outcome = Outcome::undecodable(program_type, &diagnostic);
            self.tell_without_program(&diagnostic, &mut outcome);
            return outcome;
        }
        let mut outcome = Outcome::failed(program_type, error.to_string());
        outcome.wants_types = matches!(error, ProgramError::NeedsKernelBtf | ProgramError::Extern { .. });
        if self.words.is_none() && self.log_level > 0 {
            outcome.detail = format!("{error}\n");
        }
        outcome
    }

    /// The explanation, or the log, of a program that is none: the kernel looks at the encoding first.
    fn tell_without_program(&self, diagnostic: &Diagnostic, outcome: &mut Outcome) {
        outcome.detail = match &self.words {
            Some(words) => words.plain(diagnostic),
            None if self.log_level > 0 => outcome.message.clone().map(|text| text + "\n").unwrap_or_default(),
            None => String::new(),
        };
        outcome.explanation = self.explains.then(|| Explanation::new(diagnostic, None));
    }

    /// Verifies, and once more with a recorder when there is something to explain.
    fn judge(&self, request: &LoadRequest, linux: &Linux, dir: &Path) -> Outcome {
        let verifier = Verifier::new(linux);
        let names = Names::new(request, linux);
        let started = Instant::now();
        let graph = verifier.analyze(request);
        let mut log = String::new();
        let result = match &graph {
            Ok(graph) if self.log_level > 0 => {
                let mut observer = KernelLog::new(names.clone(), LogLevel(self.log_level)).with_graph(graph);
                let result = verifier.verify_graph(request, graph, &mut observer);
                log = observer.into_text();
                result
            }
            Ok(graph) => verifier.verify_graph(request, graph, &mut ()),
            // The facade tells observers of it, too.
            Err(_) => {
                let mut observer = KernelLog::new(names.clone(), LogLevel(self.log_level));
                let result = verifier.verify_with(request, &mut observer);
                log = observer.into_text();
                result
            }
        };
        let duration = started.elapsed();
        let rejection = match result {
            Ok(accepted) => return Outcome { detail: log, duration, ..Outcome::accepted(request, accepted.stats) },
            Err(rejection) => rejection,
        };
        let wants_history = self.words.is_some() || self.explains;
        let history = match &graph {
            Ok(graph) if wants_history => {
                let mut recorder = Recorder::new(graph.program());
                // The same again: a verification depends on nothing else.
                let _ = verifier.verify_graph(request, graph, &mut recorder);
                recorder.into_history()
            }
            Ok(_) | Err(_) => History::default(),
        };
        let diagnostic = explain(&rejection, &names, &history);
        let mut outcome = Outcome::refused(request, &diagnostic, rejection.stats);
        outcome.explanation = self.explains.then(|| Explanation::new(&diagnostic, Some(request)));
        if let Some(words) = &self.words {
            log.push_str(&words.drawn(&diagnostic, &names, &history, dir));
        }
        if outcome.verdict == Verdict::Failed && outcome.message.is_none() {
            outcome.message = Some(diagnostic.headline);
        }
        Outcome { detail: log, duration, ..outcome }
    }
}
