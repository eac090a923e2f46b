//! Types of generated programs: what the kernel wants to know of functions before it lets them be called back or stand alone.

use std::sync::Arc;

use bpfvet::btf::Btf;
use bpfvet::platform::{FuncInfo, ProgramType};
use bpfvet_insn::InsnIdx;

use super::Role;

/// Bytes of the structure that global functions are given.
pub(super) const GIVEN: u32 = 16;

const INT: u32 = 1;
const LONG: u32 = 2;
const POINTER: u32 = 4;
/// Two words.
const STRUCT: u32 = 3;
/// A number and a pointer to the structure, and a number back.
const PROTO: u32 = 5;
/// Nothing, and a number back.
const ENTRY: u32 = 6;
/// A context, and a number back.
const MOVER: u32 = 9;
/// A pointer to the context.
const CONTEXT: u32 = 8;
/// The context's structure, by its name.
const CONTEXT_STRUCT: u32 = 7;
/// Functions come after all others.
const FIRST_FUNC: u32 = 10;

/// Writes types one after another.
struct Writer {
    types: Vec<u32>,
    strings: Vec<u8>,
}

impl Writer {
    fn name(&mut self, name: &str) -> u32 {
        let at = u32::try_from(self.strings.len()).unwrap_or(0);
        self.strings.extend_from_slice(name.as_bytes());
        self.strings.push(0);
        at
    }

    /// A type of this kind (`BTF_KIND_*`), with `len` members and the word that is a size or a type.
    fn add(&mut self, name: &str, kind: u32, len: u32, word: u32, rest: &[u32]) {
        let name = if name.is_empty() { 0 } else { self.name(name) };
        self.types.extend([name, kind << 24 | len, word]);
        self.types.extend(rest);
    }

    fn finish(self) -> Vec<u8> {
        let Self { types, strings } = self;
        let size = u32::try_from(types.len() * 4).unwrap_or(0);
        let header = [24, 0, size, size, u32::try_from(strings.len()).unwrap_or(0)];
        let mut bytes = vec![0x9f, 0xeb, 1, 0];
        bytes.extend(header.into_iter().chain(types).flat_map(u32::to_le_bytes));
        bytes.extend(strings);
        bytes
    }
}

/// The types of functions that begin there, and the records that name them.
pub(super) fn of(
    kind: ProgramType,
    functions: impl Iterator<Item = (InsnIdx, Role)>,
) -> (Option<Arc<Btf>>, Vec<FuncInfo>) {
    let mut writer = Writer { types: Vec::new(), strings: vec![0] };
    let signed = 1 << 24;
    writer.add("int", 1, 0, 4, &[signed | 32]);
    writer.add("long", 1, 0, 8, &[signed | 64]);
    let (a, b) = (writer.name("a"), writer.name("b"));
    writer.add("given", 4, 2, GIVEN, &[a, LONG, 0, b, LONG, 64]);
    writer.add("", 2, 0, STRUCT, &[]);
    writer.add("", 13, 2, LONG, &[a, LONG, b, POINTER]);
    writer.add("", 13, 0, INT, &[]);
    writer.add(if kind == ProgramType::XDP { "xdp_md" } else { "__sk_buff" }, 4, 0, 4, &[]);
    writer.add("", 2, 0, CONTEXT_STRUCT, &[]);
    writer.add("", 13, 1, LONG, &[a, CONTEXT]);
    let mut funcs = Vec::new();
    for ((at, role), index) in functions.zip(0_u32..) {
        let linkage = u32::from(matches!(role, Role::Entry | Role::Global | Role::Mover));
        let proto = match role {
            Role::Entry => ENTRY,
            Role::Mover => MOVER,
            Role::Called
            | Role::Callback
            | Role::Global
            | Role::Same
            | Role::User
            | Role::Chooses(..)
            | Role::Grows(..)
            | Role::Later(_)
            | Role::Element(_)
            | Role::Loads
            | Role::Hands => PROTO,
        };
        writer.add(&format!("f{index}"), 12, linkage, proto, &[]);
        funcs.push(FuncInfo { at, type_id: FIRST_FUNC + index });
    }
    (Btf::parse(writer.finish()).ok().map(Arc::new), funcs)
}
