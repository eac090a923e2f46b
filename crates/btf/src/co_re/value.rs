//! What a relocation's value is, once the path to its field, type or enumerator is known.

use crate::co_re::spec::Spec;
use crate::co_re::{CoReError, RelocKind};
use crate::{Int, Kind, TypeId};

/// A value, and what goes with it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Value {
    pub(super) number: u64,
    /// Bytes that a load or store of the field takes, and the type that says so; for offsets of whole fields only.
    pub(super) access: Option<(u32, TypeId)>,
    /// Compilers may disagree on it, so that what the instruction holds is not checked.
    pub(super) vague: bool,
}

impl Value {
    const fn certain(number: u64) -> Self {
        Self { number, access: None, vague: false }
    }
}

/// The value for what a path leads to; `None` asks for poison: there is nothing there, and no way to say so.
pub(super) fn of(kind: RelocKind, spec: Option<&Spec<'_>>) -> Result<Option<Value>, CoReError> {
    match (kind, spec) {
        (RelocKind::FieldExists | RelocKind::EnumvalExists, found) => {
            Ok(Some(Value::certain(u64::from(found.is_some()))))
        }
        (RelocKind::TypeExists | RelocKind::TypeMatches, found) => Ok(Some(Value::certain(u64::from(found.is_some())))),
        (RelocKind::TypeIdLocal | RelocKind::TypeIdTarget | RelocKind::TypeSize, None) => Ok(Some(Value::certain(0))),
        (RelocKind::TypeIdLocal | RelocKind::TypeIdTarget, Some(spec)) => {
            Ok(Some(Value { number: u64::from(spec.root.0), access: None, vague: true }))
        }
        (RelocKind::TypeSize, Some(spec)) => {
            spec.btf.size_of(spec.root).map(|size| Some(Value::certain(u64::from(size)))).ok_or(CoReError::Malformed)
        }
        (RelocKind::EnumvalValue, Some(spec)) => {
            enumerator(spec).map(|value| Some(Value::certain(value))).ok_or(CoReError::Malformed)
        }
        (RelocKind::FieldByteOffset | RelocKind::FieldByteSize | RelocKind::FieldSigned, Some(spec)) => {
            field(kind, spec).map(Some)
        }
        (RelocKind::FieldLshiftU64 | RelocKind::FieldRshiftU64, Some(spec)) => field(kind, spec).map(Some),
        (
            RelocKind::EnumvalValue | RelocKind::FieldByteOffset | RelocKind::FieldByteSize | RelocKind::FieldSigned,
            None,
        ) => Ok(None),
        (RelocKind::FieldLshiftU64 | RelocKind::FieldRshiftU64, None) => Ok(None),
    }
}

fn enumerator(spec: &Spec<'_>) -> Option<u64> {
    let step = spec.end()?;
    let enumerator = spec.btf.type_by_id(step.ty)?.as_enumeration()?.enumerator(step.index)?;
    Some(enumerator.value.cast_unsigned())
}

fn field(kind: RelocKind, spec: &Spec<'_>) -> Result<Value, CoReError> {
    let step = spec.end().ok_or(CoReError::Malformed)?;
    let size_of = |id: TypeId| spec.btf.size_of(id).ok_or(CoReError::Malformed);
    // Loads and stores are of one element, also where the field is an array.
    let access = |id: TypeId| Ok((size_of(spec.element_of(id).ok_or(CoReError::Malformed)?)?, id));
    if step.name.is_none() {
        if kind == RelocKind::FieldByteOffset {
            return Ok(Value { number: u64::from(spec.bit_offset / 8), access: Some(access(step.ty)?), vague: false });
        }
        if kind == RelocKind::FieldByteSize {
            return Ok(Value::certain(u64::from(size_of(step.ty)?)));
        }
        return Err(CoReError::Element(kind.name()));
    }
    let member = spec.btf.type_by_id(step.ty).and_then(|ty| ty.as_composite()).and_then(|ty| ty.member(step.index));
    let member = member.ok_or(CoReError::Malformed)?;
    let ty = spec.btf.resolve(member.ty).ok_or(CoReError::Malformed)?;
    let window = if member.bits > 0 {
        Window::around(spec.bit_offset, member.bits, size_of(ty.id())?)?
    } else {
        let bytes = size_of(ty.id())?;
        Window { at: spec.bit_offset / 8, bytes, bit_offset: spec.bit_offset, bits: bytes.wrapping_mul(8) }
    };
    let bitfield = member.bits > 0;
    Ok(match kind {
        RelocKind::FieldByteOffset => Value {
            number: u64::from(window.at),
            access: if bitfield { None } else { Some(access(ty.id())?) },
            vague: bitfield,
        },
        RelocKind::FieldByteSize => Value { number: u64::from(window.bytes), access: None, vague: bitfield },
        RelocKind::FieldSigned => {
            let signed =
                ty.as_int().is_some_and(|int| int.signed) || ty.as_enumeration().is_some_and(|ty| ty.is_signed());
            Value::certain(u64::from(signed))
        }
        RelocKind::FieldLshiftU64 => {
            let end = window.bit_offset.wrapping_add(window.bits).wrapping_sub(window.at.wrapping_mul(8));
            Value { number: u64::from(64_u32.wrapping_sub(end)), access: None, vague: bitfield }
        }
        RelocKind::FieldRshiftU64 => Value::certain(u64::from(64_u32.wrapping_sub(window.bits))),
        RelocKind::FieldExists | RelocKind::TypeIdLocal | RelocKind::TypeIdTarget | RelocKind::TypeExists => {
            return Err(CoReError::Malformed);
        }
        RelocKind::TypeSize | RelocKind::TypeMatches | RelocKind::EnumvalExists | RelocKind::EnumvalValue => {
            return Err(CoReError::Malformed);
        }
    })
}

/// The bytes that a load takes to get at a field, and the field's bits.
struct Window {
    at: u32,
    bytes: u32,
    bit_offset: u32,
    bits: u32,
}

impl Window {
    /// The smallest aligned load, no smaller than the field's type, that has all the bits of a bitfield.
    fn around(bit_offset: u32, bits: u32, size: u32) -> Result<Self, CoReError> {
        let mut bytes = size;
        loop {
            if bytes == 0 || bytes > 8 {
                return Err(CoReError::Bitfield);
            }
            let at = bit_offset / 8 / bytes * bytes;
            if bit_offset.saturating_add(bits).saturating_sub(at.saturating_mul(8)) <= bytes * 8 {
                return Ok(Self { at, bytes, bit_offset, bits });
            }
            bytes *= 2;
        }
    }
}

/// Whether a load or store may take as many bytes as the target's field has, because what it reads is not sign-extended.
pub(super) fn can_resize(local: (&Spec<'_>, TypeId), target: (&Spec<'_>, TypeId)) -> bool {
    let ty = |(spec, id): (&Spec<'_>, TypeId)| {
        let ty = spec.btf.type_by_id(id);
        (ty.is_some_and(|ty| ty.kind() == Kind::Ptr), ty.and_then(|ty| ty.as_int()))
    };
    match (ty(local), ty(target)) {
        ((true, _), (true, _)) => true,
        ((_, Some(a)), (_, Some(b))) => {
            // A sign alone; characters and truth values are not extended by their sign.
            let signed = |int: Int| int.signed && !int.char && !int.bool;
            !signed(a) && !signed(b)
        }
        _ => false,
    }
}
