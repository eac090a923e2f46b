//! A program of the corpus, ready to be verified.

use std::collections::BTreeMap;
use std::sync::Arc;

use bpfvet::asm::Resolver;
use bpfvet::btf::{Btf, Kind};
use bpfvet::insn::{Call, DecodeError, ImmSource, InsnIdx, Program as Insns};
use bpfvet::linux::Linux;
use bpfvet::platform::{FuncInfo, LoadRequest, MapDef};

use super::expect::Expect;
use super::markdown::Program;
use super::settings::{Place, Settings};
use super::text::Text;
use crate::types;

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

/// Helpers, maps and the kernel's functions by name.
struct Names<'a> {
    maps: &'a [MapDef],
    kernel: Option<&'a Btf>,
    linux: Linux,
}

impl Resolver for Names<'_> {
    fn call(&self, name: &str) -> Option<Call> {
        if let Some(id) = self.linux.helper_by_name(name.strip_prefix("bpf_").unwrap_or(name)) {
            return i32::try_from(id.0).ok().map(Call::Helper);
        }
        let id = self.kernel?.find_by_name_kind(name, Kind::Func)?;
        i32::try_from(id.0).ok().map(|id| Call::Kfunc { id, btf: 0 })
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
        let Program { name, line: _, text, is_hex, settings } = program;
        let types = |text: &Option<String>| text.as_deref().map(types::declarations).transpose();
        let (kernel, own) = (types(&settings.kernel_types)?.map(Arc::new), types(&settings.own_types)?.map(Arc::new));
        let maps = settings.maps(own.as_deref())?;
        let Place { kind, attach, flags, target } = settings.place(kernel.as_deref())?;
        let text = Text::read(text)?;
        let privilege = settings.privilege()?;
        let names = Names { maps: &maps, kernel: kernel.as_deref(), linux: Linux::newest() };
        let image = if *is_hex { text.bytes() } else { text.assemble(&names) }?;
        let request = Insns::decode(&image.bytes).map(|insns| {
            let mut request = LoadRequest::new(name, kind, insns);
            request.attach_type = attach;
            request.attach_target = target;
            request.flags = flags;
            request.maps = maps;
            request.gpl_compatible = settings.is_gpl();
            request.privilege = privilege;
            if let Some(own) = &own {
                request.funcs = functions(own, &image.labels);
            }
            request.btf = own;
            request
        });
        let mut kernels = Vec::new();
        for version in settings.kernels() {
            let version = version.parse().map_err(|error| format!("kernel `{version}`: {error}"))?;
            kernels.push(Linux::new(version).map_err(|error| error.to_string())?);
        }
        if kernels.is_empty() {
            kernels.push(Linux::newest());
        }
        if let Some(kernel) = kernel {
            kernels = kernels.into_iter().map(|linux| linux.with_btf(Arc::clone(&kernel))).collect();
        }
        let lines = image.lines.into_iter().collect();
        let Text { code, expects, .. } = text;
        let code = if *is_hex { String::new() } else { code };
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

    /// The runners that cannot run it, each with the reason.
    pub fn skipped(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.skipped()
    }

    /// The codes with which it is refused somewhere; none where every kernel accepts it.
    pub fn refused_with(&self) -> impl Iterator<Item = &str> {
        self.expects.iter().filter_map(|(_, expect)| match expect {
            Expect::Reject { kernels: _, code } => Some(code.as_str()),
            Expect::Holds { .. } | Expect::Accept { .. } | Expect::Message { .. } => None,
        })
    }

    /// The codes that it shows how to avoid.
    pub fn avoids(&self) -> impl Iterator<Item = &str> {
        self.expects.iter().filter_map(|(_, expect)| match expect {
            Expect::Accept { code } => Some(code.as_str()),
            Expect::Holds { .. } | Expect::Reject { .. } | Expect::Message { .. } => None,
        })
    }

    /// Instructions that the search may look at.
    pub(super) const fn budget(&self) -> Option<u64> {
        self.settings.budget()
    }

    /// The line in the block that the slot comes from; the second half of a wide instruction from where the first does.
    pub(super) fn line_of(&self, at: InsnIdx) -> Option<u32> {
        self.lines.range(..=at).next_back().map(|(_, line)| *line)
    }
}

/// Where the functions begin that the types name: `main` at the first instruction, others at the label of their name.
fn functions(types: &Btf, labels: &BTreeMap<String, InsnIdx>) -> Vec<FuncInfo> {
    let mut functions: Vec<FuncInfo> = types
        .types()
        .filter(|ty| ty.kind() == Kind::Func)
        .filter_map(|ty| {
            let at = if ty.name() == "main" { InsnIdx(0) } else { *labels.get(ty.name())? };
            Some(FuncInfo { at, type_id: ty.id().0 })
        })
        .collect();
    functions.sort_by_key(|function| function.at);
    functions
}
