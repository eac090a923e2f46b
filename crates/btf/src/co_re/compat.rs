//! When two types are the same, as far as CO-RE cares: three relations, from lax to strict.
//!
//! - *compatible fields*: an access to one can be turned into an access to the other;
//! - *compatible types*: the same kind all the way down, names aside;
//! - *matching types*: all that the local type has is in the target.

use alloc::vec;

use crate::co_re::CoReError;
use crate::{Btf, Composite, Enumeration, Kind, Shape, Type, TypeId, essential_name};

/// How deep types are followed; libbpf's limit.
const DEEPEST: u32 = 32;
/// How many pairs of types a question looks at. Types that take longer are made to.
const PATIENCE: u32 = 1 << 16;

/// The same kind, both widths of enumerations being one.
pub(super) fn same_kind(local: Type<'_>, target: Type<'_>) -> bool {
    local.kind() == target.kind() || (local.as_enumeration().is_some() && target.as_enumeration().is_some())
}

/// Names are the same, flavours aside.
fn same_name(local: &[u8], target: &[u8]) -> bool {
    essential_name(local) == essential_name(target)
}

/// Whether an access to a local field can become an access to the target's.
pub(super) fn fields_are_compatible(
    local: &Btf,
    local_id: TypeId,
    target: &Btf,
    target_id: TypeId,
) -> Result<bool, CoReError> {
    let (mut local_id, mut target_id) = (local_id, target_id);
    for _ in 0..=DEEPEST {
        let (Some(a), Some(b)) = (local.resolve(local_id), target.resolve(target_id)) else {
            return Err(CoReError::Malformed);
        };
        if a.as_composite().is_some() && b.as_composite().is_some() {
            return Ok(true);
        }
        if !same_kind(a, b) {
            return Ok(false);
        }
        match (a.shape(), b.shape()) {
            (Shape::Ptr(_), _) | (Shape::Float { size: _ }, _) => return Ok(true),
            (Shape::Fwd { union: _ } | Shape::Enum(_) | Shape::Enum64(_), _) => {
                let (a, b) = (a.name_bytes(), b.name_bytes());
                return Ok(a.is_empty() || b.is_empty() || same_name(a, b));
            }
            (Shape::Int(a), Shape::Int(b)) => return Ok(a.bit_offset == 0 && b.bit_offset == 0),
            (Shape::Array(a), Shape::Array(b)) => (local_id, target_id) = (a.element, b.element),
            _ => return Ok(false),
        }
    }
    Err(CoReError::Malformed)
}

/// Whether the types are of the same kind, and what they point to, hold, take and return as well; names and sizes aside.
///
/// # Errors
///
/// Types that are malformed, or nested deeper than libbpf follows.
pub fn types_are_compatible(local: &Btf, local_id: TypeId, target: &Btf, target_id: TypeId) -> Result<bool, CoReError> {
    let (Some(a), Some(b)) = (local.type_by_id(local_id), target.type_by_id(target_id)) else {
        return Err(CoReError::Malformed);
    };
    if !same_kind(a, b) {
        return Ok(false);
    }
    let mut open = vec![(local_id, target_id, 0)];
    let mut patience = PATIENCE;
    while let Some((local_id, target_id, depth)) = open.pop() {
        patience = patience.checked_sub(1).ok_or(CoReError::Malformed)?;
        if depth > DEEPEST {
            return Err(CoReError::Malformed);
        }
        let (Some(a), Some(b)) = (local.resolve(local_id), target.resolve(target_id)) else {
            return Err(CoReError::Malformed);
        };
        if !same_kind(a, b) {
            return Ok(false);
        }
        match (a.shape(), b.shape()) {
            (
                Shape::Void
                | Shape::Struct(_)
                | Shape::Union(_)
                | Shape::Enum(_)
                | Shape::Enum64(_)
                | Shape::Fwd { union: _ },
                _,
            ) => {}
            (Shape::Int(a), Shape::Int(b)) if a.bit_offset == 0 && b.bit_offset == 0 => {}
            (Shape::Ptr(a), Shape::Ptr(b)) => open.push((a, b, depth + 1)),
            (Shape::Array(a), Shape::Array(b)) => open.push((a.element, b.element, depth + 1)),
            (Shape::FuncProto(a), Shape::FuncProto(b)) if a.len() == b.len() => {
                open.push((a.returns, b.returns, depth + 1));
                // No more than the question's patience is worth looking at.
                let pairs = a.params().zip(b.params()).take(PATIENCE as usize);
                open.extend(pairs.map(|(a, b)| (a.ty, b.ty, depth + 1)));
            }
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Whether all that the local type has is in the target: members by name, enumerators by name, sizes of integers.
///
/// # Errors
///
/// Types that are malformed, or nested deeper than libbpf follows.
pub fn types_match(local: &Btf, local_id: TypeId, target: &Btf, target_id: TypeId) -> Result<bool, CoReError> {
    let mut comparison = Comparison { local, target, patience: PATIENCE };
    comparison.types(local_id, target_id, false, DEEPEST)
}

struct Comparison<'a> {
    local: &'a Btf,
    target: &'a Btf,
    patience: u32,
}

impl<'a> Comparison<'a> {
    /// One level of nesting; `level` bounds how often this calls itself.
    fn types(
        &mut self,
        local_id: TypeId,
        target_id: TypeId,
        behind_pointer: bool,
        level: u32,
    ) -> Result<bool, CoReError> {
        let (mut local_id, mut target_id, mut behind_pointer) = (local_id, target_id, behind_pointer);
        let level = level.checked_sub(1).ok_or(CoReError::Malformed)?;
        for _ in 0..DEEPEST {
            self.patience = self.patience.checked_sub(1).ok_or(CoReError::Malformed)?;
            let (Some(a), Some(b)) = (self.local.resolve(local_id), self.target.resolve(target_id)) else {
                return Err(CoReError::Malformed);
            };
            if !same_name(a.name_bytes(), b.name_bytes()) {
                return Ok(false);
            }
            match (a.shape(), b.shape()) {
                (Shape::Void, Shape::Void) => return Ok(true),
                (Shape::Fwd { union: a }, Shape::Fwd { union: b }) => return Ok(a == b),
                (Shape::Fwd { union }, Shape::Struct(_)) => return Ok(behind_pointer && !union),
                (Shape::Fwd { union }, Shape::Union(_)) => return Ok(behind_pointer && union),
                (Shape::Struct(_), Shape::Fwd { union }) => return Ok(behind_pointer && !union),
                (Shape::Union(_), Shape::Fwd { union }) => return Ok(behind_pointer && union),
                (Shape::Enum(a) | Shape::Enum64(a), Shape::Enum(b) | Shape::Enum64(b)) => {
                    return self.enumerations(a, b);
                }
                (Shape::Struct(_), Shape::Struct(_)) | (Shape::Union(_), Shape::Union(_)) if behind_pointer => {
                    return Ok(true);
                }
                (Shape::Struct(a), Shape::Struct(b)) | (Shape::Union(a), Shape::Union(b)) => {
                    return self.composites(a, b, level);
                }
                (Shape::Int(a), Shape::Int(b)) => return Ok(a.size == b.size && a.signed == b.signed),
                (Shape::Ptr(a), Shape::Ptr(b)) => {
                    behind_pointer = true;
                    (local_id, target_id) = (a, b);
                }
                (Shape::Array(a), Shape::Array(b)) if a.count == b.count => {
                    (local_id, target_id) = (a.element, b.element)
                }
                (Shape::FuncProto(a), Shape::FuncProto(b)) if a.len() == b.len() => {
                    for (a, b) in a.params().zip(b.params()) {
                        if !self.types(a.ty, b.ty, behind_pointer, level)? {
                            return Ok(false);
                        }
                    }
                    (local_id, target_id) = (a.returns, b.returns);
                }
                _ => return Ok(false),
            }
        }
        Err(CoReError::Malformed)
    }

    /// Each local enumerator is in the target by name.
    fn enumerations(&mut self, a: Enumeration<'a>, b: Enumeration<'a>) -> Result<bool, CoReError> {
        if a.size != b.size || a.len() > b.len() {
            return Ok(false);
        }
        for local in a.enumerators() {
            self.patience = self.patience.checked_sub(1).ok_or(CoReError::Malformed)?;
            let name = local.name_bytes();
            if !b.enumerators().any(|target| same_name(name, target.name_bytes())) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Each local member is in the target by name, and matches there.
    fn composites(&mut self, a: Composite<'a>, b: Composite<'a>, level: u32) -> Result<bool, CoReError> {
        if a.len() > b.len() {
            return Ok(false);
        }
        for local in a.members() {
            let mut found = false;
            let name = local.name_bytes();
            for target in b.members() {
                self.patience = self.patience.checked_sub(1).ok_or(CoReError::Malformed)?;
                if same_name(name, target.name_bytes()) && self.types(local.ty, target.ty, false, level)? {
                    found = true;
                    break;
                }
            }
            if !found {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether the type is a structure's last member that stands for any number of elements.
pub(super) fn is_flexible(owner: Option<Type<'_>>, member: u32, count: u32) -> bool {
    let last =
        owner.and_then(|owner| owner.as_composite()).is_some_and(|owner| member.checked_add(1) == Some(owner.len()));
    count == 0 && last && owner.is_some_and(|owner| matches!(owner.kind(), Kind::Struct | Kind::Union))
}
