//! BTF, the type format of eBPF.
//!
//! **Invariant.** This crate knows types, names, function and line records, and how CO-RE matches one set of types against
//! another. It knows no object file, no instruction and no verdict.
//!
//! ```text
//!  .BTF      header │ types: (name, info, size|type) body … │ strings: \0 i n t \0 …   ──▶ Btf ──▶ Type ──▶ Shape
//!  .BTF.ext  header │ per section: (offset, record) …                                  ──▶ BtfExt
//!                     func info, line info, CO-RE relocations
//!  CO-RE     (local type, access path, kind) × candidates in the targets               ──▶ co_re::Resolution
//! ```
//!
//! Types and strings are decoded where they lie; parsing makes one pass to learn where each type begins. Whatever passes
//! [`Btf::parse`] may still be nonsense (cycles, dangling ids): every walk in this crate is bounded and ends.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod bytes;

mod btf;
mod parse;
mod parts;
mod ty;

mod edit;
mod names;
mod resolve;

mod special;

mod ext;

pub mod co_re;

pub use btf::{Btf, TypeId};
pub use ext::{BtfExt, CoreRecord, ExtError, FuncRecord, LineRecord};
pub use names::{NameIndex, essential_name};
pub use parse::BtfError;
pub use parts::{
    Array, Composite, Enumeration, Enumerator, FuncLinkage, Int, Member, Param, Proto, VarInfo, VarInfos, VarLinkage,
    Variable,
};
pub use special::{FieldKind, SpecialError, SpecialField};
pub use ty::{Kind, Shape, Type};
