//! Registers, sets of registers, and positions in a program.

use core::fmt;

/// A register, `r0` to `r11`.
///
/// `r0` to `r9` are general, `r10` is the read-only frame pointer. `r11` exists only as the base of loads and stores that pass
/// a function's sixth to twelfth argument (Linux 7.3); no other operand may name it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reg(u8);

impl Reg {
    /// Result register, and the value compared by an atomic compare-and-exchange.
    pub const R0: Self = Self(0);
    /// First argument.
    pub const R1: Self = Self(1);
    /// Second argument.
    pub const R2: Self = Self(2);
    /// Third argument.
    pub const R3: Self = Self(3);
    /// Fourth argument.
    pub const R4: Self = Self(4);
    /// Fifth argument.
    pub const R5: Self = Self(5);
    /// First register that calls preserve.
    pub const R6: Self = Self(6);
    /// Preserved by calls.
    pub const R7: Self = Self(7);
    /// Preserved by calls.
    pub const R8: Self = Self(8);
    /// Preserved by calls.
    pub const R9: Self = Self(9);
    /// The frame pointer, read-only.
    pub const FP: Self = Self(10);
    /// The base of stack arguments.
    pub const ARGS: Self = Self(11);

    /// The register with this number, if there is one.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number <= 11 { Some(Self(number)) } else { None }
    }

    /// Its number, 0 to 11.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Its number as an index into a register file.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The `n`-th argument register, counted from zero; `None` from the sixth on.
    #[must_use]
    pub const fn arg(n: u8) -> Option<Self> {
        if n < 5 { Some(Self(n + 1)) } else { None }
    }
}

impl fmt::Display for Reg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.0)
    }
}

impl fmt::Debug for Reg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A set of registers, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct RegSet(u16);

impl RegSet {
    /// No register.
    pub const EMPTY: Self = Self(0);
    /// `r0` to `r5`, which a call overwrites.
    pub const CALLER_SAVED: Self = Self(0b11_1111);
    /// `r1` to `r5`.
    pub const ARGS: Self = Self(0b11_1110);

    /// The set with these bits; bit *n* is register *n*.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & 0xfff)
    }

    /// Bit *n* is set when register *n* is in the set.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The set of one register.
    #[must_use]
    pub const fn of(reg: Reg) -> Self {
        Self(1 << reg.number())
    }

    /// This set and `reg`.
    #[must_use]
    pub const fn with(self, reg: Reg) -> Self {
        Self(self.0 | 1 << reg.number())
    }

    /// This set without `reg`.
    #[must_use]
    pub const fn without(self, reg: Reg) -> Self {
        Self(self.0 & !(1 << reg.number()))
    }

    /// Whether `reg` is in the set.
    #[must_use]
    pub const fn contains(self, reg: Reg) -> bool {
        self.0 & (1 << reg.number()) != 0
    }

    /// Whether no register is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Registers in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Registers in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Registers in this set and not in `other`.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Adds `reg`.
    pub const fn insert(&mut self, reg: Reg) {
        self.0 |= 1 << reg.number();
    }

    /// Removes `reg`.
    pub const fn remove(&mut self, reg: Reg) {
        self.0 &= !(1 << reg.number());
    }

    /// Its members in ascending order.
    pub fn iter(self) -> impl Iterator<Item = Reg> {
        let mut rest = self.0 & 0xfff;
        core::iter::from_fn(move || {
            let lowest = (rest != 0).then(|| rest.trailing_zeros() as u8)?;
            rest &= rest - 1;
            Some(Reg(lowest))
        })
    }
}

impl fmt::Debug for RegSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<Reg> for RegSet {
    fn from_iter<T: IntoIterator<Item = Reg>>(iter: T) -> Self {
        iter.into_iter().fold(Self::EMPTY, Self::with)
    }
}

/// The position of an instruction, in 8-byte slots from the start of its program, as the kernel counts.
///
/// A 64-bit immediate load takes two slots; its position is that of the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct InsnIdx(pub u32);

impl InsnIdx {
    /// As an index into a slice of slots.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The slot `slots` further on; `None` where that leaves the range of positions.
    #[must_use]
    pub fn offset(self, slots: i64) -> Option<Self> {
        i64::from(self.0).checked_add(slots).and_then(|at| u32::try_from(at).ok()).map(Self)
    }

    /// The slot after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for InsnIdx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for InsnIdx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}
