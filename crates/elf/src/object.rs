//! An object: programs, maps, types.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bpfvet_btf::{Btf, BtfExt, FuncLinkage, Kind, Shape};
use bpfvet_platform::{LoadRequest, MapDef, ProgramType};

use crate::code::Code;
use crate::externs::Externs;
use crate::file::{Binding, File, SymbolType};
use crate::link::Linker;
use crate::maps::Maps;
use crate::{ElfError, MapError, Options, ProgramEntry, ProgramError, Warning, reloc};

/// The section of functions that programs call.
const TEXT: &str = ".text";

/// An object file, read and resolved.
#[derive(Debug)]
pub struct Object {
    pub(crate) options: Options,
    pub(crate) license: String,
    pub(crate) btf: Option<Arc<Btf>>,
    pub(crate) code: Code,
    pub(crate) externs: Externs,
    pub(crate) maps: Maps,
    pub(crate) core: crate::core_relo::Outcome,
    programs: Vec<ProgramEntry>,
}

/// A map of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MapEntry<'a> {
    /// Its name in the object; the kernel keeps fewer bytes of it.
    pub name: &'a str,
    /// The section that declares it, or whose data it holds.
    pub section: &'a str,
    /// What it is, or why it cannot be created.
    pub def: Result<&'a MapDef, &'a MapError>,
}

impl Object {
    /// Reads an object file.
    ///
    /// # Errors
    ///
    /// What keeps the file from being an eBPF object at all. What is wrong with one program or map is an error of its own.
    pub fn parse(bytes: &[u8], options: &Options) -> Result<Self, ElfError> {
        let file = File::parse(bytes)?;
        let mut btf = match file.section(".BTF") {
            Some(section) if !section.data.is_empty() => Some(Btf::parse(section.data)?),
            Some(_) | None => None,
        };
        let ext = match file.section(".BTF.ext") {
            Some(section) if !section.data.is_empty() && btf.is_some() => Some(BtfExt::parse(section.data)?),
            Some(_) | None => None,
        };
        let mut code = Code::collect(&file, btf.as_ref(), ext.as_ref());
        if let Some(btf) = &mut btf {
            complete_sections(btf, &file);
            hide_functions(btf, &code);
        }
        let externs = Externs::collect(&file, btf.as_ref(), options);
        let maps = Maps::collect(&file, btf.as_ref(), &externs, &code, options);
        reloc::collect(&file, &mut code, &maps, &externs);
        let core = crate::core_relo::apply(&mut code, btf.as_ref(), options);
        let license = file.section("license").map(|section| license(section.data)).unwrap_or_default();
        let mut programs = programs(&code, options);
        choose_struct_ops(&mut programs, &maps);
        let (options, btf) = (options.clone(), btf.map(Arc::new));
        Ok(Self { options, license, btf, code, externs, maps, core, programs })
    }

    /// Its programs, in the order of sections and of functions within them.
    #[must_use]
    pub fn programs(&self) -> &[ProgramEntry] {
        &self.programs
    }

    /// Its maps, in the order in which loaders create them.
    pub fn maps(&self) -> impl Iterator<Item = MapEntry<'_>> {
        self.maps.list.iter().map(|map| MapEntry { name: &map.name, section: &map.section, def: map.def.as_ref() })
    }

    /// Its types.
    #[must_use]
    pub fn btf(&self) -> Option<&Arc<Btf>> {
        self.btf.as_ref()
    }

    /// Its licence; empty where it does not say.
    #[must_use]
    pub fn license(&self) -> &str {
        &self.license
    }

    /// What the kernel would be asked to load for this program, one of this object's.
    ///
    /// # Errors
    ///
    /// What keeps a loader from asking at all.
    pub fn load_request(&self, program: &ProgramEntry) -> Result<LoadRequest, ProgramError> {
        Linker::new(self, program).run()
    }

    /// The linked instructions of this program as bytes, whether they are instructions or not.
    ///
    /// # Errors
    ///
    /// As [`Object::load_request`], save that nothing is decoded.
    pub fn linked_bytes(&self, program: &ProgramEntry) -> Result<Vec<u8>, ProgramError> {
        let mut linker = Linker::new(self, program);
        linker.link()?;
        Ok(linker.bytes())
    }

    /// What may keep this program from being attached, and what had to be assumed about the host.
    #[must_use]
    pub fn warnings(&self, program: &ProgramEntry) -> Vec<Warning> {
        crate::attachment::warnings(self, program)
    }
}

/// A text that ends at the first NUL or at the end of its section.
fn license(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

/// Gives data sections the sizes and their variables the places that compilers leave to loaders.
fn complete_sections(btf: &mut Btf, file: &File<'_>) {
    let mut symbols = None;
    let mut changes = Vec::new();
    let mut sizes = BTreeMap::new();
    for section in &file.sections {
        sizes.entry(section.name.as_bytes()).or_insert(section.size);
    }
    for section in btf.types() {
        let Shape::Datasec { size, variables } = section.shape() else { continue };
        if matches!(section.name(), ".kconfig" | ".ksyms") {
            continue;
        }
        let symbols = symbols.get_or_insert_with(|| {
            let objects = file.symbols.iter().filter(|symbol| {
                symbol.kind == SymbolType::Object && matches!(symbol.binding, Binding::Global | Binding::Weak)
            });
            objects.map(|symbol| (symbol.name.as_bytes(), symbol)).collect::<BTreeMap<_, _>>()
        });
        let real =
            file.section(section.name()).and_then(|section| u32::try_from(section.size).ok()).unwrap_or_default();
        if size == 0 && real != 0 {
            changes.push(Change::Size(section.id(), real));
        }
        for (index, variable) in (0_u32..).zip(variables.iter()) {
            let Some(ty) = btf.type_by_id(variable.ty) else { continue };
            let Shape::Var(var) = ty.shape() else { continue };
            let Some(symbol) = symbols.get(ty.name_bytes()).filter(|_| var.linkage == bpfvet_btf::VarLinkage::Global)
            else {
                continue;
            };
            if size == 0
                && let Ok(offset) = u32::try_from(symbol.value)
            {
                changes.push(Change::Offset(section.id(), index, offset));
            }
            if symbol.hidden {
                changes.push(Change::Static(ty.id()));
            }
        }
    }
    for change in changes {
        match change {
            Change::Size(id, size) => btf.set_section_size(id, size),
            Change::Offset(id, index, offset) => btf.set_variable_offset(id, index, offset),
            Change::Static(id) => btf.set_var_linkage(id, bpfvet_btf::VarLinkage::Static),
        };
    }
}

enum Change {
    Size(bpfvet_btf::TypeId, u32),
    Offset(bpfvet_btf::TypeId, u32, u32),
    Static(bpfvet_btf::TypeId),
}

/// Tells the kernel that hidden functions are static, so that it verifies them at each call and not by themselves.
fn hide_functions(btf: &mut Btf, code: &Code) {
    let in_text = |index: usize| code.sections.get(index).is_some_and(|section| section.name == TEXT);
    let mut names: Vec<_> = code
        .functions
        .iter()
        .filter(|function| function.hidden && in_text(function.section))
        .map(|function| function.name.as_bytes())
        .collect();
    if names.is_empty() {
        return;
    }
    names.sort_unstable();
    let global = |shape: Shape<'_>| matches!(shape, Shape::Func { linkage: FuncLinkage::Global, .. });
    let hidden = btf
        .types()
        .filter(|ty| ty.kind() == Kind::Func && global(ty.shape()) && names.binary_search(&ty.name_bytes()).is_ok());
    let hidden: Vec<_> = hidden.map(|ty| ty.id()).collect();
    for id in hidden {
        btf.set_func_linkage(id, FuncLinkage::Static);
    }
}

/// The programs: the functions outside of `.text`; where there are none, the global functions in it.
fn programs(code: &Code, options: &Options) -> Vec<ProgramEntry> {
    let entries = |in_text: bool| {
        let functions = code.functions.iter().enumerate().filter_map(move |(index, function)| {
            let section = code.sections.get(function.section)?;
            let entry = (section.name == TEXT) == in_text && (function.global || !in_text);
            entry.then(|| ProgramEntry::new(&function.name, &section.name, index, options.multi_uprobes))
        });
        functions.collect::<Vec<_>>()
    };
    let programs = entries(false);
    if programs.is_empty() { entries(true) } else { programs }
}

/// Structure operations are loaded where a structure that is created refers to them.
fn choose_struct_ops(programs: &mut [ProgramEntry], maps: &Maps) {
    let mut created: BTreeMap<usize, bool> = BTreeMap::new();
    for ops in &maps.struct_ops {
        let is_created = maps.list.get(ops.map).is_some_and(|map| !map.left_out);
        for &(_, _, function) in &ops.programs {
            *created.entry(function).or_default() |= is_created;
        }
    }
    for program in programs.iter_mut().filter(|program| program.program_type == Some(ProgramType::STRUCT_OPS)) {
        program.autoload = created.get(&program.function).copied().unwrap_or(program.autoload);
    }
}
