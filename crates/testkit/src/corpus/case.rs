//! A program of the corpus, ready to be verified.

use std::collections::BTreeMap;

use bpfvet::asm::{Resolver, assemble_bytes};
use bpfvet::insn::{Call, DecodeError, ImmSource, InsnIdx, Program as Insns};
use bpfvet::linux::Linux;
use bpfvet::platform::{LoadRequest, MapDef, Privilege};

use super::expect::{self, Expect};
use super::markdown::Program;
use super::settings::Settings;

/// A program of the corpus, ready to be verified.
#[derive(Debug)]
pub struct Case {
    code: String,
    bytes: Vec<u8>,
    pub(super) request: Result<LoadRequest, DecodeError>,
    pub(super) kernels: Vec<Linux>,
    /// What must come out, with the line in the block, from 1.
    pub(super) expects: Vec<(u32, Expect)>,
    /// Lines in the block by slot.
    pub(super) lines: BTreeMap<InsnIdx, u32>,
    settings: Settings,
}

/// Helpers and maps by name.
struct Names<'a> {
    maps: &'a [MapDef],
    linux: Linux,
}

impl Resolver for Names<'_> {
    fn call(&self, name: &str) -> Option<Call> {
        let id = self.linux.helper_by_name(name.strip_prefix("bpf_").unwrap_or(name))?;
        i32::try_from(id.0).ok().map(Call::Helper)
    }

    fn imm64(&self, name: &str) -> Option<ImmSource> {
        let index = self.maps.iter().position(|map| map.name == name)?;
        i32::try_from(index).ok().map(ImmSource::MapFd)
    }

    fn constant(&self, _name: &str) -> Option<i64> {
        None
    }
}

impl Case {
    /// Reads a program's text, comments and settings.
    ///
    /// # Errors
    ///
    /// What is wrong with them, with the line in the block.
    pub fn new(program: &Program) -> Result<Self, String> {
        let Program { name, line: _, text, settings } = program;
        let mut code = String::new();
        let mut expects = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let (line, found) = expect::split(line).map_err(|error| format!("line {number}: {error}"))?;
            expects.extend(found.into_iter().map(|expect| (number, expect)));
            code.push_str(line);
            code.push('\n');
        }
        let maps = settings.maps()?;
        let (kind, attach_type, flags) = settings.kind()?;
        let names = Names { maps: &maps, linux: Linux::newest() };
        let image = assemble_bytes(&code, &names).map_err(|error| format!("line {error}"))?;
        let request = Insns::decode(&image.bytes).map(|insns| {
            let mut request = LoadRequest::new(name, kind, insns);
            request.attach_type = attach_type;
            request.flags = flags;
            request.maps = maps;
            request.gpl_compatible = settings.is_gpl();
            request.privilege = if settings.is_privileged() { Privilege::FULL } else { Privilege::NONE };
            request
        });
        let mut kernels = Vec::new();
        for kernel in settings.kernels() {
            let version = kernel.parse().map_err(|error| format!("kernel `{kernel}`: {error}"))?;
            kernels.push(Linux::new(version).map_err(|error| error.to_string())?);
        }
        if kernels.is_empty() {
            kernels.push(Linux::newest());
        }
        let lines = image.lines.into_iter().collect();
        Ok(Self { code, bytes: image.bytes, request, kernels, expects, lines, settings: settings.clone() })
    }

    /// The text without the comments.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The instructions, if they are any, as bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What is loaded, where the bytes are instructions.
    ///
    /// # Errors
    ///
    /// Why they are none.
    pub const fn request(&self) -> Result<&LoadRequest, &DecodeError> {
        self.request.as_ref()
    }

    /// The kernels that are asked, the one that counts last.
    #[must_use]
    pub fn kernels(&self) -> &[Linux] {
        &self.kernels
    }

    /// Whether the runner of this name cannot run it, as it says itself.
    #[must_use]
    pub fn skips(&self, runner: &str) -> bool {
        self.settings.skips(runner)
    }

    /// The line in the block that the slot comes from; the second half of a wide instruction from where the first does.
    pub(super) fn line_of(&self, at: InsnIdx) -> Option<u32> {
        self.lines.range(..=at).next_back().map(|(_, line)| *line)
    }
}
