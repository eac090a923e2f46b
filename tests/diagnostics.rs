//! What a newcomer reads: the explanation of every program that the catalogue of codes has, one file a group of codes, and of
//! the classic mistakes in C, one file each.
//!
//! `UPDATE_EXPECT=1 cargo test -p bpfvet-tests --test diagnostics` writes down what comes out; read it before you commit it.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bpfvet::elf;
use bpfvet::linux::Linux;
use bpfvet::platform::LoadRequest;
use bpfvet::report::{Class, History, Names, NoSource, Recorder, SourceProvider, explain, explain_bytes, render};
use bpfvet::{Rejection, RejectionCause, Verifier};
use bpfvet_testkit::corpus::{Case, programs};
use expect_test::expect_file;

/// The explanation of why the program does not load, at a width of `COLUMNS`.
fn drawn(request: &LoadRequest, linux: &Linux, source: &dyn SourceProvider) -> Option<String> {
    let verifier = Verifier::new(linux);
    let names = Names::new(request, linux);
    let rejection = verifier.verify(request).err()?;
    let history = match verifier.analyze(request) {
        Ok(graph) => {
            let mut recorder = Recorder::new(graph.program());
            let again = verifier.verify_graph(request, &graph, &mut recorder).err();
            let code = |rejection: &Rejection| bpfvet::report::code(&rejection.cause);
            assert_eq!(again.as_deref().map(code), Some(code(&rejection)), "a recorder changes nothing");
            recorder.into_history()
        }
        Err(_) => History::new(),
    };
    let diagnostic = explain(&rejection, &names, &history);
    assert!(!diagnostic.headline.is_empty() && !diagnostic.headline.ends_with('.'), "{diagnostic:?}");
    let is_answer = !matches!(diagnostic.class, Class::Unsupported | Class::Bug);
    assert!(!is_answer || !diagnostic.help.is_empty() || diagnostic.patch.is_some(), "nothing to do: {diagnostic:?}");
    if let RejectionCause::Violation(_) = rejection.cause {
        assert!(diagnostic.at().is_some(), "a failure without a place: {diagnostic:?}");
    }
    Some(render(&diagnostic, &names, &history, source, false, COLUMNS))
}

const COLUMNS: usize = 100;

/// Every program of a file of the corpus that is refused, explained.
fn explained(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("a file");
    let mut out = String::new();
    for program in programs(&text).expect("programs") {
        let case = Case::new(&program).expect("a program");
        let linux = case.kernels().last().expect("a kernel");
        let drawn = match case.request() {
            Ok(request) => drawn(request, linux, &NoSource),
            Err(error) => {
                let diagnostic = explain_bytes(error);
                let mut text = format!("error[{}]: {}\n", diagnostic.code, diagnostic.headline);
                let said = [("why", &diagnostic.why), ("help", &diagnostic.help)];
                for (what, lines) in said {
                    lines.iter().for_each(|line| text.push_str(&format!("  = {what}: {line}\n")));
                }
                let _ = writeln!(text, "  = kernel: {}", diagnostic.kernel);
                Some(text)
            }
        };
        if let Some(drawn) = drawn {
            let _ = writeln!(out, "## {}\n\n{drawn}", program.name);
        }
    }
    out
}

#[test]
fn every_example_is_explained() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let examples = here.join("../crates/report/src/catalogue/examples");
    let mut seen = 0;
    for entry in std::fs::read_dir(&examples).expect("the examples").flatten() {
        let path = entry.path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name of text");
        expect_file![here.join("diagnostics").join(name).with_extension("txt")].assert_eq(&explained(&path));
        seen += 1;
    }
    assert!(seen > 10, "{seen} files are not all examples");
}

#[test]
fn every_frequent_message_is_explained() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = explained(&here.join("corpus/message/frequent.md"));
    expect_file![here.join("diagnostics/frequent.txt")].assert_eq(&text);
}

/// The examples, as the compiler saw them.
struct Examples(PathBuf);

impl SourceProvider for Examples {
    fn file(&self, path: &str) -> Option<Cow<'_, str>> {
        std::fs::read_to_string(self.0.join(path)).ok().map(Cow::Owned)
    }
}

#[test]
fn every_mistake_is_explained() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = Examples(here.join("../examples"));
    let linux = Linux::newest();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(source.0.join("mistakes"))
        .expect("the mistakes")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "o"))
        .collect();
    paths.sort();
    assert!(paths.len() > 8, "{paths:?}");
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name of text");
        let bytes = std::fs::read(&path).expect("an object");
        let object = elf::Object::parse(&bytes, &elf::Options::for_file(name)).expect("an object");
        let mut out = String::new();
        for program in object.programs() {
            let request = object.load_request(program).expect("a program");
            let drawn = drawn(&request, &linux, &source);
            out.push_str(&drawn.unwrap_or_else(|| panic!("{name}: {} is accepted", program.name)));
        }
        let name = name.trim_end_matches(".bpf.o");
        expect_file![here.join("diagnostics/mistakes").join(name).with_extension("txt")].assert_eq(&out);
    }
}
