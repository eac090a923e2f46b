//! The few changes that a loader makes to an object's types before the kernel sees them.

use alloc::sync::Arc;

use crate::{Btf, FuncLinkage, Kind, Type, TypeId, VarLinkage};

impl Btf {
    /// Changes the linkage of a function of this set; false where there is no such function.
    ///
    /// A loader turns hidden global functions into static ones, so that they are verified at each call.
    pub fn set_func_linkage(&mut self, id: TypeId, linkage: FuncLinkage) -> bool {
        let Some(head) = self.own(id, Kind::Func) else { return false };
        // The linkage is kept where other kinds count their elements; the kind stays as it is.
        let Some(old) = self.data.get(head + 4..head + 8).and_then(|word| <[u8; 4]>::try_from(word).ok()) else {
            return false;
        };
        let info = u32::from_le_bytes(old) & 0xff00_0000 | linkage.number();
        self.write(head + 4, info)
    }

    /// Sets the size of a data section, which compilers leave to the loader; false where there is no such section.
    pub fn set_section_size(&mut self, id: TypeId, size: u32) -> bool {
        self.own(id, Kind::Datasec).is_some_and(|head| self.write(head + 8, size))
    }

    /// Sets where in its data section the `index`th variable lies; false where there is no such variable.
    pub fn set_variable_offset(&mut self, section: TypeId, index: u32, off: u32) -> bool {
        let Some(head) = self.own(section, Kind::Datasec) else { return false };
        let inside = self.type_by_id(section).is_some_and(|ty| index < ty.vlen());
        inside && self.write(head + Type::HEAD + index as usize * 12 + 4, off)
    }

    /// Changes the linkage of a variable; false where there is no such variable.
    pub fn set_var_linkage(&mut self, id: TypeId, linkage: VarLinkage) -> bool {
        self.own(id, Kind::Var).is_some_and(|head| self.write(head + Type::HEAD, linkage.number()))
    }

    /// Where in the bytes an own type of this kind begins.
    fn own(&self, id: TypeId, kind: Kind) -> Option<usize> {
        if self.type_by_id(id)?.kind() != kind {
            return None;
        }
        Some(self.extents.get(id.0.checked_sub(self.first_id)? as usize)?.start as usize)
    }

    fn write(&mut self, at: usize, word: u32) -> bool {
        let Some(place) = Arc::make_mut(&mut self.data).get_mut(at..at.saturating_add(4)) else { return false };
        place.copy_from_slice(&word.to_le_bytes());
        true
    }
}
