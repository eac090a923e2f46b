//! An access outside what is allowed.

use alloc::format;
use alloc::string::String;

use bpfvet_insn::InsnIdx;
use bpfvet_vm::Base;
use bpfvet_vm::violation::{Access, AccessKind, Bounds, ContextArgReason, MemoryCause, TypedAccessReason};

use super::{Words, bytes, place};
use crate::Names;
use crate::diagnostic::Class;
use crate::diagnostic::describe::tag_words;
use crate::kernel_text::field_name;

pub(super) fn words(cause: &MemoryCause, at: InsnIdx, names: &Names<'_>) -> Words {
    match cause {
        MemoryCause::OutOfBounds { access, bounds, limit, id } => out_of_bounds(access, *bounds, *limit, *id != 0),
        MemoryCause::PacketEnd { place: pointer } => {
            Words::program("access beyond the packet's end", format!("{} is at or behind the end", place(*pointer)))
                .why("a comparison on this path showed that nothing of the packet is left here")
                .help("read on the other side of that comparison")
                .follow(*pointer)
        }
        MemoryCause::InvalidPointer { access } => invalid_pointer(access),
        MemoryCause::VariableOffset { place: pointer, tag, offset: _ } => Words::program(
            format!("a pointer to {} is used at an offset that is not constant", tag_words(*tag)),
            format!("{} was moved by a number that is not known", place(*pointer)),
        )
        .help("use constant offsets; select the field with a branch or a switch")
        .follow(*pointer),
        MemoryCause::NegativeOffset { place: pointer, tag, offset } => Words::program(
            format!("a pointer to {} is used at a negative offset", tag_words(*tag)),
            format!("{} is at {offset}", place(*pointer)),
        )
        .follow(*pointer),
        MemoryCause::ModifiedPointer { place: pointer, tag, offset } => Words::program(
            format!("a pointer to {} was moved before it was used", tag_words(*tag)),
            format!("{} is at {offset:+}, and must be at 0", place(*pointer)),
        )
        .class(Class::Compiler)
        .why("this host rewrites such accesses, which works only from the start of the object")
        .help(
            "access the fields directly; where the compiler took a field's address first, hide it with `barrier_var()`",
        )
        .follow(*pointer),
        MemoryCause::Misaligned { base, offset: _, off, size } => {
            let aligned = bytes(i64::from(*size));
            Words::program("misaligned access", format!("{aligned} at {off:+}, which is not a multiple of {size}"))
                .why(match base {
                    Base::Stack => "stack accesses must always be aligned to their size",
                    Base::Packet | Base::PacketMeta => {
                        "the load asks for alignment, and a packet's first byte lies 2 bytes behind an aligned address"
                    }
                    Base::Uninit
                    | Base::Scalar
                    | Base::Ctx
                    | Base::Map
                    | Base::MapValue
                    | Base::MapKey
                    | Base::PacketEnd
                    | Base::FlowKeys
                    | Base::Socket
                    | Base::SockCommon
                    | Base::TcpSock
                    | Base::TpBuffer
                    | Base::XdpSock
                    | Base::Btf
                    | Base::Mem
                    | Base::Buf
                    | Base::Func
                    | Base::Arena
                    | Base::Insn
                    | Base::Dynptr => "accesses here must be aligned to their size",
                })
                .help("align the variable (`__attribute__((aligned(8)))`), or access it in smaller parts")
        }
        MemoryCause::Context { off, size } => {
            let touched = format!("bytes {off} to {} of the context", off.saturating_add(i64::from(*size)) - 1);
            Words::program("this part of the context cannot be accessed, or not so", touched)
                .class(Class::Host)
                .why(format!(
                    "for program type `{}` the host offers no field there with this size and direction",
                    names.request().program_type.name()
                ))
                .help("check the field, its width, whether it may be written, and the program's type and attach type")
        }
        MemoryCause::ContextArg { off, size, target, reason } => context_argument(*off, *size, target, reason),
        MemoryCause::FlowKeys { off, size } => {
            Words::program("access outside `struct bpf_flow_keys`", format!("{} at {off}", bytes(i64::from(*size))))
        }
        MemoryCause::FlowKeysVariable { place: pointer, off: _, offset: _ } => {
            Words::program("flow keys are accessed at an offset that is not constant", place(*pointer)).follow(*pointer)
        }
        MemoryCause::Socket { access } => Words::program(
            "this part of the socket cannot be accessed, or not so",
            format!("{} at {}", bytes(access.size), access.off),
        )
        .class(Class::Host)
        .help("only some fields can be read, as a whole; bpf_sk_fullsock() or bpf_tcp_sock() makes more of a socket")
        .follow(access.place),
        MemoryCause::SocketNegative { place: pointer } => {
            Words::program("a socket is accessed at a negative offset", place(*pointer)).follow(*pointer)
        }
        MemoryCause::BufferVariable { place: pointer, off: _, offset: _ } => {
            Words::program("a buffer is accessed at an offset that is not constant", place(*pointer)).follow(*pointer)
        }
        MemoryCause::BufferNegative { place: pointer, kind: _, off, offset } => {
            let before = off.saturating_add(*offset).saturating_neg();
            let label = if before > 0 {
                format!("{} before the start that {} points to", bytes(before), place(*pointer))
            } else {
                format!("{} is at {offset}", place(*pointer))
            };
            Words::program("a buffer is accessed before its start", label).follow(*pointer)
        }
        MemoryCause::ReadOnly { place: pointer, tag } => Words::program(
            format!("{} may only be read", tag_words(*tag)),
            format!("written through {}", place(*pointer)),
        )
        .help("copy it to the stack or to a map value and change the copy")
        .follow(*pointer),
        MemoryCause::KeyWritten { place: pointer } => {
            Words::program("a map key is written", format!("through {}", place(*pointer)))
                .help("delete the entry and insert another one")
        }
        MemoryCause::MapFlags { kind, value_size: _, off: _, size: _ } => match kind {
            AccessKind::Read => {
                Words::program("the map may not be read by programs", "read here").why("it has BPF_F_WRONLY_PROG")
            }
            AccessKind::Write => Words::program("the map may not be written by programs", "written here")
                .why("it has BPF_F_RDONLY_PROG, as maps of constants do")
                .help("put the variable where it can be written: not `const`, not in `.rodata`"),
        },
        MemoryCause::PacketReadOnly => Words::program("the packet may only be read here", "written here")
            .class(Class::Host)
            .why(format!("program type `{}` cannot write packets", names.request().program_type.name())),
        MemoryCause::SpecialField { field } => Words::program(
            format!("`struct {}` may only be touched by helpers", field_name(*field)),
            "this access overlaps it",
        )
        .help("copy the value's other fields one by one, not the whole structure"),
        MemoryCause::KptrByHelper { field } => Words::program(
            format!("a helper would touch a {}", field_name(*field)),
            "the memory passed here overlaps it",
        )
        .help("pass only the part of the value that has no kernel pointer"),
        MemoryCause::KptrVariable { field } => {
            Words::program(format!("a {} is accessed at an offset that is not constant", field_name(*field)), "here")
        }
        MemoryCause::KptrMisaligned { field, expected, off } => Words::program(
            format!("a {} is accessed beside its start", field_name(*field)),
            format!("at {off}; the pointer is at {expected}"),
        ),
        MemoryCause::KptrSize { field } => {
            Words::program(format!("a {} must be accessed as 8 bytes", field_name(*field)), "here")
        }
        MemoryCause::StackOutOfBounds { access, start, offset: _ } => {
            let where_ = match start {
                Some(start) => format!("{} at {start} from the frame pointer", bytes(access.size)),
                None => format!("{} at an offset that can be outside", bytes(access.size)),
            };
            Words::program("access outside the stack", where_)
                .why("a frame has the bytes -512 to -1 from the frame pointer")
                .help("bound the index, or move large variables into a map")
                .follow(access.place)
        }
        MemoryCause::StackUnbounded { access } => {
            Words::program("stack access at an offset without bounds", place(access.place))
                .why("needs an offset inside -512 to -1, and nothing bounds this one")
                .help("bound the index before it is used: `if (i >= sizeof(buf)) return 0;`")
                .follow(access.place)
        }
        MemoryCause::StackUninit { place: pointer, off, byte, size, variable: _ } => {
            let first = off.saturating_add(*byte);
            let words = Words::program(
                "stack is read that was never written",
                format!("{} from {off}; byte {first} has no value", bytes(*size)),
            )
            .help("initialise the whole variable, padding too: `struct s s = {};` or `__builtin_memset(&s, 0, sizeof(s))`");
            match pointer {
                Some(pointer) => words.follow(*pointer),
                None => words,
            }
        }
        MemoryCause::StackPoisoned { place: _, off, byte: _, size } => Words::program(
            "stack is read whose content was dropped as never read",
            format!("{} from {off}", bytes(*size)),
        )
        .class(Class::Bug),
        MemoryCause::SpilledPointerCorrupted { off, size } => Words::program(
            "part of a pointer on the stack is overwritten",
            format!("{} at {off}", bytes(i64::from(*size))),
        )
        .class(Class::Host)
        .why("the pointer's remaining bytes could leak, which needs CAP_PERFMON"),
        MemoryCause::PartialPointerSpill => {
            Words::program("a pointer is stored in less than 8 bytes", "only part of it would be kept")
        }
        MemoryCause::PartialPointerFill => {
            Words::program("part of a pointer is read from the stack", "the slot holds a pointer")
                .help("read all 8 bytes, or use another slot for the number")
        }
        MemoryCause::StackPointerToCaller => {
            Words::program("a pointer to this function's stack is stored in its caller's", "it would outlive the frame")
        }
        MemoryCause::PointerLeakedFromStack { off } => {
            Words::program("a pointer on the stack would leak", format!("at {off} from the frame pointer"))
                .class(Class::Host)
        }
        MemoryCause::VariableWriteOverSpill { off } => Words::program(
            "a write at a variable offset can hit a pointer on the stack",
            format!("the pointer at {off}"),
        )
        .class(Class::Host),
        MemoryCause::VariableWriteOverUninit { off } => {
            Words::program("a write at a variable offset leaves bytes without a value", format!("the byte at {off}"))
                .class(Class::Host)
                .help("initialise the whole buffer first, or load with CAP_PERFMON")
        }
        MemoryCause::VariableStack { place: pointer, offset: _ } => {
            Words::program("stack access at a variable offset", place(*pointer))
                .class(Class::Host)
                .help("load with CAP_PERFMON, or use constant offsets")
                .follow(*pointer)
        }
        MemoryCause::VariableStackToHelper { offset: _, off: _, size: _ } => {
            Words::program("a stack pointer with a variable offset is given to a helper", "it must be constant here")
        }
        MemoryCause::ZeroSized => Words::program("an access of zero bytes", "at least one is needed"),
        MemoryCause::DifferentPointers => {
            Words::program("one instruction accesses different kinds of memory on different paths", "here")
                .class(Class::Compiler)
                .why("this access is rewritten for its kind of memory, and there can be only one")
                .help("put the access into each branch; `barrier_var()` keeps the compiler from merging them")
        }
        MemoryCause::AtomicOnKind { place: pointer, tag, loads: _ } => {
            Words::program(format!("{} cannot be accessed atomically", tag_words(*tag)), place(*pointer))
                .help("use a map value or the stack for atomic operations")
                .follow(*pointer)
        }
        MemoryCause::UntrustedMemory { tag } => {
            Words::program(format!("reading {} needs CAP_PERFMON", tag_words(*tag)), "here").class(Class::Host)
        }
        MemoryCause::InsnTableRead { size } => {
            Words::program("a jump table's entry is read in part", format!("{} of 8", bytes(i64::from(*size))))
        }
        MemoryCause::StackArgSealed => Words::program(
            "an argument on the stack is read too late",
            "arguments are out of reach after the first call or outgoing argument",
        )
        .class(Class::Compiler),
        MemoryCause::StackArgOutOfBounds { off, depth } => Words::program(
            "an argument on the stack is read that was not passed",
            format!("at {off}; {} were passed", bytes(i64::from(*depth))),
        ),
        MemoryCause::StackArgTooMany { off, max } => {
            Words::program("too many arguments", format!("the one at {off}; there can be {max} on the stack"))
        }
        MemoryCause::TypedAccess { place: pointer, name, reason, off, size } => {
            let _ = at;
            typed_access(name, reason, *off, *size).follow(*pointer)
        }
    }
}

fn out_of_bounds(access: &Access, bounds: Bounds, limit: u32, moved: bool) -> Words {
    let Access { place: pointer, tag, off, size, kind: _ } = access;
    // What the instruction reaches, counted from the pointer that it uses.
    let reach = off.saturating_add(*size).max(*size);
    let packet = matches!(tag.base, Base::Packet | Base::PacketMeta);
    let what = tag_words(*tag);
    let (headline, label) = match bounds {
        Bounds::Negative { start: _ } => {
            (format!("access before the start of {what}"), format!("{} can be negative here", offset_of(*pointer)))
        }
        Bounds::Unbounded { umax: _ } => {
            (format!("access to {what} at an offset without upper bound"), offset_of(*pointer))
        }
        Bounds::Min { start: _ } | Bounds::Max { start: _ } if packet => {
            ("access to the packet beyond what is proven to be there".into(), read_of(*size))
        }
        Bounds::Min { start: _ } | Bounds::Max { start: _ } => (format!("access outside {what}"), read_of(*size)),
    };
    let mut words = Words::program(headline, label).follow(*pointer);
    match bounds {
        Bounds::Negative { start } => {
            let lowest =
                if start <= i64::from(i32::MIN) { "no lower bound".into() } else { format!("{start} as lowest") };
            words = words
                .why(format!("needs an offset of at least 0, and it has {lowest}"))
                .help("use an unsigned type for the index, or check `if (i < 0)` before");
        }
        Bounds::Min { start } | Bounds::Max { start } => {
            let needed = start.saturating_add(*size);
            words = if packet && needed > PACKET_MAX {
                words
                    .why(format!("no check can prove more than {PACKET_MAX} bytes of a packet"))
                    .help("bound the loop by a constant too: `for (int i = 0; i < 1500 && p + 1 <= data_end; i++)`")
            } else if packet && moved && limit == 0 {
                words.why("a number that is not constant was added to the pointer, and no check was made since").help(
                    format!("compare with `data_end` after the addition: `if (p + {reach} > data_end) return …;`"),
                )
            } else if packet && limit > 0 {
                words.why(format!("needs {} from the packet's start, {limit} proven", bytes(needed))).help(format!(
                    "check for {} more: the check on this path is too short",
                    bytes(needed - i64::from(limit))
                ))
            } else if packet {
                words
                    .why(format!("needs {} from the packet's start, {limit} proven", bytes(needed)))
                    .help(format!(
                        "compare with `data_end` before: `if (p + {reach} > data_end) return …;`, with the very pointer that is used"
                    ))
            } else if start < 0 {
                words.why(format!("the access begins {} before the object", bytes(start.saturating_neg())))
            } else {
                words.why(format!("needs {}, the object has {limit}", bytes(needed))).help(
                    if start == *off && matches!(bounds, Bounds::Min { .. }) {
                        format!(
                            "use a smaller type or offset, or make the object larger: {limit} bytes are there to use"
                        )
                    } else {
                        format!("bound the index so that index + {size} is at most {limit}")
                    },
                )
            };
        }
        Bounds::Unbounded { umax } => {
            let highest = if umax == u64::MAX { String::from("no upper bound") } else { format!("{umax} as highest") };
            words = words
                .why(format!(
                    "needs an offset of at most {}, and it has {highest}",
                    i64::from(limit).saturating_sub(*size)
                ))
                .help("check the upper bound before the access: `if (i >= N) return 0;`, or mask it: `i &= N - 1`")
                .help("the compiler may have checked a copy: `barrier_var(i)` before the check keeps them one");
        }
    }
    words
}

/// Bytes of a packet that can be proven (`MAX_PACKET_OFF`).
const PACKET_MAX: i64 = 0xffff;

fn offset_of(pointer: bpfvet_vm::violation::Place) -> String {
    format!("the offset of {}", place(pointer))
}

fn read_of(size: i64) -> String {
    format!("{} accessed here", bytes(size))
}

fn invalid_pointer(access: &Access) -> Words {
    let Access { place: pointer, tag, .. } = access;
    let name = place(*pointer);
    if tag.flags.contains(bpfvet_vm::Flags::NULLABLE) {
        return Words::program("a pointer that may be null is used", format!("{name} is {} here", tag_words(*tag)))
            .why("needs a pointer that is not null on this path; no check of it was found")
            .help("check the pointer for null before this, and leave if it is")
            .follow(*pointer);
    }
    match tag.base {
        Base::Scalar => Words::program("a number is used as a pointer", format!("{name} is a number here"))
            .why("only pointers that the verifier has followed from where they came can be used")
            .help("read kernel memory with bpf_probe_read_kernel() or CO-RE; after pointer arithmetic, start from the original pointer")
            .follow(*pointer),
        Base::Uninit
        | Base::Ctx
        | Base::Map
        | Base::MapValue
        | Base::MapKey
        | Base::Stack
        | Base::PacketMeta
        | Base::Packet
        | Base::PacketEnd
        | Base::FlowKeys
        | Base::Socket
        | Base::SockCommon
        | Base::TcpSock
        | Base::TpBuffer
        | Base::XdpSock
        | Base::Btf
        | Base::Mem
        | Base::Buf
        | Base::Func
        | Base::Arena
        | Base::Insn
        | Base::Dynptr => Words::program(
            format!("{} cannot be accessed directly", tag_words(*tag)),
            format!("through {name}"),
        )
        .follow(*pointer),
    }
}

fn context_argument(off: i64, size: u32, target: &str, reason: &ContextArgReason) -> Words {
    let touched = format!("bytes {off} to {} of the context", off.saturating_add(i64::from(size)) - 1);
    match reason {
        ContextArgReason::Misplaced => Words::program(format!("no argument of `{target}` begins there"), touched)
            .why("arguments stand in the context one after the other, eight bytes each"),
        ContextArgReason::NoArgument { number } => {
            Words::program(format!("`{target}` has no argument number {number}"), touched)
                .help("compare the program's parameters with the function's prototype in this kernel")
        }
        ContextArgReason::NotToAStructure { number, kind: _ } => {
            Words::program(format!("pointer argument {number} of `{target}` cannot be read"), touched)
                .why("this kernel gives programs pointers to structures, and of others only some, as numbers")
                .help("read the argument with `bpf_get_func_arg`, or from a `kprobe`")
        }
        ContextArgReason::NotAPointer { number, type_name: _, kind: _ } => {
            Words::program(format!("argument {number} of `{target}` cannot be read"), touched)
                .why("programs are given numbers, structures by value and pointers")
        }
        ContextArgReason::Partial => {
            Words::program(format!("a pointer argument of `{target}` is read in part"), touched)
                .help("read all eight bytes of it")
        }
    }
}

fn typed_access(name: &str, reason: &TypedAccessReason, off: i64, size: u32) -> Words {
    let label = format!("{} at {off}", bytes(i64::from(size)));
    match reason {
        TypedAccessReason::Beyond => Words::program(format!("access beyond `struct {name}`"), label),
        TypedAccessReason::NoField => Words::program(format!("`struct {name}` has no field there"), label),
        TypedAccessReason::CrossesField { member, end } => {
            Words::program(format!("access beyond the end of `{member}` in `struct {name}`"), label)
                .why(format!("the field ends at {end}"))
        }
        TypedAccessReason::PartOfPointer { member, start: _ } => {
            Words::program(format!("part of the pointer `{member}` of `struct {name}` is read"), label)
                .help("read all eight bytes of it")
        }
        TypedAccessReason::ContradictingTags => {
            Words::program(format!("a pointer in `struct {name}` is tagged in two ways at once"), label)
        }
        TypedAccessReason::NotAStruct => Words::program(format!("`{name}` has no fields"), label),
        TypedAccessReason::UserMemory => Words::program(format!("`struct {name}` is in user memory"), label)
            .help("copy it with bpf_probe_read_user()"),
        TypedAccessReason::PercpuMemory => {
            Words::program(format!("the pointer to `struct {name}` is the same for all processors"), label)
                .help("take a processor's own with bpf_per_cpu_ptr() or bpf_this_cpu_ptr()")
        }
        TypedAccessReason::NeedsPerfmon => {
            Words::program(format!("looking into `struct {name}` needs CAP_PERFMON"), label).class(Class::Host)
        }
        TypedAccessReason::NeedsGpl => {
            Words::program(format!("looking into `struct {name}` needs a GPL-compatible licence"), label)
                .class(Class::Host)
        }
        TypedAccessReason::OnlyRead => {
            Words::program(format!("`struct {name}` may only be read"), label).class(Class::Host)
        }
        TypedAccessReason::MapOnlyRead => {
            Words::program(format!("a map's own `struct {name}` may only be read"), label)
                .help("write to a value: look it up with bpf_map_lookup_elem() first")
        }
        TypedAccessReason::MapNegative | TypedAccessReason::Negative => {
            Words::program(format!("access before the start of `struct {name}`"), label)
        }
        TypedAccessReason::Variable { offset: _ } => {
            Words::program(format!("`struct {name}` is accessed at an offset that is not constant"), label)
        }
    }
}
