//! Writes BTF.
#![allow(unreachable_pub, reason = "shared by several tests")]

use bpfvet_btf::Kind;

/// A little writer of BTF.
#[derive(Default)]
pub struct Writer {
    pub types: Vec<u32>,
    pub strings: Vec<u8>,
    pub base_strings: u32,
}

impl Writer {
    pub fn new() -> Self {
        Self { types: Vec::new(), strings: vec![0], base_strings: 0 }
    }

    pub fn name(&mut self, name: &str) -> u32 {
        if name.is_empty() {
            return 0;
        }
        let off = self.base_strings + self.strings.len() as u32;
        self.strings.extend_from_slice(name.as_bytes());
        self.strings.push(0);
        off
    }

    pub fn ty(&mut self, name: &str, kind: Kind, flag: bool, vlen: u32, word: u32, body: &[u32]) {
        let name = self.name(name);
        self.types.extend([name, (flag as u32) << 31 | (kind as u32) << 24 | vlen, word]);
        self.types.extend(body);
    }

    pub fn bytes(&self) -> Vec<u8> {
        let types: Vec<u8> = self.types.iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut out = vec![0x9f, 0xeb, 1, 0];
        for word in [24, 0, types.len() as u32, types.len() as u32, self.strings.len() as u32] {
            out.extend(word.to_le_bytes());
        }
        out.extend(types);
        out.extend(&self.strings);
        out
    }
}
