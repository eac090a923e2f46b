//! Bytes to [`Btf`]: the header, and one pass over the types to learn their extents.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use thiserror::Error;

use crate::btf::Extent;
use crate::bytes::{u16_at, u32_at, words};
use crate::ty::{Head, Kind};
use crate::{Btf, Type, TypeId};

const MAGIC: u16 = 0xeb9f;
/// Up to the last field that every header has.
const SHORTEST_HEADER: u32 = 24;
/// Up to the two fields that describe the layout section (Linux 7.1 and later).
const LAYOUT_HEADER: u32 = 32;

/// Why bytes are not BTF.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum BtfError {
    /// Too short for a header.
    #[error("{0} bytes are too few for a BTF header")]
    Short(usize),
    /// The first two bytes are wrong.
    #[error("BTF begins with {0:#06x} instead of 0xeb9f")]
    Magic(u16),
    /// Written on a big-endian machine.
    #[error("big-endian BTF is not supported")]
    BigEndian,
    /// Another version of the format.
    #[error("BTF version {0} is not supported")]
    Version(u8),
    /// A section of the header lies outside the bytes.
    #[error("BTF {section} section ({off:#x}, {len:#x} bytes) lies outside its {size:#x} bytes")]
    Section {
        /// Its name.
        section: &'static str,
        /// Where the header says that it begins.
        off: u32,
        /// How long the header says that it is.
        len: u32,
        /// How many bytes there are.
        size: usize,
    },
    /// The string section does not begin or does not end with NUL.
    #[error("BTF string section is not enclosed in NUL")]
    Strings,
    /// A type goes past the end of the type section.
    #[error("BTF type [{id}] of kind {kind} goes past the end of the type section")]
    Truncated {
        /// The type.
        id: TypeId,
        /// Its kind's number.
        kind: u32,
    },
    /// A kind that this crate does not know, without a layout section to tell how long it is.
    #[error("BTF type [{id}] is of unknown kind {kind}")]
    UnknownKind {
        /// The type.
        id: TypeId,
        /// Its kind's number.
        kind: u32,
    },
    /// Types, strings or bytes beyond 32 bits.
    #[error("BTF is too large")]
    TooLarge,
}

impl Btf {
    /// The types that these bytes, the content of a `.BTF` section or of `/sys/kernel/btf/vmlinux`, describe.
    ///
    /// # Errors
    ///
    /// The first thing that keeps the types from being enumerated. What a type says may still be nonsense.
    pub fn parse(bytes: impl Into<Arc<[u8]>>) -> Result<Self, BtfError> {
        parse(bytes.into(), None)
    }

    /// The types that these bytes, such as `/sys/kernel/btf/MODULE`, add to those of `base`.
    ///
    /// # Errors
    ///
    /// As [`Btf::parse`].
    pub fn parse_split(base: Arc<Self>, bytes: impl Into<Arc<[u8]>>) -> Result<Self, BtfError> {
        parse(bytes.into(), Some(base))
    }
}

fn parse(data: Arc<[u8]>, base: Option<Arc<Btf>>) -> Result<Btf, BtfError> {
    if u32::try_from(data.len()).is_err() {
        return Err(BtfError::TooLarge);
    }
    let header = Header::read(&data)?;
    let (first_id, first_string) = match &base {
        Some(base) => (base.end_id().0, base.end_string()),
        None => (1, 0),
    };
    let text = data.get(header.strings.clone()).unwrap_or_default();
    let starts_well = base.is_some() || text.first() == Some(&0);
    if text.last().is_some_and(|&last| last != 0) || !(text.is_empty() || starts_well) {
        return Err(BtfError::Strings);
    }
    let layout = data.get(header.layout.clone()).unwrap_or_default();
    let (extents, tags) = measure(&data, header.types, layout, first_id)?;
    let end_id = u32::try_from(extents.len()).ok().and_then(|count| first_id.checked_add(count));
    let end_string = u32::try_from(header.strings.len()).ok().and_then(|len| first_string.checked_add(len));
    if end_id.is_none() || end_string.is_none() {
        return Err(BtfError::TooLarge);
    }
    Ok(Btf { base, strings: header.strings, extents: extents.into(), tags: tags.into(), first_id, first_string, data })
}

struct Header {
    types: Range<usize>,
    strings: Range<usize>,
    layout: Range<usize>,
}

impl Header {
    fn read(data: &[u8]) -> Result<Self, BtfError> {
        let short = || BtfError::Short(data.len());
        let magic = u16_at(data, 0).ok_or_else(short)?;
        if magic == MAGIC.swap_bytes() {
            return Err(BtfError::BigEndian);
        }
        if magic != MAGIC {
            return Err(BtfError::Magic(magic));
        }
        let version = *data.get(2).ok_or_else(short)?;
        if version != 1 {
            return Err(BtfError::Version(version));
        }
        let len = u32_at(data, 4).ok_or_else(short)?;
        if len < SHORTEST_HEADER || data.len() < len as usize {
            return Err(short());
        }
        let section = |at: usize, section: &'static str| {
            let (off, size) = (u32_at(data, at).ok_or_else(short)?, u32_at(data, at + 4).ok_or_else(short)?);
            let outside = || BtfError::Section { section, off, len: size, size: data.len() };
            let start = len.checked_add(off).ok_or_else(outside)?;
            let end = start.checked_add(size).ok_or_else(outside)?;
            if end as usize > data.len() { Err(outside()) } else { Ok(start as usize..end as usize) }
        };
        let (types, strings) = (section(8, "type")?, section(16, "string")?);
        let layout = if len >= LAYOUT_HEADER { section(24, "layout")? } else { 0..0 };
        Ok(Self { types, strings, layout })
    }
}

type Measured = (Vec<Extent>, Vec<(TypeId, TypeId)>);

/// Where each type begins and how long it is; and which types are tagged.
fn measure(data: &[u8], types: Range<usize>, layout: &[u8], first_id: u32) -> Result<Measured, BtfError> {
    let mut left = data.get(types.clone()).unwrap_or_default();
    let mut start = types.start;
    // Kernel BTF averages a little under three words of body per type.
    let mut extents = Vec::with_capacity(left.len() / 24);
    let mut tags = Vec::new();
    while !left.is_empty() {
        let index = u32::try_from(extents.len()).map_err(|_| BtfError::TooLarge)?;
        let id = TypeId(first_id.checked_add(index).ok_or(BtfError::TooLarge)?);
        let (head, after) = left.split_at_checked(Type::HEAD).ok_or(BtfError::Truncated { id, kind: 0 })?;
        let head = Head::from_words(words(head));
        let kind = head.kind_number();
        let body = match Kind::from_number(kind) {
            Some(known) => known.body_len(head.vlen()),
            None => layout_len(layout, kind, head.vlen()).ok_or(BtfError::UnknownKind { id, kind })?,
        };
        let (_, rest) = after.split_at_checked(body).ok_or(BtfError::Truncated { id, kind })?;
        if Kind::from_number(kind) == Some(Kind::DeclTag) {
            tags.push((TypeId(head.word), id));
        }
        extents.push(Extent {
            start: u32::try_from(start).map_err(|_| BtfError::TooLarge)?,
            body: u32::try_from(body).map_err(|_| BtfError::TooLarge)?,
        });
        start = start.saturating_add(Type::HEAD).saturating_add(body);
        left = rest;
    }
    tags.sort_unstable();
    Ok((extents, tags))
}

/// The length of the body of an unknown kind, from the layout section: four bytes per kind, of which the first two are the
/// length of the fixed part and that of each element.
fn layout_len(layout: &[u8], kind: u32, vlen: u32) -> Option<usize> {
    let at = usize::try_from(kind).ok()?.checked_mul(4)?;
    let &[fixed, element, _, _] = layout.get(at..at.checked_add(4)?)? else { return None };
    usize::from(element).checked_mul(vlen as usize)?.checked_add(usize::from(fixed))
}
