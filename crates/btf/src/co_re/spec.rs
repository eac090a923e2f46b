//! Access paths: from a type through named fields and array indices to a place in it.

use alloc::string::String;
use alloc::vec::Vec;

use crate::co_re::compat::{fields_are_compatible, is_flexible};
use crate::co_re::{CoReError, RelocKind};
use crate::{Btf, CoreRecord, Shape, TypeId, essential_name};

/// The longest path (`BPF_CORE_SPEC_MAX_LEN`).
const LONGEST: usize = 64;
/// How many members a search for a field looks at.
const PATIENCE: u32 = 1 << 18;

/// A step of a path that means something: a named field, or an index.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'a> {
    /// The structure that has the field; for indices, the type of the element.
    pub(super) ty: TypeId,
    /// Of the field, or in the array.
    pub(super) index: u32,
    /// The field's name; `None` for indices.
    pub(super) name: Option<&'a [u8]>,
}

/// A path through types. Anonymous structures on the way are passed through, not steps.
#[derive(Clone, Debug)]
pub(super) struct Spec<'a> {
    pub(super) btf: &'a Btf,
    pub(super) root: TypeId,
    pub(super) steps: Vec<Step<'a>>,
    /// How many steps there were with the anonymous ones.
    raw_len: usize,
    pub(super) bit_offset: u32,
}

impl<'a> Spec<'a> {
    pub(super) fn new(btf: &'a Btf, root: TypeId) -> Self {
        Self { btf, root, steps: Vec::new(), raw_len: 0, bit_offset: 0 }
    }

    /// The path of a record, checked against the types that it goes through.
    pub(super) fn parse(btf: &'a Btf, record: &CoreRecord, kind: RelocKind) -> Result<Self, CoReError> {
        let text = btf.string_at(record.access_off).unwrap_or_default();
        let wrong = || CoReError::Path(String::from(text));
        let mut this = Self::new(btf, record.ty);
        if kind.is_about_type() {
            return if text == "0" { Ok(this) } else { Err(wrong()) };
        }
        let mut path = Vec::new();
        for part in text.split(':') {
            if path.len() == LONGEST {
                return Err(wrong());
            }
            path.push(part.parse::<u32>().ok().filter(|&index| i32::try_from(index).is_ok()).ok_or_else(wrong)?);
        }
        let (&first, rest) = path.split_first().ok_or_else(wrong)?;
        let root = btf.resolve(record.ty).ok_or_else(wrong)?;
        if kind.is_about_enumerator() {
            let enumerator =
                root.as_enumeration().filter(|_| rest.is_empty()).and_then(|enumeration| enumeration.enumerator(first));
            let name = enumerator.ok_or_else(wrong)?.name_bytes();
            this.steps.push(Step { ty: root.id(), index: first, name: Some(name) });
            return Ok(this);
        }
        this.enter(root.id(), first).ok_or_else(wrong)?;
        let mut id = root.id();
        for &index in rest {
            let ty = btf.resolve(id).ok_or_else(wrong)?;
            if let Some(composite) = ty.as_composite() {
                let member = composite.member(index).ok_or_else(wrong)?;
                this.bit_offset = this.bit_offset.wrapping_add(member.bit_offset);
                if !member.name_bytes().is_empty() {
                    this.steps.push(Step { ty: ty.id(), index, name: Some(member.name_bytes()) });
                }
                id = member.ty;
            } else if let Some(array) = ty.as_array() {
                if index >= array.count && !this.ends_in_flexible(array.count) {
                    return Err(wrong());
                }
                id = btf.resolve(array.element).ok_or_else(wrong)?.id();
                this.enter(id, index).ok_or_else(wrong)?;
            } else {
                return Err(wrong());
            }
        }
        Ok(this)
    }

    /// Takes the element at this index of elements of this type.
    fn enter(&mut self, id: TypeId, index: u32) -> Option<()> {
        let size = self.btf.size_of(id)?;
        self.steps.push(Step { ty: id, index, name: None });
        self.raw_len += 1;
        self.bit_offset = self.bit_offset.wrapping_add(index.wrapping_mul(size).wrapping_mul(8));
        Some(())
    }

    /// Whether the last step is a field that stands for any number of elements.
    fn ends_in_flexible(&self, count: u32) -> bool {
        let last = self.steps.last().filter(|step| step.name.is_some());
        last.is_some_and(|step| is_flexible(self.btf.type_by_id(step.ty), step.index, count))
    }

    /// The same path through a type of the target; `None` where the target has no such thing.
    pub(super) fn find_in(&self, target: &'a Btf, id: TypeId, kind: RelocKind) -> Result<Option<Self>, CoReError> {
        let mut found = Self::new(target, id);
        if kind.is_about_enumerator() {
            return Ok(self.find_enumerator(found, id));
        }
        let mut id = id;
        for (nth, step) in self.steps.iter().enumerate() {
            let ty = target.resolve(id).ok_or(CoReError::Malformed)?;
            if step.name.is_some() {
                match found.find_field(self.btf, step, ty.id())? {
                    Some(next) => id = next,
                    None => return Ok(None),
                }
                continue;
            }
            id = ty.id();
            // The first index is into an array of the root type, which is not itself an array.
            if nth > 0 {
                let Some(array) = ty.as_array() else { return Ok(None) };
                if step.index >= array.count && !found.ends_in_flexible(array.count) {
                    return Ok(None);
                }
                id = target.resolve(array.element).ok_or(CoReError::Malformed)?.id();
            }
            if found.raw_len >= LONGEST {
                return Err(CoReError::Malformed);
            }
            found.enter(id, step.index).ok_or(CoReError::Malformed)?;
        }
        Ok(Some(found))
    }

    fn find_enumerator(&self, mut found: Self, id: TypeId) -> Option<Self> {
        let ty = found.btf.resolve(id)?;
        let wanted = essential_name(self.steps.first()?.name?);
        let mut enumerators = (0_u32..).zip(ty.as_enumeration()?.enumerators());
        let (index, enumerator) =
            enumerators.find(|(_, enumerator)| essential_name(enumerator.name_bytes()) == wanted)?;
        found.steps.push(Step { ty: ty.id(), index, name: Some(enumerator.name_bytes()) });
        Some(found)
    }

    /// Looks for the field of `step`, a local step, in a target type and in the anonymous types inside it, in order; returns the
    /// type of what was found.
    fn find_field(&mut self, local: &Btf, step: &Step<'_>, id: TypeId) -> Result<Option<TypeId>, CoReError> {
        let local_member =
            local.type_by_id(step.ty).and_then(|ty| ty.as_composite()).and_then(|ty| ty.member(step.index));
        let local_member = local_member.ok_or(CoReError::Malformed)?;
        let name = local_member.name_bytes();
        let (raw_len, bit_offset) = (self.raw_len, self.bit_offset);
        // The types being looked through: the type, its next member, and the offset of the type itself.
        let mut levels = alloc::vec![(id, 0_u32, bit_offset)];
        let mut patience = PATIENCE;
        while let Some((id, next, base)) = levels.last_mut() {
            let ty = self.btf.resolve(*id).ok_or(CoReError::Malformed)?;
            let Some(member) = ty.as_composite().and_then(|ty| ty.member(*next)) else {
                levels.pop();
                continue;
            };
            let (index, base) = (*next, *base);
            *next += 1;
            patience = patience.checked_sub(1).ok_or(CoReError::Malformed)?;
            if raw_len.saturating_add(levels.len()) > LONGEST {
                return Err(CoReError::Malformed);
            }
            let at = base.wrapping_add(member.bit_offset);
            if member.name_bytes().is_empty() {
                levels.push((member.ty, 0, at));
            } else if member.name_bytes() == name {
                if !fields_are_compatible(local, local_member.ty, self.btf, member.ty)? {
                    return Ok(None);
                }
                self.raw_len = raw_len.saturating_add(levels.len());
                self.bit_offset = at;
                self.steps.push(Step { ty: ty.id(), index, name: Some(member.name_bytes()) });
                return Ok(Some(member.ty));
            }
        }
        Ok(None)
    }

    /// The bytes of the field or element that the path ends at, and how an instruction reaches it.
    pub(super) fn end(&self) -> Option<&Step<'a>> {
        self.steps.last()
    }

    /// What an array, of any number of dimensions, holds.
    pub(super) fn element_of(&self, id: TypeId) -> Option<TypeId> {
        let mut ty = self.btf.resolve(id)?;
        for _ in 0..LONGEST {
            let Shape::Array(array) = ty.shape() else { return Some(ty.id()) };
            ty = self.btf.resolve(array.element)?;
        }
        None
    }
}
