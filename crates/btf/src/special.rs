//! Special fields: objects of the kernel inside memory that belongs to programs.

use alloc::vec::Vec;

use thiserror::Error;

use crate::{Btf, Composite, Kind, Shape, Type, TypeId};

/// An object that the host keeps inside a map value and that a program may touch only through helpers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum FieldKind {
    /// `struct bpf_spin_lock`
    SpinLock,
    /// `struct bpf_res_spin_lock`
    ResSpinLock,
    /// `struct bpf_timer`
    Timer,
    /// `struct bpf_wq`
    Workqueue,
    /// `struct bpf_task_work`
    TaskWork,
    /// `struct bpf_refcount`
    Refcount,
    /// `struct bpf_list_head`
    ListHead,
    /// `struct bpf_list_node`
    ListNode,
    /// `struct bpf_rb_root`
    RbRoot,
    /// `struct bpf_rb_node`
    RbNode,
    /// Pointer to a kernel object, unreferenced (`__kptr_untrusted`).
    KptrUnref,
    /// Pointer to a kernel object, referenced (`__kptr`).
    KptrRef,
    /// Pointer to a per-CPU object (`__percpu_kptr`).
    KptrPercpu,
    /// Pointer to user memory shared with the host (`__uptr`).
    Uptr,
}

/// A special field of a structure or data section.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SpecialField {
    /// What it is.
    pub kind: FieldKind,
    /// Bytes from the start.
    pub offset: u32,
    /// Bytes it takes.
    pub size: u32,
    /// What a kernel pointer points to, or what a list or tree contains; `void` elsewhere.
    pub pointee: TypeId,
    /// For lists and trees: bytes from the start of what they contain to its node; 0 elsewhere.
    pub node: u32,
}

/// Why the kernel finds no special fields in a type that seems to have some.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SpecialError {
    /// The type is neither a structure nor a data section.
    #[error("neither a structure nor a data section")]
    Kind,
    /// More fields than a record has room for, or twice what may be there once.
    #[error("too many special fields, or one twice that may be there once")]
    TooMany,
    /// Nested deeper, or wider, than the kernel follows.
    #[error("nested too deep")]
    TooDeep,
    /// A member does not begin at a byte.
    #[error("a member does not begin at a byte")]
    Bitfield,
    /// Fields overlap.
    #[error("special fields overlap")]
    Overlap,
    /// A field goes past the end of the value.
    #[error("a special field goes past the end of the value")]
    Outside,
    /// A kind of field that cannot be an element of an array of structures.
    #[error("a special field in an array that cannot be repeated")]
    Repeated,
    /// A kernel pointer to something that is not a structure, or with several tags.
    #[error("a kernel pointer must have one tag and point to a structure")]
    Pointer,
    /// A list or tree without a fitting `contains:TYPE:NODE` tag.
    #[error("a list or tree does not say what it contains")]
    Contains,
    /// A list or tree without a lock beside it, two kinds of locks, or an object on lists and trees without a reference count.
    #[error("special fields that need, or exclude, each other")]
    Combination,
}

/// How many fields a record has room for (`BTF_FIELDS_MAX`).
const MOST: usize = 11;
/// How deep the kernel follows structures and arrays (`MAX_RESOLVE_DEPTH`).
const DEEPEST: usize = 32;
/// How many members a search looks at. Types nested so widely are made to be slow.
const PATIENCE: u32 = 1 << 14;

struct Named {
    kind: FieldKind,
    name: &'static str,
    /// A value has one at most.
    unique: bool,
}

static NAMED: [Named; 10] = [
    Named { kind: FieldKind::SpinLock, name: "bpf_spin_lock", unique: true },
    Named { kind: FieldKind::ResSpinLock, name: "bpf_res_spin_lock", unique: true },
    Named { kind: FieldKind::Timer, name: "bpf_timer", unique: true },
    Named { kind: FieldKind::Workqueue, name: "bpf_wq", unique: true },
    Named { kind: FieldKind::TaskWork, name: "bpf_task_work", unique: true },
    Named { kind: FieldKind::ListHead, name: "bpf_list_head", unique: false },
    Named { kind: FieldKind::ListNode, name: "bpf_list_node", unique: false },
    Named { kind: FieldKind::RbRoot, name: "bpf_rb_root", unique: false },
    Named { kind: FieldKind::RbNode, name: "bpf_rb_node", unique: false },
    Named { kind: FieldKind::Refcount, name: "bpf_refcount", unique: true },
];

impl FieldKind {
    /// What the kernel looks for in the values of maps.
    pub const IN_MAPS: &'static [Self] = &[
        Self::SpinLock,
        Self::ResSpinLock,
        Self::Timer,
        Self::Workqueue,
        Self::TaskWork,
        Self::Refcount,
        Self::ListHead,
        Self::RbRoot,
        Self::KptrUnref,
        Self::KptrRef,
        Self::KptrPercpu,
        Self::Uptr,
    ];

    /// What the kernel looks for in the types of objects that programs allocate.
    pub const IN_OBJECTS: &'static [Self] = &[
        Self::SpinLock,
        Self::ResSpinLock,
        Self::Refcount,
        Self::ListHead,
        Self::ListNode,
        Self::RbRoot,
        Self::RbNode,
        Self::KptrUnref,
        Self::KptrRef,
        Self::KptrPercpu,
    ];

    /// Bytes that it takes.
    #[must_use]
    pub const fn size(self) -> u32 {
        match self {
            Self::SpinLock | Self::ResSpinLock | Self::Refcount => 4,
            Self::TaskWork | Self::KptrUnref | Self::KptrRef | Self::KptrPercpu | Self::Uptr => 8,
            Self::Timer | Self::Workqueue | Self::ListHead | Self::RbRoot => 16,
            Self::ListNode => 24,
            Self::RbNode => 32,
        }
    }

    /// Its offset is a multiple of this.
    const fn align(self) -> u32 {
        match self {
            Self::SpinLock | Self::ResSpinLock | Self::Refcount => 4,
            Self::TaskWork | Self::KptrUnref | Self::KptrRef | Self::KptrPercpu | Self::Uptr => 8,
            Self::Timer | Self::Workqueue | Self::ListHead | Self::RbRoot | Self::ListNode | Self::RbNode => 8,
        }
    }

    /// May be in a structure that is an array's element.
    const fn repeats(self) -> bool {
        match self {
            Self::KptrUnref | Self::KptrRef | Self::KptrPercpu | Self::Uptr | Self::ListHead | Self::RbRoot => true,
            Self::SpinLock | Self::ResSpinLock | Self::Timer | Self::Workqueue | Self::TaskWork => false,
            Self::Refcount | Self::ListNode | Self::RbNode => false,
        }
    }
}

impl Btf {
    /// The special fields of a structure or data section that a value of `size` bytes has, by ascending offset, as the kernel
    /// finds them when it looks for `wanted` (`btf_parse_fields`, Linux 7.3).
    ///
    /// # Errors
    ///
    /// Why the kernel takes the type to have none; a map with such a type can be created, but its fields cannot be used.
    pub fn special_fields(
        &self,
        id: TypeId,
        size: u32,
        wanted: &[FieldKind],
    ) -> Result<Vec<SpecialField>, SpecialError> {
        let mut search = Search { btf: self, wanted, seen: Vec::new(), found: Vec::new(), patience: PATIENCE };
        match self.type_by_id(id).map(|ty| ty.shape()) {
            Some(Shape::Struct(composite)) => search.structure(composite, id)?,
            Some(Shape::Datasec { size: _, variables }) => {
                for variable in variables.iter() {
                    let Some(Shape::Var(var)) = self.type_by_id(variable.ty).map(|ty| ty.shape()) else { continue };
                    let place = Place {
                        owner: variable.ty,
                        component: None,
                        offset: variable.offset,
                        size: (variable.size != 0).then_some(variable.size),
                    };
                    if let Some(nested) = search.one(var.ty, place)? {
                        search.nested(nested)?;
                    }
                }
            }
            Some(_) | None => return Err(SpecialError::Kind),
        }
        search.finish(size)
    }
}

/// Where a member or variable lies, and what its tags are on.
#[derive(Clone, Copy)]
struct Place {
    owner: TypeId,
    component: Option<u32>,
    offset: u32,
    /// The size that the section says it has.
    size: Option<u32>,
}

/// A structure inside a structure, to be searched.
#[derive(Clone, Copy)]
struct Nested<'a> {
    id: TypeId,
    composite: Composite<'a>,
    offset: u32,
    /// How many of them lie one after another.
    count: u32,
}

/// A structure being searched.
struct Level<'a> {
    nested: Nested<'a>,
    /// The member that comes next.
    next: u32,
    /// How many fields had been found before it.
    first: usize,
}

struct Search<'a> {
    btf: &'a Btf,
    wanted: &'a [FieldKind],
    seen: Vec<FieldKind>,
    found: Vec<SpecialField>,
    patience: u32,
}

impl<'a> Search<'a> {
    fn structure(&mut self, composite: Composite<'a>, id: TypeId) -> Result<(), SpecialError> {
        self.nested(Nested { id, composite, offset: 0, count: 1 })
    }

    /// Searches a structure and, depth first, those inside it.
    fn nested(&mut self, nested: Nested<'a>) -> Result<(), SpecialError> {
        let mut levels = alloc::vec![Level { nested, next: 0, first: self.found.len() }];
        while let Some(level) = levels.last_mut() {
            let Level { nested, next, first } = level;
            let Some(member) = nested.composite.member(*next) else {
                let (nested, first) = (*nested, *first);
                levels.pop();
                self.repeat(first, nested.count, nested.composite.size)?;
                continue;
            };
            let component = *next;
            *next += 1;
            let (owner, base) = (nested.id, nested.offset);
            self.patience = self.patience.checked_sub(1).ok_or(SpecialError::TooDeep)?;
            if member.bit_offset % 8 != 0 {
                return Err(SpecialError::Bitfield);
            }
            let offset = base.checked_add(member.bit_offset / 8).ok_or(SpecialError::Outside)?;
            if let Some(inner) = self.one(member.ty, Place { owner, component: Some(component), offset, size: None })? {
                if levels.len() >= DEEPEST {
                    return Err(SpecialError::TooDeep);
                }
                levels.push(Level { nested: inner, next: 0, first: self.found.len() });
            }
        }
        Ok(())
    }

    /// Looks at one member or variable: it is a special field, or a structure to be searched, or neither.
    fn one(&mut self, id: TypeId, place: Place) -> Result<Option<Nested<'a>>, SpecialError> {
        let (ty, count) = self.element(id)?;
        let Some(ty) = ty.filter(|_| count > 0) else { return Ok(None) };
        let fits = |size: u32| place.size.is_none_or(|said| size.checked_mul(count) == Some(said));
        let named =
            NAMED.iter().find(|named| self.wanted.contains(&named.kind) && named.name.as_bytes() == ty.name_bytes());
        let Some(&Named { kind, name: _, unique }) = named else {
            if let Shape::Struct(composite) = ty.shape() {
                return Ok(fits(composite.size).then_some(Nested {
                    id: ty.id(),
                    composite,
                    offset: place.offset,
                    count,
                }));
            }
            if fits(8) && place.offset.is_multiple_of(8) {
                self.kernel_pointer(ty, place.offset, count)?;
            }
            return Ok(None);
        };
        if unique {
            if self.seen.contains(&kind) {
                return Err(SpecialError::TooMany);
            }
            self.seen.push(kind);
        }
        let Shape::Struct(composite) = ty.shape() else { return Ok(None) };
        if !fits(kind.size()) || !place.offset.is_multiple_of(kind.align()) || composite.size != kind.size() {
            return Ok(None);
        }
        let (pointee, node) = match kind {
            FieldKind::ListHead => self.contents(place, FieldKind::ListNode)?,
            FieldKind::RbRoot => self.contents(place, FieldKind::RbNode)?,
            FieldKind::SpinLock
            | FieldKind::ResSpinLock
            | FieldKind::Timer
            | FieldKind::Workqueue
            | FieldKind::TaskWork => (TypeId::VOID, 0),
            FieldKind::Refcount | FieldKind::ListNode | FieldKind::RbNode => (TypeId::VOID, 0),
            FieldKind::KptrUnref | FieldKind::KptrRef | FieldKind::KptrPercpu | FieldKind::Uptr => (TypeId::VOID, 0),
        };
        self.push(SpecialField { kind, offset: place.offset, size: kind.size(), pointee, node }, count)?;
        Ok(None)
    }

    /// What an array, of any number of dimensions, holds, and how many of it.
    fn element(&self, id: TypeId) -> Result<(Option<Type<'a>>, u32), SpecialError> {
        let mut ty = self.btf.type_by_id(id);
        let mut count = 1_u32;
        for _ in 0..DEEPEST {
            let Some(array) = ty.and_then(|ty| ty.as_array()) else { return Ok((ty, count)) };
            count = count.wrapping_mul(array.count);
            ty = self.btf.type_by_id(array.element);
        }
        Err(SpecialError::TooDeep)
    }

    fn kernel_pointer(&mut self, ty: Type<'a>, offset: u32, count: u32) -> Result<(), SpecialError> {
        let ty = if let Shape::Volatile(to) = ty.shape() { self.btf.type_by_id(to) } else { Some(ty) };
        let Some(mut id) = ty.and_then(|ty| ty.as_pointer()) else { return Ok(()) };
        let mut kinds = Vec::new();
        for _ in 0..=DEEPEST {
            let Some(ty) = self.btf.type_by_id(id) else { return Ok(()) };
            let Some(to) = ty.modified() else { break };
            if ty.kind() == Kind::TypeTag && !ty.kind_flag() {
                let kind = match ty.name() {
                    "kptr_untrusted" => Some(FieldKind::KptrUnref),
                    "kptr" => Some(FieldKind::KptrRef),
                    "percpu_kptr" => Some(FieldKind::KptrPercpu),
                    "uptr" => Some(FieldKind::Uptr),
                    _ => None,
                };
                kinds.extend(kind.filter(|kind| !kinds.contains(kind)));
            }
            id = to;
        }
        let kind = match kinds.as_slice() {
            [] => return Ok(()),
            &[kind] => kind,
            [_, _, ..] => return Err(SpecialError::Pointer),
        };
        if !self.wanted.contains(&kind) {
            return Ok(());
        }
        if self.btf.type_by_id(id).is_none_or(|ty| ty.kind() != Kind::Struct) {
            return Err(SpecialError::Pointer);
        }
        self.push(SpecialField { kind, offset, size: 8, pointee: id, node: 0 }, count)
    }

    /// What a list or tree contains, from its `contains:TYPE:NODE` tag.
    fn contents(&self, place: Place, node: FieldKind) -> Result<(TypeId, u32), SpecialError> {
        let mut tags =
            self.btf.decl_tags_of(place.owner, place.component).filter_map(|tag| tag.strip_prefix("contains:"));
        let (Some(tag), None) = (tags.next(), tags.next()) else { return Err(SpecialError::Contains) };
        let (ty, member) = tag.split_once(':').ok_or(SpecialError::Contains)?;
        let id = self.btf.find_by_name_kind(ty, Kind::Struct).ok_or(SpecialError::Contains)?;
        let Some(Shape::Struct(composite)) = self.btf.type_by_id(id).map(|ty| ty.shape()) else {
            return Err(SpecialError::Contains);
        };
        let mut nodes = composite.members().filter(|candidate| !member.is_empty() && candidate.name() == member);
        let (Some(found), None) = (nodes.next(), nodes.next()) else { return Err(SpecialError::Contains) };
        let of_kind = self.btf.type_by_id(found.ty).is_some_and(|ty| {
            let named = NAMED.iter().find(|named| named.kind == node);
            ty.kind() == Kind::Struct && named.is_some_and(|named| named.name == ty.name())
        });
        let offset = found.bit_offset / 8;
        let placed = found.bit_offset.is_multiple_of(8) && offset.is_multiple_of(node.align());
        if of_kind && placed { Ok((id, offset)) } else { Err(SpecialError::Contains) }
    }

    /// Adds a field, or as many in a row as an array has.
    fn push(&mut self, field: SpecialField, count: u32) -> Result<(), SpecialError> {
        if self.found.len() >= MOST {
            return Err(SpecialError::TooMany);
        }
        let first = self.found.len();
        self.found.push(field);
        self.repeat(first, count, field.size)
    }

    /// Repeats the fields from `first` on, as elements of an array.
    fn repeat(&mut self, first: usize, count: u32, size: u32) -> Result<(), SpecialError> {
        let element: Vec<_> = self.found.get(first..).unwrap_or_default().to_vec();
        if element.is_empty() || count <= 1 {
            return Ok(());
        }
        if element.iter().any(|field| !field.kind.repeats()) {
            return Err(SpecialError::Repeated);
        }
        let all = element.len().checked_mul(count as usize).ok_or(SpecialError::TooMany)?;
        if all > MOST.saturating_sub(first) {
            return Err(SpecialError::TooMany);
        }
        for nth in 1..count {
            let further = nth.checked_mul(size).ok_or(SpecialError::Outside)?;
            for field in &element {
                let offset = field.offset.checked_add(further).ok_or(SpecialError::Outside)?;
                self.found.push(SpecialField { offset, ..*field });
            }
        }
        Ok(())
    }

    /// The checks on the whole, in the kernel's order.
    fn finish(self, size: u32) -> Result<Vec<SpecialField>, SpecialError> {
        let mut next = 0;
        for field in &self.found {
            let end = field.offset.checked_add(field.size).filter(|&end| end <= size).ok_or(SpecialError::Outside)?;
            if field.offset < next {
                return Err(SpecialError::Overlap);
            }
            next = end;
        }
        let has = |kind: FieldKind| self.found.iter().any(|field| field.kind == kind);
        let locks = usize::from(has(FieldKind::SpinLock)) + usize::from(has(FieldKind::ResSpinLock));
        let unlocked = (has(FieldKind::ListHead) || has(FieldKind::RbRoot)) && locks == 0;
        let uncounted = has(FieldKind::ListNode) && has(FieldKind::RbNode) && !has(FieldKind::Refcount);
        if locks > 1 || unlocked || uncounted { Err(SpecialError::Combination) } else { Ok(self.found) }
    }
}
