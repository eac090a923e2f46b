//! Contexts: what a load from one yields.

use bpfvet::platform::ProgramType;
use bpfvet_insn::Size;

use super::{FaultCause, Machine, Ptr, RegionKind, Stop, Word};

/// Where a type's context keeps the packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Bytes of it.
    pub size: i64,
    /// Offset of the field with the packet's start.
    pub data: Option<i64>,
    /// Offset of the field with the packet's end.
    pub data_end: Option<i64>,
    /// Fields that are pointers which the machine does not model begin and end here.
    pub unmodelled: (i64, i64),
}

impl Layout {
    /// Of this type of program. (`struct xdp_md`, `struct __sk_buff`; others: numbers)
    #[must_use]
    pub fn of(kind: ProgramType) -> Self {
        let numbers = Self { size: 4096, data: None, data_end: None, unmodelled: (0, 0) };
        if kind == ProgramType::XDP {
            Self { size: 24, data: Some(0), data_end: Some(4), unmodelled: (8, 12) }
        } else if kind == ProgramType::SCHED_CLS {
            Self { size: 192, data: Some(76), data_end: Some(80), unmodelled: (140, 192) }
        } else if kind == ProgramType::SOCKET_FILTER {
            Self { size: 192, unmodelled: (140, 192), ..numbers }
        } else {
            numbers
        }
    }
}

impl Machine<'_> {
    /// A field: the packet's bounds, or any number of that size.
    pub(super) fn load_context(&mut self, off: i64, size: Size) -> Result<Word, Stop> {
        let bytes = i64::from(size.bytes());
        let end = off.saturating_add(bytes);
        if off < 0 || end > self.layout.size {
            let kind = RegionKind::Context;
            return Err(FaultCause::OutOfBounds { kind, off, size: size.bytes() }.into());
        }
        let (first, last) = self.layout.unmodelled;
        if off < last && end > first {
            return Err(Stop::Unsupported("a field of the context"));
        }
        if Some(off) == self.layout.data && size == Size::B4 {
            return Ok(Word::Ptr(Ptr { region: self.packet, off: 0 }));
        }
        if Some(off) == self.layout.data_end && size == Size::B4 {
            return Ok(Word::Ptr(Ptr { region: self.packet, off: self.packet_len() }));
        }
        let above = 64 - size.bits();
        Ok(Word::Num((self.choices.word() << above) >> above))
    }
}
