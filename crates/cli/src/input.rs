//! Files: bytes, objects, raw programs.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use bpfvet::elf::{Object, Options, ProgramError};
use bpfvet::insn::{DecodeError, Program};
use bpfvet::platform::{LoadRequest, Privilege};

use crate::fault::Fault;
use crate::host::{Host, Types};
use crate::pick::Kind;

/// The bytes of a file; `-` is standard input.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).map_err(|error| format!("cannot read standard input: {error}"))?;
        return Ok(bytes);
    }
    fs::read(path).map_err(|error| {
        let shown = path.display();
        let known = [
            (io::ErrorKind::NotFound, "there is no such file"),
            (io::ErrorKind::PermissionDenied, "permission denied"),
            (io::ErrorKind::IsADirectory, "is a directory; name the object files in it"),
        ];
        Fault::Told(match known.iter().find(|(kind, _)| *kind == error.kind()) {
            Some((_, text)) => format!("{shown}: {text}"),
            None => format!("{shown}: cannot be read: {error}"),
        })
    })
}

/// The text of a file.
pub(crate) fn read_text(path: &Path) -> Result<String, Fault> {
    String::from_utf8(read(path)?).map_err(|_| Fault::Told(format!("{}: is not text", path.display())))
}

/// One file, as each kernel's loader sees it.
#[derive(Debug)]
pub(crate) struct Input {
    /// Its name, as it was given.
    pub(crate) path: String,
    pub(crate) content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    /// An object, with what depends on the kernel by the kernels' order.
    Object { bytes: Vec<u8>, views: Vec<View> },
    /// Bare instructions.
    Raw { name: String, program: Result<Program, DecodeError> },
}

/// An object as one kernel's loader sees it.
#[derive(Debug)]
pub(crate) struct View {
    options: Options,
    plain: Arc<Object>,
    typed: OnceLock<Option<Object>>,
}

impl View {
    pub(crate) fn plain(&self) -> &Object {
        &self.plain
    }

    /// The object resolved against the kernel's types; `None` where there are none.
    pub(crate) fn typed(&self, bytes: &[u8], types: &Types) -> Option<&Object> {
        let parse = || {
            let mut options = self.options.clone();
            options.kernel_btf = Arc::clone(types.get()?).into();
            // What was an object without the types is one with them.
            Object::parse(bytes, &options).ok()
        };
        self.typed.get_or_init(parse).as_ref()
    }
}

/// What every loader is told.
#[derive(Debug)]
pub(crate) struct Loader {
    pub(crate) kconfig: Option<String>,
    pub(crate) privilege: Privilege,
}

impl Input {
    /// Reads an object.
    pub(crate) fn object(path: &Path, hosts: &[Host], loader: &Loader) -> Result<Self, Fault> {
        let bytes = read(path)?;
        let path = path.display().to_string();
        let mut views: Vec<View> = Vec::with_capacity(hosts.len());
        for host in hosts {
            let mut options = Options::for_file(&path);
            options.kconfig = loader.kconfig.as_deref().map(Into::into);
            options.kernel_version = Some(host.version());
            options.privilege = loader.privilege;
            let same = views.last().filter(|last| !depends_on_release(&last.plain)).map(|last| Arc::clone(&last.plain));
            let plain = match same {
                Some(object) => object,
                None => {
                    let object = Object::parse(&bytes, &options).map_err(|error| format!("{path}: {error}"))?;
                    Arc::new(object)
                }
            };
            views.push(View { options, plain, typed: OnceLock::new() });
        }
        Ok(Self { path, content: Content::Object { bytes, views } })
    }

    /// Reads bare instructions.
    pub(crate) fn raw(path: &Path) -> Result<Self, Fault> {
        let bytes = read(path)?;
        let name = path.file_stem().map_or_else(|| "raw".to_owned(), |stem| stem.to_string_lossy().into_owned());
        let path = path.display().to_string();
        if bytes.is_empty() {
            return Err(Fault::Told(format!("{path}: the file is empty")));
        }
        Ok(Self { path, content: Content::Raw { name, program: Program::decode_as_linux(&bytes) } })
    }
}

/// Whether a loader makes something else of the object on another release.
fn depends_on_release(object: &Object) -> bool {
    object.maps().any(|map| map.section == ".kconfig")
}

/// What a kernel would be asked to load for a program of an object.
pub(crate) fn request(object: &Object, index: usize, kind: Option<&Kind>) -> Option<Result<LoadRequest, ProgramError>> {
    let entry = object.programs().get(index)?;
    Some(match kind {
        Some(kind) => {
            let mut entry = entry.clone();
            kind.put_on(&mut entry);
            object.load_request(&entry)
        }
        None => object.load_request(entry),
    })
}
