//! Little-endian reads that cannot leave the slice.

/// The `N` bytes at `at`.
fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// The 32-bit number at `at`.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

/// The 16-bit number at `at`.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

/// Eight, twelve or more bytes as 32-bit words; a short slice gives zeroes, which callers exclude by having measured it.
pub(crate) fn words<const N: usize>(bytes: &[u8]) -> [u32; N] {
    let mut out = [0; N];
    for (word, chunk) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*chunk);
    }
    out
}

/// The longest string that is read. Strings may overlap, so that without a limit a small file could hold a great many long ones.
const LONGEST_STRING: usize = 1 << 14;

/// The bytes from `at` up to the next NUL; `None` if there is no NUL within reach.
pub(crate) fn until_nul(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = bytes.get(at..)?;
    let rest = rest.get(..LONGEST_STRING).unwrap_or(rest);
    let end = rest.iter().position(|&byte| byte == 0)?;
    rest.get(..end)
}
