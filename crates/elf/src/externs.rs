//! Externs: symbols that the kernel, or its configuration, is to provide.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use bpfvet_btf::co_re::{self, TargetType};
use bpfvet_btf::{Btf, FuncLinkage, Kind, Shape, TypeId, VarLinkage, essential_name};

use crate::file::{Binding, File};
use crate::kconfig::{self, Form, Value};
use crate::{Object, Options, Warning};

/// A symbol that the object does not define.
#[derive(Clone, Debug)]
pub(crate) struct Extern {
    pub(crate) name: String,
    /// It may be missing.
    pub(crate) weak: bool,
    pub(crate) kind: ExternKind,
}

/// What a symbol is declared to be.
#[derive(Clone, Debug)]
pub(crate) enum ExternKind {
    /// A value of the kernel's configuration.
    Kconfig { form: Form, size: u32, align: u32, offset: u32, value: Value },
    /// A variable of the kernel; of no type where only its address is wanted.
    Variable { ty: TypeId },
    /// A function of the kernel.
    Func { proto: TypeId },
    /// Declared in a way that loaders do not understand.
    Unusable(&'static str),
}

/// The externs of an object, in the order in which loaders number them.
#[derive(Debug, Default)]
pub(crate) struct Externs {
    pub(crate) list: Vec<Extern>,
    by_symbol: BTreeMap<usize, usize>,
}

impl Externs {
    pub(crate) fn collect(file: &File<'_>, btf: Option<&Btf>, options: &Options) -> Self {
        let symbols =
            file.symbols.iter().enumerate().filter(|(_, symbol)| symbol.is_extern() && !symbol.name.is_empty());
        let mut found: Vec<(usize, Extern)> = Vec::new();
        let Some(btf) = btf else { return Self::default() };
        let mut declared = None;
        for (number, symbol) in symbols {
            // Most objects have none: only then is the look-up worth its time.
            let declared = declared.get_or_insert_with(|| Declared::new(btf));
            let Some(kind) = declared.kind(btf, symbol.name.as_bytes()) else { continue };
            found.push((number, Extern { name: symbol.name.into(), weak: symbol.binding == Binding::Weak, kind }));
        }
        found.sort_by(|(_, a), (_, b)| a.kind.rank().cmp(&b.kind.rank()).then_with(|| a.name.cmp(&b.name)));
        let by_symbol = found.iter().enumerate().map(|(index, (number, _))| (*number, index)).collect();
        let mut list: Vec<_> = found.into_iter().map(|(_, found)| found).collect();
        kconfig::place(&mut list, options);
        Self { list, by_symbol }
    }

    /// The extern that this symbol is.
    pub(crate) fn by_symbol(&self, number: usize) -> Option<usize> {
        self.by_symbol.get(&number).copied()
    }

    /// Bytes of the map of the kernel's configuration; `None` where the object asks for none of it.
    pub(crate) fn kconfig_size(&self) -> Option<u32> {
        let ends = self.list.iter().filter_map(|found| match found.kind {
            ExternKind::Kconfig { form: _, size, align: _, offset, value: _ } => offset.checked_add(size),
            ExternKind::Variable { .. } | ExternKind::Func { .. } | ExternKind::Unusable(_) => None,
        });
        ends.max()
    }

    /// What is assumed of this extern, if something is.
    pub(crate) fn assumption(&self, index: usize, options: &Options) -> Option<Warning> {
        let found = self.list.get(index)?;
        match &found.kind {
            ExternKind::Kconfig { value: Value::Unknown, .. } => Some(Warning::KconfigUnknown),
            ExternKind::Variable { ty: TypeId::VOID } if options.kallsyms.is_none() => {
                Some(Warning::AssumedAddress(found.name.clone()))
            }
            ExternKind::Kconfig { .. }
            | ExternKind::Variable { .. }
            | ExternKind::Func { .. }
            | ExternKind::Unusable(_) => None,
        }
    }
}

impl ExternKind {
    /// Configuration values come first, strictly aligned before others, small before large.
    fn rank(&self) -> (u8, u32, u32) {
        match self {
            Self::Kconfig { form: _, size, align, offset: _, value: _ } => (1, u32::MAX - align, *size),
            Self::Variable { .. } | Self::Func { .. } | Self::Unusable(_) => (2, 0, 0),
        }
    }
}

/// What the object's types declare, by name.
struct Declared<'a> {
    by_name: BTreeMap<&'a [u8], TypeId>,
    section_of: BTreeMap<TypeId, &'a [u8]>,
}

impl<'a> Declared<'a> {
    fn new(btf: &'a Btf) -> Self {
        let mut by_name = BTreeMap::new();
        let mut section_of = BTreeMap::new();
        for ty in btf.types() {
            if matches!(ty.kind(), Kind::Var | Kind::Func) {
                by_name.entry(ty.name_bytes()).or_insert(ty.id());
            }
            if let Shape::Datasec { size: _, variables } = ty.shape() {
                for variable in variables.iter() {
                    section_of.entry(variable.ty).or_insert(ty.name_bytes());
                }
            }
        }
        Self { by_name, section_of }
    }

    /// What is declared under this name; `None` where nothing is.
    fn kind(&self, btf: &Btf, name: &[u8]) -> Option<ExternKind> {
        let id = *self.by_name.get(name)?;
        let section = *self.section_of.get(&id)?;
        let shape = btf.type_by_id(id)?.shape();
        Some(match (shape, section) {
            (Shape::Var(var), _) if var.linkage != VarLinkage::Extern => {
                ExternKind::Unusable("is declared, but not as extern")
            }
            (Shape::Func { linkage, .. }, _) if linkage != FuncLinkage::Extern => {
                ExternKind::Unusable("is declared, but not as extern")
            }
            (Shape::Var(var), b".kconfig") => match kconfig::form(btf, var.ty) {
                Some((form, size, align)) => {
                    ExternKind::Kconfig { form, size, align, offset: 0, value: Value::Unknown }
                }
                None => ExternKind::Unusable("is of a type that configuration values do not have"),
            },
            (Shape::Var(var), b".ksyms") => {
                ExternKind::Variable { ty: btf.resolve(var.ty).map(|ty| ty.id()).unwrap_or_default() }
            }
            (Shape::Func { proto, linkage: _ }, b".ksyms") => ExternKind::Func { proto },
            _ => ExternKind::Unusable("is in a section that loaders do not know"),
        })
    }
}

/// An address in the kernel's half, where the real one is not known.
const SOME_ADDRESS: u64 = 0xffff_ffff_8100_0000;

/// What an extern turned out to be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Resolved {
    /// A value at this place of the map of configuration values.
    Kconfig { offset: u32 },
    /// A variable or function of the kernel.
    Type(TargetType),
    /// An address.
    Address(u64),
    /// It is not there, and may be missing.
    Missing,
}

/// Looks an extern up on the host.
pub(crate) fn resolve(object: &Object, found: &Extern) -> Result<Resolved, String> {
    let kernel = &object.options.kernel_btf;
    let absent = |problem: &str| if found.weak { Ok(Resolved::Missing) } else { Err(String::from(problem)) };
    let no_kernel = "needs a kernel's types to be found; give a kernel's BTF with --btf";
    match &found.kind {
        ExternKind::Unusable(problem) => Err((*problem).into()),
        ExternKind::Kconfig { value: Value::Missing(problem), .. } => Err(problem.clone()),
        ExternKind::Kconfig { form: _, size: _, align: _, offset, value: _ } => {
            Ok(Resolved::Kconfig { offset: *offset })
        }
        ExternKind::Variable { ty: TypeId::VOID } => match &object.options.kallsyms {
            None => Ok(Resolved::Address(SOME_ADDRESS)),
            Some(symbols) => match symbols.get(&found.name) {
                Some(&address) => Ok(Resolved::Address(address)),
                None => absent("is not a symbol of the kernel"),
            },
        },
        ExternKind::Variable { ty: _ } | ExternKind::Func { proto: _ } if kernel.is_empty() => Err(no_kernel.into()),
        &ExternKind::Variable { ty } => {
            let Some(target) = kernel.find(&found.name, Kind::Var) else {
                return absent("is not a variable of the kernel");
            };
            let Some(Shape::Var(var)) = kernel.get(target).map(|ty| ty.shape()) else {
                return absent("is not a variable");
            };
            if compatible(object, ty, target.set, var.ty) {
                Ok(Resolved::Type(target))
            } else {
                Err("is of another type in the kernel".into())
            }
        }
        &ExternKind::Func { proto } => {
            let name = String::from_utf8_lossy(essential_name(found.name.as_bytes())).into_owned();
            let Some(target) = kernel.find(&name, Kind::Func) else { return absent("is not a function of the kernel") };
            let Some(Shape::Func { proto: theirs, linkage: _ }) = kernel.get(target).map(|ty| ty.shape()) else {
                return absent("is not a function");
            };
            if compatible(object, proto, target.set, theirs) {
                Ok(Resolved::Type(target))
            } else {
                absent("has another prototype in the kernel")
            }
        }
    }
}

/// Whether the object's declaration fits the kernel's type.
fn compatible(object: &Object, local: TypeId, set: u32, theirs: TypeId) -> bool {
    let types = object.btf.as_deref().zip(object.options.kernel_btf.set(set));
    let Some((btf, kernel)) = types else { return false };
    let theirs = kernel.resolve(theirs).map(|ty| ty.id());
    theirs.is_some_and(|theirs| co_re::types_are_compatible(btf, local, kernel, theirs).unwrap_or(false))
}
