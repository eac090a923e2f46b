//! From a record to a value: candidates, comparison, agreement.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::co_re::compat::{same_kind, types_are_compatible, types_match};
use crate::co_re::spec::Spec;
use crate::co_re::value::{self, Value, can_resize};
use crate::co_re::{CoReError, RelocKind, TargetType, Targets};
use crate::{Btf, CoreRecord, TypeId};

/// What becomes of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resolution {
    /// What the instruction must hold before; `None` where compilers may disagree on it.
    pub expected: Option<u64>,
    /// What becomes of it.
    pub resolved: Resolved,
}

/// What becomes of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resolved {
    /// There is nothing to refer to: it must not be reached.
    Poison,
    /// It holds this value.
    Value {
        /// The value.
        value: u64,
        /// Loads and stores take another number of bytes.
        resize: Option<Resize>,
    },
}

/// The field has another size in the target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resize {
    /// Bytes before.
    pub from: u32,
    /// Bytes after.
    pub to: u32,
    /// A load or store may be changed so; otherwise it must not be reached.
    pub allowed: bool,
}

/// Carries out the relocations of one object, in order.
///
/// Candidates that do not fit one relocation are not asked again for the same type, as in libbpf.
#[derive(Debug)]
pub struct Matcher<'a> {
    local: &'a Btf,
    targets: &'a Targets,
    candidates: BTreeMap<TypeId, Vec<TargetType>>,
    known: BTreeMap<(TypeId, u32, u32), Result<Resolution, CoReError>>,
}

impl<'a> Matcher<'a> {
    /// A matcher of these local types against those of a kernel.
    #[must_use]
    pub fn new(local: &'a Btf, targets: &'a Targets) -> Self {
        Self { local, targets, candidates: BTreeMap::new(), known: BTreeMap::new() }
    }

    /// What becomes of the instruction of this record.
    ///
    /// # Errors
    ///
    /// Why it cannot be said. That the target lacks a field or type is no error.
    pub fn resolve(&mut self, record: &CoreRecord) -> Result<Resolution, CoReError> {
        let kind = record.kind.map_err(CoReError::Kind)?;
        let key = (record.ty, record.access_off, kind as u32);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let resolution = self.resolve_anew(record, kind);
        self.known.insert(key, resolution.clone());
        resolution
    }

    fn resolve_anew(&mut self, record: &CoreRecord, kind: RelocKind) -> Result<Resolution, CoReError> {
        let ty = self.local.type_by_id(record.ty).ok_or(CoReError::NoType(record.ty))?;
        let local = Spec::parse(self.local, record, kind)?;
        if kind == RelocKind::TypeIdLocal {
            let resolved = Resolved::Value { value: u64::from(record.ty.0), resize: None };
            return Ok(Resolution { expected: None, resolved });
        }
        if ty.name_bytes().is_empty() {
            return Err(CoReError::Anonymous(record.ty));
        }
        let targets = self.targets;
        let candidates = match self.candidates.get(&record.ty) {
            Some(known) => known.clone(),
            None => self.find_candidates(record.ty, ty.name_bytes()),
        };
        let mut fitting = Vec::new();
        let mut agreed: Option<(Spec<'a>, Resolution)> = None;
        for candidate in &candidates {
            let Some(target) = targets.set(candidate.set) else { continue };
            let Some(found) = find(&local, target, candidate.id, kind)? else { continue };
            let resolution = decide(kind, &local, Some(&found))?;
            if let Some((first, before)) = &agreed {
                if first.bit_offset != found.bit_offset || before.resolved.decision() != resolution.resolved.decision()
                {
                    return Err(CoReError::Ambiguous(String::from(ty.name())));
                }
            } else {
                agreed = Some((found, resolution));
            }
            fitting.push(*candidate);
        }
        let kept = if fitting.is_empty() { candidates } else { fitting };
        self.candidates.insert(record.ty, kept);
        match agreed {
            Some((_, resolution)) => Ok(resolution),
            None => decide(kind, &local, None),
        }
    }

    /// The target's types of the same kind and name; a module's only where the kernel itself has none.
    fn find_candidates(&self, local: TypeId, name: &[u8]) -> Vec<TargetType> {
        let Some(local) = self.local.type_by_id(local) else { return Vec::new() };
        let mut found = Vec::new();
        for (set, _) in (0_u32..).zip(self.targets.sets()) {
            let named = self.targets.named(set, name).filter(|&target| same_kind(local, target));
            found.extend(named.map(|ty| TargetType { set, id: ty.id() }));
            if set == 0 && !found.is_empty() {
                break;
            }
        }
        found
    }
}

impl Resolved {
    /// What candidates have to agree on.
    fn decision(self) -> Option<u64> {
        match self {
            Self::Poison => None,
            Self::Value { value, resize: _ } => Some(value),
        }
    }
}

/// Looks for what a local path leads to in a target's type.
fn find<'a>(local: &Spec<'a>, target: &'a Btf, id: TypeId, kind: RelocKind) -> Result<Option<Spec<'a>>, CoReError> {
    if !kind.is_about_type() {
        return local.find_in(target, id, kind);
    }
    let compare = if kind == RelocKind::TypeMatches { types_match } else { types_are_compatible };
    let fits = compare(local.btf, local.root, target, id)?;
    Ok(fits.then(|| Spec::new(target, id)))
}

/// What becomes of the instruction when its local path leads to this place of the target.
fn decide(kind: RelocKind, local: &Spec<'_>, target: Option<&Spec<'_>>) -> Result<Resolution, CoReError> {
    // A local path always leads somewhere.
    let before = value::of(kind, Some(local))?.ok_or(CoReError::Malformed)?;
    let expected = (!before.vague).then_some(before.number);
    let Some(after) = value::of(kind, target)? else { return Ok(Resolution { expected, resolved: Resolved::Poison }) };
    let resize = resize(local, before, target, after);
    Ok(Resolution { expected, resolved: Resolved::Value { value: after.number, resize } })
}

fn resize(local: &Spec<'_>, before: Value, target: Option<&Spec<'_>>, after: Value) -> Option<Resize> {
    let size = |value: Value| value.access.map_or(0, |(size, _)| size);
    let (from, to) = (size(before), size(after));
    if from == to {
        return None;
    }
    let types = before.access.zip(after.access).zip(target);
    let allowed = types.is_some_and(|(((_, a), (_, b)), target)| can_resize((local, a), (target, b)));
    Some(Resize { from, to, allowed })
}
