//! An archive that a kernel unpacks as its first file system (`newc` format of `initramfs`).

use std::io::{self, Write};

/// Modes of the entries that we need.
const DIRECTORY: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const CHARACTER_DEVICE: u32 = 0o020_600;

/// Writes an archive, entry by entry.
#[derive(Debug)]
pub(crate) struct Archive<W> {
    to: W,
    entries: u32,
}

impl<W: Write> Archive<W> {
    pub(crate) fn new(to: W) -> Self {
        Self { to, entries: 0 }
    }

    pub(crate) fn directory(&mut self, name: &str) -> io::Result<()> {
        self.entry(name, DIRECTORY, (0, 0), &[])
    }

    pub(crate) fn file(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.entry(name, PROGRAM, (0, 0), bytes)
    }

    /// The device that the kernel gives to `init` as its terminal.
    pub(crate) fn console(&mut self) -> io::Result<()> {
        self.entry("dev/console", CHARACTER_DEVICE, (5, 1), &[])
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.entry("TRAILER!!!", 0, (0, 0), &[])?;
        self.to.flush()
    }

    fn entry(&mut self, name: &str, mode: u32, device: (u32, u32), bytes: &[u8]) -> io::Result<()> {
        self.entries += 1;
        let too_big = || io::Error::new(io::ErrorKind::InvalidInput, "too big for an archive");
        let size = u32::try_from(bytes.len()).map_err(|_| too_big())?;
        let name_size = u32::try_from(name.len() + 1).map_err(|_| too_big())?;
        // Magic, then: inode, mode, user, group, links, time, size, device, device of the node, size of the name, sum.
        let header = [self.entries, mode, 0, 0, 1, 0, size, 0, 0, device.0, device.1, name_size, 0];
        self.to.write_all(b"070701")?;
        for field in header {
            write!(self.to, "{field:08X}")?;
        }
        self.to.write_all(name.as_bytes())?;
        self.to.write_all(b"\0")?;
        self.pad(6 + 8 * header.len() + name.len() + 1)?;
        self.to.write_all(bytes)?;
        self.pad(bytes.len())
    }

    /// Each part ends at a multiple of four.
    fn pad(&mut self, written: usize) -> io::Result<()> {
        let missing = written.wrapping_neg() % 4;
        self.to.write_all(b"\0\0\0".get(..missing).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::Archive;

    #[test]
    fn entries_are_aligned_and_carry_their_sizes() {
        let mut bytes = Vec::new();
        let mut archive = Archive::new(&mut bytes);
        archive.file("init", b"12345").unwrap();
        archive.finish().unwrap();
        assert_eq!(&bytes[..6], b"070701");
        assert_eq!(&bytes[54..62], b"00000005");
        assert_eq!(&bytes[94..102], b"00000005");
        assert_eq!(&bytes[110..114], b"init");
        assert_eq!(&bytes[116..121], b"12345");
        assert_eq!(bytes.len() % 4, 0);
        assert_eq!(&bytes[124..130], b"070701");
    }
}
