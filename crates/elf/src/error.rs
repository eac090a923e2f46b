//! What can be wrong with a file, a map, a program.

use alloc::string::String;

use bpfvet_btf::{BtfError, ExtError};
use bpfvet_insn::DecodeError;
use thiserror::Error;

/// Why a file is not an object that could be loaded at all.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ElfError {
    /// No bytes.
    #[error("the file is empty")]
    Empty,
    /// An archive of objects.
    #[error("the file is an archive (ar), not an object; extract its members first")]
    Archive,
    /// Something else.
    #[error("the file is not an ELF object")]
    NotElf,
    /// Of a 32-bit machine.
    #[error("the file is a 32-bit ELF object; eBPF objects are 64-bit")]
    Bits32,
    /// Of a big-endian machine.
    #[error("the file is a big-endian ELF object; only little-endian eBPF is supported")]
    BigEndian,
    /// A program, a library, a core dump.
    #[error("the file is {} (ELF type {number}), not a relocatable object", elf_type(*.number))]
    NotRelocatable {
        /// `e_type`.
        number: u16,
    },
    /// For another machine.
    #[error("the file is an object for {} (ELF machine {number}), not for eBPF", machine(*.number))]
    Machine {
        /// `e_machine`.
        number: u16,
    },
    /// Cut off.
    #[error("the file is truncated")]
    Truncated,
    /// Contradicts itself.
    #[error("the file is malformed: {0}")]
    Malformed(String),
    /// Its `.BTF` section cannot be read.
    #[error("section .BTF: {0}")]
    Btf(#[from] BtfError),
    /// Its `.BTF.ext` section cannot be read.
    #[error("section .BTF.ext: {0}")]
    BtfExt(#[from] ExtError),
}

fn elf_type(number: u16) -> &'static str {
    match number {
        2 => "an executable",
        3 => "a shared object or position-independent executable",
        4 => "a core dump",
        _ => "of an unknown type",
    }
}

/// The machines that people meet.
fn machine(number: u16) -> &'static str {
    match number {
        3 => "x86",
        8 => "MIPS",
        20 => "PowerPC",
        21 => "64-bit PowerPC",
        22 => "s390",
        40 => "ARM",
        62 => "x86-64",
        183 => "AArch64",
        243 => "RISC-V",
        258 => "LoongArch",
        263 => "Solana's dialect of eBPF",
        _ => "another machine",
    }
}

/// Why a map cannot be created as declared.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum MapError {
    /// Declared by types, and there are none.
    #[error("its section is described by BTF, and the object has none that does")]
    NoBtf,
    /// Its declaration has a part that is not of the form that loaders understand.
    #[error("`{field}` {problem}")]
    Field {
        /// The member of the declaration.
        field: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Two parts of the declaration disagree on a size.
    #[error("`{field}` says {size} bytes, another part of the declaration {other}")]
    Conflict {
        /// The member of the declaration.
        field: String,
        /// What it says.
        size: u32,
        /// What was said before.
        other: u32,
    },
    /// The declaration is not a structure that fills its variable.
    #[error("{0}")]
    Declaration(&'static str),
    /// Larger than a map's value can be.
    #[error("{0} bytes are too many for a map value")]
    TooLarge(u64),
}

/// Why a reference in an instruction cannot be resolved.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum RelocError {
    /// The instruction cannot hold an address.
    #[error("it is against an instruction that holds no address")]
    Instruction,
    /// The relocation is not at an instruction.
    #[error("it is not at an instruction")]
    Misplaced,
    /// The symbol does not exist.
    #[error("it refers to a symbol that does not exist")]
    NoSymbol,
    /// The symbol is in a section that cannot be referred to.
    #[error("it refers to `{symbol}` in section `{section}`, which is neither code, nor data, nor maps")]
    Section {
        /// The symbol.
        symbol: String,
        /// Its section.
        section: String,
    },
    /// The symbol has no section: a common or absolute symbol.
    #[error("it refers to `{0}`, which is in no section: is the variable initialised?")]
    NoSection(String),
    /// An undefined symbol that the object's types do not declare.
    #[error("it refers to `{0}`, which is not defined and not declared in BTF")]
    Undeclared(String),
    /// Nothing begins there.
    #[error("it refers to `{symbol}`, but no {what} begins there")]
    NothingThere {
        /// The symbol.
        symbol: String,
        /// What was looked for.
        what: &'static str,
    },
    /// A relocation with a separate addend, which no eBPF compiler writes.
    #[error("it has an addend of its own")]
    Addend,
}

/// Why one program of an object cannot be loaded.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ProgramError {
    /// Its section's name does not tell.
    #[error("program type unknown: section `{section}` is not one that loaders know; name the type with --type")]
    UnknownType {
        /// The section.
        section: String,
    },
    /// It has no instruction.
    #[error("it has no instructions")]
    Empty,
    /// Its symbol does not fit its section.
    #[error("function `{0}` does not lie within its section")]
    Bounds(String),
    /// A reference cannot be resolved.
    #[error("instruction {at} of `{function}` has a relocation that cannot be resolved: {error}")]
    Reloc {
        /// The function.
        function: String,
        /// Slot within the function.
        at: u32,
        /// Why.
        error: RelocError,
    },
    /// A call leads nowhere.
    #[error("instruction {at} of `{function}` calls or refers to code where no function begins")]
    NoCallee {
        /// The function.
        function: String,
        /// Slot within the function.
        at: u32,
    },
    /// It uses a map that cannot be created.
    #[error("map `{map}`: {error}")]
    Map {
        /// The map.
        map: String,
        /// Why.
        error: MapError,
    },
    /// It refers to a kernel symbol that does not exist, or does not fit its declaration.
    #[error("extern `{name}` {problem}")]
    Extern {
        /// The symbol.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// It asks for the layout of the kernel's types, and no kernel types were given.
    #[error("it depends on the layout of the kernel's types (CO-RE); give a kernel's BTF with --btf")]
    NeedsKernelBtf,
    /// A CO-RE relocation cannot be carried out.
    #[error("instruction {at} of `{function}`: CO-RE relocation: {error}")]
    CoRe {
        /// The function.
        function: String,
        /// Slot within the function.
        at: u32,
        /// Why.
        error: bpfvet_btf::co_re::CoReError,
    },
    /// Function records exist for the program but not for a function that it calls.
    #[error("`{0}` has no function record in .BTF.ext, while the program has one")]
    NoFuncRecord(String),
    /// Its code, with that of what it calls, is longer than any kernel accepts.
    #[error("it is longer than any kernel accepts")]
    TooLong,
    /// A callback that the program's tags name is not there or is not global.
    #[error("exception callback `{0}` is not a global function of the object")]
    ExceptionCallback(String),
    /// A structure-operations program that no structure refers to.
    #[error("no structure of operations refers to it")]
    Unreferenced,
    /// A jump table lies outside its section.
    #[error("the jump table of instruction {at} of `{function}` lies outside its section")]
    JumpTable {
        /// The function.
        function: String,
        /// Slot within the function.
        at: u32,
    },
    /// Its bytes are not instructions.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// What does not keep a program from being judged, but may keep it from being used, or was assumed.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Warning {
    /// What it attaches to is not among the kernel's types that were given.
    #[error("attach target `{0}` is not in the kernel's BTF")]
    NoTarget(String),
    /// What it attaches to is not named.
    #[error("the section does not name what to attach to")]
    TargetNotNamed,
    /// Values of the kernel's configuration are not known; any value is considered.
    #[error("kernel configuration is not known: externs in .kconfig may have any value")]
    KconfigUnknown,
    /// The address of a kernel symbol is not known; some address was assumed.
    #[error("the address of kernel symbol `{0}` is not known; one was assumed")]
    AssumedAddress(String),
}
