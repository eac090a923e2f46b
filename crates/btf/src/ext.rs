//! `.BTF.ext`: what the compiler recorded about instructions: functions, lines, CO-RE relocations.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use thiserror::Error;

use crate::TypeId;
use crate::bytes::{u16_at, u32_at, words};
use crate::co_re::RelocKind;

/// The content of a `.BTF.ext` section, indexed by code section.
///
/// ```text
///  header │ func info: record size, then per section (name, count, records) │ line info: … │ CO-RE: …
/// ```
#[derive(Clone, Debug)]
pub struct BtfExt {
    data: Arc<[u8]>,
    funcs: Table,
    lines: Table,
    relocations: Table,
}

/// The records of one kind.
#[derive(Clone, Debug, Default)]
struct Table {
    record_size: usize,
    /// The name of the code section, as string offset, and where its records lie.
    sections: Vec<(u32, Range<usize>)>,
}

/// Why bytes are not `.BTF.ext`.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ExtError {
    /// The header is cut off, or is not one.
    #[error(".BTF.ext has no valid header")]
    Header,
    /// A table lies outside the bytes.
    #[error(".BTF.ext {0} lies outside the section")]
    Outside(&'static str),
    /// Records are shorter than the format's first version, or not whole words.
    #[error(".BTF.ext {table} has records of {size} bytes")]
    RecordSize {
        /// Which table.
        table: &'static str,
        /// What it says.
        size: u32,
    },
    /// A table claims more records than there are bytes.
    #[error(".BTF.ext {table} claims {count} records, more than fit")]
    Count {
        /// Which table.
        table: &'static str,
        /// How many it claims.
        count: u32,
    },
}

/// Where a function begins, and its type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FuncRecord {
    /// Bytes from the start of the code section.
    pub insn_off: u32,
    /// The function (`BTF_KIND_FUNC`).
    pub ty: TypeId,
}

/// The source line that an instruction came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineRecord {
    /// Bytes from the start of the code section.
    pub insn_off: u32,
    /// File name, as string offset.
    pub file_off: u32,
    /// Text of the line, as string offset.
    pub line_off: u32,
    /// Line number, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// A value in an instruction that depends on the layout of the kernel's types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CoreRecord {
    /// Bytes from the start of the code section.
    pub insn_off: u32,
    /// The local type that the access starts from.
    pub ty: TypeId,
    /// The access path, such as `0:1:2`, as string offset.
    pub access_off: u32,
    /// What is asked; the raw number where this crate does not know it.
    pub kind: Result<RelocKind, u32>,
}

impl BtfExt {
    /// The tables in these bytes.
    ///
    /// # Errors
    ///
    /// What does not fit in the bytes.
    pub fn parse(bytes: impl Into<Arc<[u8]>>) -> Result<Self, ExtError> {
        let data = bytes.into();
        let header_len = u32_at(&data, 4).ok_or(ExtError::Header)?;
        if u16_at(&data, 0) != Some(0xeb9f)
            || data.get(2) != Some(&1)
            || header_len < 24
            || data.len() < header_len as usize
        {
            return Err(ExtError::Header);
        }
        let table = |at: u32, name: &'static str, smallest: u32| {
            if header_len < at + 8 {
                return Ok(Table::default());
            }
            let outside = || ExtError::Outside(name);
            let (off, len) =
                (u32_at(&data, at as usize).ok_or_else(outside)?, u32_at(&data, at as usize + 4).ok_or_else(outside)?);
            let start = header_len.checked_add(off).ok_or_else(outside)?;
            let end = start.checked_add(len).ok_or_else(outside)?;
            if end as usize > data.len() {
                return Err(outside());
            }
            Table::read(&data, start as usize..end as usize, name, smallest)
        };
        let funcs = table(8, "function info", 8)?;
        let lines = table(16, "line info", 16)?;
        let relocations = table(24, "CO-RE relocations", 16)?;
        Ok(Self { funcs, lines, relocations, data })
    }

    /// The functions of each code section; the section's name is the string at the offset that comes first.
    pub fn funcs(&self) -> impl Iterator<Item = (u32, impl Iterator<Item = FuncRecord>)> {
        self.records(&self.funcs, |bytes| {
            let [insn_off, ty] = words(bytes);
            FuncRecord { insn_off, ty: TypeId(ty) }
        })
    }

    /// The lines of each code section.
    pub fn lines(&self) -> impl Iterator<Item = (u32, impl Iterator<Item = LineRecord>)> {
        self.records(&self.lines, |bytes| {
            let [insn_off, file_off, line_off, place] = words(bytes);
            LineRecord { insn_off, file_off, line_off, line: place >> 10, column: place & 0x3ff }
        })
    }

    /// The CO-RE relocations of each code section.
    pub fn relocations(&self) -> impl Iterator<Item = (u32, impl Iterator<Item = CoreRecord>)> {
        self.records(&self.relocations, |bytes| {
            let [insn_off, ty, access_off, kind] = words(bytes);
            CoreRecord { insn_off, ty: TypeId(ty), access_off, kind: RelocKind::from_number(kind).ok_or(kind) }
        })
    }

    fn records<T>(&self, table: &Table, read: fn(&[u8]) -> T) -> impl Iterator<Item = (u32, impl Iterator<Item = T>)> {
        table.sections.iter().map(move |(name, place)| {
            let bytes = self.data.get(place.clone()).unwrap_or_default();
            (*name, bytes.chunks_exact(table.record_size.max(1)).map(read))
        })
    }
}

impl Table {
    fn read(data: &[u8], place: Range<usize>, table: &'static str, smallest: u32) -> Result<Self, ExtError> {
        if place.is_empty() {
            return Ok(Self::default());
        }
        let outside = || ExtError::Outside(table);
        let (mut at, end) = (place.start, place.end);
        let take = |at: &mut usize| {
            let word = if end.saturating_sub(*at) >= 4 { u32_at(data, *at) } else { None };
            *at = at.saturating_add(4);
            word.ok_or_else(outside)
        };
        let size = take(&mut at)?;
        if size < smallest || !size.is_multiple_of(4) {
            return Err(ExtError::RecordSize { table, size });
        }
        let mut sections = Vec::new();
        while at < end {
            let (name, count) = (take(&mut at)?, take(&mut at)?);
            let too_many = ExtError::Count { table, count };
            let len = (size as usize)
                .checked_mul(count as usize)
                .filter(|&len| len <= end.saturating_sub(at))
                .ok_or(too_many)?;
            sections.push((name, at..at + len));
            at += len;
        }
        Ok(Self { record_size: size as usize, sections })
    }
}
