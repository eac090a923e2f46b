//! Choices: what a fuzzer decides, and when it has nothing more to say, a seed.

/// A source of decisions, the same for the same bytes: first the bytes themselves, then a stream seeded by all of them.
///
/// So a fuzzer steers what it can reach, and a number alone ([`Choices::seeded`]) is a whole run.
#[derive(Clone, Debug)]
pub struct Choices<'a> {
    bytes: &'a [u8],
    state: u64,
}

impl<'a> Choices<'a> {
    /// Decides by these bytes, then by a stream that depends on all of them.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        let state = bytes
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
        Self { bytes, state }
    }

    /// Decides by a number.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self { bytes: &[], state: seed }
    }

    /// Any word, all equally likely once the bytes are used up. (Steele, Lea and Flood, `SplitMix64`)
    pub fn bits(&mut self) -> u64 {
        if let Some((first, rest)) = self.bytes.split_first() {
            self.bytes = rest;
            return u64::from(*first);
        }
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; zero where the bound is zero.
    pub fn below(&mut self, bound: u32) -> u32 {
        let bits = self.bits();
        u32::try_from(bits.checked_rem(u64::from(bound)).unwrap_or(0)).unwrap_or(0)
    }

    /// Yes, one time in `times`.
    pub fn one_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }

    /// That many bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len.next_multiple_of(8));
        while bytes.len() < len {
            bytes.extend(self.bits().to_le_bytes());
        }
        bytes.truncate(len);
        bytes
    }

    /// One of these.
    pub fn pick<T: Copy, const N: usize>(&mut self, from: &[T; N]) -> T {
        const { assert!(N > 0) };
        from[self.below(u32::try_from(N).unwrap_or(u32::MAX)) as usize]
    }

    /// A word of the kind that finds mistakes: small, near a power of two, near an end of a range, or any.
    pub fn word(&mut self) -> u64 {
        match self.below(6) {
            0 => u64::from(self.below(20)),
            1 => (u64::from(self.below(20))).wrapping_neg(),
            2 => {
                let power = 1_u64 << self.below(64);
                power.wrapping_add(u64::from(self.below(3))).wrapping_sub(1)
            }
            3 => {
                let ends =
                    [0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000, u64::MAX];
                self.pick(&ends)
            }
            4 => self.bits() & 0xffff_ffff,
            _ => self.bits(),
        }
    }

    /// A 32-bit immediate of that kind.
    pub fn imm(&mut self) -> i32 {
        self.word() as i32
    }
}
