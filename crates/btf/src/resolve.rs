//! Walks along references: through modifiers, and to sizes.

use crate::{Btf, Shape, Type, TypeId};

/// How many references a walk follows. Linux refuses types nested deeper (`MAX_RESOLVE_DEPTH`), and cycles end here.
const DEEPEST: usize = 32;

impl Btf {
    /// The type behind typedefs, qualifiers and type tags; `None` past the end and for chains longer than Linux accepts.
    #[must_use]
    pub fn resolve(&self, id: TypeId) -> Option<Type<'_>> {
        let mut ty = self.type_by_id(id)?;
        for _ in 0..=DEEPEST {
            let Some(to) = ty.modified() else { return Some(ty) };
            ty = self.type_by_id(to)?;
        }
        None
    }

    /// Bytes that a value of the type takes on a 64-bit machine; `None` for types that have no size (`void`, functions), for
    /// what does not fit in 32 bits, and for chains longer than Linux accepts.
    #[must_use]
    pub fn size_of(&self, id: TypeId) -> Option<u32> {
        let mut elements = 1_u32;
        let mut ty = self.type_by_id(id)?;
        for _ in 0..=DEEPEST {
            let size = match ty.shape() {
                Shape::Int(int) => int.size,
                Shape::Ptr(_) => 8,
                Shape::Struct(composite) | Shape::Union(composite) => composite.size,
                Shape::Enum(enumeration) | Shape::Enum64(enumeration) => enumeration.size,
                Shape::Float { size } | Shape::Datasec { size, variables: _ } => size,
                Shape::Array(array) => {
                    elements = elements.checked_mul(array.count)?;
                    ty = self.type_by_id(array.element)?;
                    continue;
                }
                Shape::Typedef(to)
                | Shape::Volatile(to)
                | Shape::Const(to)
                | Shape::Restrict(to)
                | Shape::TypeTag(to) => {
                    ty = self.type_by_id(to)?;
                    continue;
                }
                Shape::Var(variable) => {
                    ty = self.type_by_id(variable.ty)?;
                    continue;
                }
                Shape::Void
                | Shape::Fwd { union: _ }
                | Shape::Func { .. }
                | Shape::FuncProto(_)
                | Shape::DeclTag { .. }
                | Shape::Unknown => {
                    return None;
                }
            };
            return elements.checked_mul(size);
        }
        None
    }
}
