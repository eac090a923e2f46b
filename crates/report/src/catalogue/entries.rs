//! A table: every code, what it means and the usual cure, one row a code, in the order in which a kernel would meet them.

use super::Entry;

const fn entry(code: &'static str, means: &'static str, cure: &'static str) -> Entry {
    Entry { code, means, cure }
}

/// All codes.
#[rustfmt::skip]
pub(super) const ALL: &[Entry] = &[
    entry(
        "instruction::length",
        "The program's bytes are not a whole number of 8-byte slots.",
        "Pass the bytes of the section unchanged; a file that was cut off ends like this.",
    ),
    entry(
        "instruction::register",
        "An instruction names a register above r10.",
        "Only r0 to r10 exist; look for a slot that is data, not code.",
    ),
    entry(
        "instruction::half-of-a-pair",
        "A 64-bit immediate takes two slots, and one of them is missing or is not what it must be.",
        "Keep both slots together when a program is cut or patched.",
    ),
    entry(
        "instruction::immediate-source",
        "A 64-bit immediate names a source that does not exist.",
        "Sources are numbers, maps by descriptor or index, map values, kernel variables and functions.",
    ),
    entry(
        "instruction::opcode",
        "The first byte is no opcode.",
        "Compile for an older instruction set (clang `-mcpu=v3`), or look for a slot that is data.",
    ),
    entry(
        "instruction::reserved-field",
        "A field that must be zero is not.",
        "Write zero to the fields that the instruction does not use.",
    ),
    entry(
        "instruction::address-spaces",
        "An address-space cast names spaces that do not exist.",
        "Casts go from space 0 to 1 or from 1 to 0.",
    ),
    entry(
        "instruction::atomic-operation",
        "An atomic instruction names an operation that does not exist.",
        "Add, and, or, xor, exchange, compare-and-exchange, load-acquire and store-release exist.",
    ),
    entry("instruction::atomic-size", "An atomic operation of a size that has none.", "Use 4 or 8 bytes."),
    entry(
        "load::refused",
        "The kernel does not look at the program at all: its type, attach point, licence or the loader's capabilities do not allow it.",
        "Name another section, release or licence, or give the loader the capability that the message names.",
    ),
    entry(
        "load::map-refused",
        "The program refers to a map that this kernel cannot have, or that this program may not use.",
        "Use a kind of map that the oldest kernel to be supported has, or load another program there.",
    ),
    entry(
        "load::no-such-map",
        "The program refers to a map that it does not have.",
        "Create all maps before the program; in raw programs, the immediate is the index of a map.",
    ),
    entry(
        "load::missing-instruction",
        "The host does not have this instruction: it came with a later release.",
        "Compile for an older instruction set with clang's -mcpu, or do without what needs the instruction.",
    ),
    entry(
        "load::no-direct-value",
        "An address of a value is taken in a map whose values have no address.",
        "Only array maps can be addressed directly; look the value up instead.",
    ),
    entry(
        "load::direct-value-out-of-bounds",
        "An address is taken beyond the value of a map.",
        "Keep the offset below the size of the value.",
    ),
    entry(
        "object::program",
        "A loader could not make a load request of the program: a reference, map or type of the object cannot be resolved.",
        "The message names it.",
    ),
    entry(
        "structure::empty",
        "The program has no instructions.",
        "Check that the section holds code: an empty function, or one that the compiler removed, leaves none.",
    ),
    entry(
        "structure::subprogs-unavailable",
        "The program calls functions of its own, and this kernel has no such calls.",
        "Inline everything (`__always_inline`), or ask a kernel from 4.16 on.",
    ),
    entry(
        "structure::function-addresses-unavailable",
        "The address of a function is taken, and this kernel has no such addresses.",
        "Callbacks need 5.13 or newer.",
    ),
    entry(
        "structure::call-out-of-range",
        "A call leads out of the program.",
        "Link the object before loading it: the function is in another section or file.",
    ),
    entry(
        "structure::exception-callback",
        "The tag that names the exception callback leads to no global function.",
        "Name a global function of the object in the tag.",
    ),
    entry("structure::jump-out-of-range", "A jump leaves its function.", "Jumps stay within a function; use a call."),
    entry("structure::falls-through", "Control can run off the end of a function.", "End every function with `exit` or a jump."),
    entry(
        "structure::no-jump-table",
        "An indirect jump in a function that no table of instructions belongs to.",
        "Compile without jump tables (clang `-fno-jump-tables`), or load the object with a libbpf that makes the tables.",
    ),
    entry(
        "structure::jump-table-unknown",
        "The contents of a table of instructions are not known when the program is loaded.",
        "Freeze the map before loading.",
    ),
    entry(
        "structure::jump-table-entry",
        "A table of instructions names a slot that is no instruction of the program.",
        "Load the object with the loader that it was compiled for: tables are filled in when a program is relocated.",
    ),
    entry(
        "structure::jump-table-outside",
        "A table of instructions leads out of the function that jumps through it.",
        "Keep a `switch` and its cases in one function; clang `-fno-jump-tables` makes branches of it.",
    ),
    entry(
        "structure::back-edge",
        "A jump leads back, and this kernel, or this loader without CAP_BPF, allows no loops.",
        "Unroll the loop (`#pragma unroll`), or ask a kernel from 5.3 on with CAP_BPF.",
    ),
    entry(
        "structure::unreachable",
        "No path leads to an instruction.",
        "Remove it; compilers leave such code behind functions that never return.",
    ),
    entry(
        "structure::jump-into-wide",
        "Control reaches the second half of a 64-bit immediate load.",
        "Jump offsets count slots: a 64-bit immediate has two.",
    ),
    entry(
        "structure::recursive-call",
        "A function calls itself, directly or through others.",
        "Use a loop, a bounded iterator, or a tail call.",
    ),
    entry(
        "structure::throw-in-callback",
        "An exception is thrown in a callback, or in a function that it calls.",
        "Return from the callback, and throw where it was called.",
    ),
    entry(
        "structure::packet-load-in-callback",
        "A callback can reach a legacy packet load.",
        "Use direct packet access or bpf_skb_load_bytes.",
    ),
    entry(
        "structure::calls-exception-callback",
        "The exception callback is called as a function.",
        "Only bpf_throw may lead there.",
    ),
    entry(
        "structure::tail-call-in-callback",
        "A callback can reach a tail call.",
        "Return a value from the callback, and tail call after it.",
    ),
    entry(
        "structure::tail-call-with-stack-args",
        "A tail call in a function with arguments on the stack.",
        "Pass at most five arguments.",
    ),
    entry(
        "structure::infinite-loop",
        "The program comes back to a state that it was in: it would run for ever.",
        "Let the loop change something that its condition depends on, in a way that the verifier can follow.",
    ),
    entry(
        "structure::record-count",
        "There is not one function record for each function.",
        "Function records come from the compiler with `-g`; use all or none.",
    ),
    entry(
        "structure::record-elsewhere",
        "A function record stands where no function begins.",
        "Linkers that move functions must move their records.",
    ),
    entry(
        "structure::hidden-exit",
        "A function that must return to its caller can leave the program instead.",
        "Declare the function with `int` as its return type, or move the tail call or legacy packet load into the entry function.",
    ),
    entry(
        "limit::program-length",
        "The program has more instructions than this loader may load.",
        "Split it with tail calls, or load with CAP_BPF on 5.2 or newer.",
    ),
    entry(
        "limit::processed-insns",
        "Over all paths, more instructions were looked at than the kernel allows.",
        "Move code to functions that are verified once (global ones), bound loops tighter, use bpf_loop or iterators.",
    ),
    entry(
        "limit::pending-states",
        "More branches wait at one time than the kernel allows.",
        "Fewer branches in a row: turn chains of comparisons into tables or loops.",
    ),
    entry("limit::subprogs", "The program has more functions than the kernel allows.", "Merge or inline small functions."),
    entry(
        "limit::stack",
        "A function uses more than 512 bytes of stack.",
        "Move large variables to a per-CPU array map with one entry.",
    ),
    entry(
        "limit::combined-stack",
        "A chain of calls uses more stack than the kernel allows.",
        "Move large variables to a map, or shorten the chain.",
    ),
    entry(
        "limit::tail-call-stack",
        "A function with a tail call is called with 256 bytes of stack or more above it.",
        "Make the tail call from the entry function, or use less stack before.",
    ),
    entry("limit::frames", "A chain of calls is deeper than the kernel allows.", "Inline some of the functions."),
    entry(
        "limit::liveness-depth",
        "Pointers into the stack are passed through more frames than the kernel follows.",
        "Pass values instead of addresses of stack variables.",
    ),
    entry(
        "limit::liveness-complexity",
        "Which parts of the stack are used depends on more chains of calls than the kernel looks at.",
        "Pass values instead of addresses of stack variables.",
    ),
    entry(
        "register::unreadable",
        "A register is read before it has a value.",
        "Give it a value on every path; calls leave r1 to r5 without one.",
    ),
    entry(
        "register::frame-pointer-written",
        "The frame pointer r10 is written.",
        "Copy it to another register and change that one.",
    ),
    entry(
        "register::pointer-arithmetic",
        "Negation or a byte swap of a pointer.",
        "Pointers can only be moved by adding and subtracting numbers.",
    ),
    entry(
        "register::pointer-arithmetic-32",
        "32-bit arithmetic on a pointer, which would cut it in half.",
        "Use 64-bit types in pointer arithmetic.",
    ),
    entry(
        "register::pointer-arithmetic-on-nullable",
        "A pointer that may be null is moved.",
        "Check for null first: null plus an offset is no longer null.",
    ),
    entry("register::pointer-arithmetic-on-kind", "A pointer of a kind that cannot be moved.", "Put the offset into the access."),
    entry("register::pointer-pointer", "Two pointers are combined.", "Only their difference can be taken, with CAP_PERFMON."),
    entry("register::pointer-operator", "An operator that would destroy a pointer.", "Add or subtract a number."),
    entry("register::pointer-from-scalar", "A pointer is subtracted from a number.", "Subtract the other way round."),
    entry("register::stack-pointer-subtraction", "Something is subtracted from a stack pointer.", "Add a negative number."),
    entry(
        "register::offset-constant-too-large",
        "A pointer would be moved by a constant beyond 2^29.",
        "Keep constant offsets below 2^29; one this large is mostly a negative number taken for an unsigned one.",
    ),
    entry(
        "register::offset-unbounded",
        "The number added to a pointer has no lower bound.",
        "Use an unsigned type, or check that it is not negative; check the very variable that is used.",
    ),
    entry("register::offset-too-large", "The number added to a pointer can be beyond 2^29.", "Bound it before it is added."),
    entry(
        "register::pointer-offset-too-large",
        "A pointer's offset is, or would become, larger than 2^29.",
        "Start from the base pointer again, rather than from one that was moved this far.",
    ),
    entry(
        "register::sign-extends-pointer",
        "Part of a pointer is sign-extended.",
        "Keep the pointer in a 64-bit variable: no cast to `int` or `short`.",
    ),
    entry("register::partial-pointer-copy", "Half of a pointer is copied, without privilege.", "Copy all 64 bits."),
    entry(
        "register::pointer-comparison",
        "A pointer is compared where the outcome would tell its value.",
        "Compare with null only, or load with CAP_PERFMON.",
    ),
    entry(
        "register::speculative-arithmetic",
        "Pointer arithmetic that a processor could misuse while guessing, without privilege.",
        "Bound the offset with one sign on all paths, or load with CAP_PERFMON.",
    ),
    entry(
        "register::variable-stack-pointer",
        "A stack pointer with a variable offset, without privilege.",
        "Use constant offsets into the stack.",
    ),
    entry(
        "register::stack-pointer-out-of-range",
        "A stack pointer that leaves the stack, without privilege.",
        "Keep the pointer within the 512 bytes below r10, between steps too; with CAP_PERFMON only the access counts.",
    ),
    entry(
        "register::map-value-pointer-out-of-range",
        "A pointer that leaves its map value, without privilege.",
        "Bound the offset before it is added.",
    ),
    entry(
        "register::cast-without-arena",
        "An address-space cast in a program without an arena map.",
        "Refer to the arena map in the program.",
    ),
    entry(
        "register::division-by-zero",
        "Division by the constant zero.",
        "Divide by something else; check macros and constants that the divisor is made of.",
    ),
    entry(
        "register::invalid-shift",
        "A shift by the width of the register or more.",
        "Shift a 64-bit variable by at most 63, a 32-bit one by at most 31.",
    ),
    entry(
        "register::contradictory-scalar",
        "What is known of a number contradicts itself, where the loader asked that this be an error.",
        "Load without BPF_F_TEST_REG_INVARIANTS.",
    ),
    entry(
        "register::not-an-instruction",
        "An indirect jump through something that is not an entry of a table of instructions.",
        "Jump only through the table that the compiler made for this `switch` or `goto *`.",
    ),
    entry(
        "register::table-offset-too-large",
        "An indirect jump through an entry so far into a table of instructions that no table has it.",
        "Bound the index before the entry is loaded.",
    ),
    entry(
        "register::outside-table",
        "An indirect jump through an entry that its table of instructions does not have.",
        "Bound the index by the number of entries before the entry is loaded.",
    ),
    entry(
        "memory::out-of-bounds",
        "An access outside the object that the pointer points into, or beyond the part that is proven to be there.",
        "Compare the pointer with data_end, or bound the index by the size of the value, before the access.",
    ),
    entry(
        "memory::packet-end",
        "An access through a packet pointer that is known to be at or beyond the packet's end.",
        "Swap the branches of the bounds check, or access in the other one.",
    ),
    entry(
        "memory::invalid-pointer",
        "An access through something that is no pointer, or that may be null.",
        "Check for null before; keep pointers in 64-bit variables.",
    ),
    entry("memory::variable-offset", "A pointer whose offset is not constant, where it must be.", "Access at a constant offset."),
    entry(
        "memory::negative-offset",
        "A pointer with a negative offset, where it must not be.",
        "Use the pointer as it was given: the offset in the instruction may not be negative.",
    ),
    entry(
        "memory::modified-pointer",
        "A pointer that was moved, where the original is needed.",
        "Pass the pointer as it was returned; keep the moved one in another variable.",
    ),
    entry("memory::misaligned", "An access that is not aligned to its size.", "Access by bytes, or align the structure."),
    entry(
        "memory::context",
        "A field of the context that is not there, or that cannot be accessed with this size or in this way.",
        "Access whole fields of the context structure, and only write those that may be written.",
    ),
    entry(
        "memory::context-argument",
        "An argument of the traced function is read that it does not have, or in parts.",
        "Read whole arguments, eight bytes each, as the function has them in this kernel's BTF.",
    ),
    entry(
        "memory::flow-keys",
        "An access outside the flow keys.",
        "Access whole fields of `struct bpf_flow_keys`, within its size.",
    ),
    entry(
        "memory::flow-keys-variable",
        "Flow keys are accessed at a variable offset.",
        "Access fields by name, not by a computed index.",
    ),
    entry(
        "memory::socket",
        "A field of a socket that is not there, or cannot be read in this way.",
        "Some fields need bpf_sk_fullsock or bpf_tcp_sock first.",
    ),
    entry("memory::socket-negative", "A socket pointer with a negative offset.", "Access fields of the socket by name."),
    entry(
        "memory::buffer-variable",
        "A buffer is accessed at a variable offset.",
        "Read the buffer at constant offsets, or copy it to the stack and index the copy.",
    ),
    entry("memory::buffer-negative", "A buffer is accessed at a negative offset.", "Read the buffer from its start."),
    entry(
        "memory::read-only",
        "A write through a pointer to memory that is read-only.",
        "Copy the data to the stack or a map and change it there.",
    ),
    entry("memory::key-written", "A map key is written.", "Copy the key to the stack and change the copy."),
    entry(
        "memory::map-flags",
        "The flags of the map forbid programs this access.",
        "Create the map without BPF_F_RDONLY_PROG or BPF_F_WRONLY_PROG.",
    ),
    entry(
        "memory::packet-read-only",
        "The packet is written by a type of program that may only read it.",
        "Use a helper that stores bytes, where the type has one.",
    ),
    entry(
        "memory::special-field",
        "A timer, lock, list or other special field of a map value is touched directly.",
        "Use its helpers.",
    ),
    entry(
        "memory::kptr-by-helper",
        "A helper would touch a kernel pointer in a map value.",
        "Give the helper the part of the value that does not hold the kernel pointer.",
    ),
    entry(
        "memory::kptr-variable",
        "A kernel pointer in a map value is accessed at a variable offset.",
        "Access the field by name, at a constant offset in the value.",
    ),
    entry(
        "memory::kptr-misaligned",
        "A kernel pointer in a map value is accessed beside its start.",
        "Access the field by name, from its first byte.",
    ),
    entry("memory::kptr-size", "A kernel pointer in a map value is accessed in parts.", "Access all eight bytes."),
    entry(
        "memory::stack-out-of-bounds",
        "An access outside the 512 bytes of stack of a function.",
        "Bound the index by the size of the variable.",
    ),
    entry(
        "memory::stack-unbounded",
        "A stack access at an offset that is bounded by nothing.",
        "Bound the index by the size of the variable.",
    ),
    entry(
        "memory::stack-uninit",
        "A byte of the stack is read that was never written, possibly padding of a structure.",
        "Clear the variable first: `struct key k = {};` or memset.",
    ),
    entry(
        "memory::stack-poisoned",
        "A byte of the stack is read whose content the verifier dropped, because nothing could read it.",
        "A bug is more likely than not; please report it.",
    ),
    entry(
        "memory::spilled-pointer-corrupted",
        "Part of a pointer on the stack is overwritten, without privilege.",
        "Write all eight bytes of the slot, or use another variable; with CAP_PERFMON parts may be overwritten.",
    ),
    entry(
        "memory::partial-pointer-spill",
        "A pointer is stored to the stack in less than eight bytes.",
        "Store the pointer in a variable of eight bytes.",
    ),
    entry(
        "memory::partial-pointer-fill",
        "Part of a pointer on the stack is read.",
        "Load all eight bytes of the pointer.",
    ),
    entry(
        "memory::stack-pointer-to-caller",
        "A pointer into a function's stack is stored in its caller's stack, where it would outlive the function.",
        "Return the data by value, or let the caller pass a buffer of its own.",
    ),
    entry(
        "memory::pointer-leaked-from-stack",
        "A pointer on the stack would become readable through a helper.",
        "Give the helper a buffer without pointers: clear the slot, or copy the numbers out of it.",
    ),
    entry(
        "memory::variable-write-over-spill",
        "A stack write at a variable offset may hit a pointer, without privilege.",
        "Index an array in a map value instead of the stack, or load with CAP_PERFMON.",
    ),
    entry(
        "memory::variable-write-over-uninit",
        "A stack write at a variable offset may skip bytes that were never written, without privilege.",
        "Initialise the whole array first, or load with CAP_PERFMON.",
    ),
    entry(
        "memory::variable-stack",
        "A stack access at a variable offset, without privilege or where there may be none.",
        "Use constant offsets, or a map.",
    ),
    entry(
        "memory::variable-stack-to-helper",
        "A stack pointer at a variable offset is given to a helper that needs a constant one.",
        "Give the helper the address of a whole variable: copy the wanted element to one first.",
    ),
    entry("memory::zero-sized", "An access of zero bytes where there must be some.", "Check that the size is not zero."),
    entry(
        "memory::different-pointers",
        "One instruction accesses different kinds of memory on different paths.",
        "Compilers merge similar branches; keep them apart with a barrier, or by copying to the stack.",
    ),
    entry(
        "memory::atomic-on-kind",
        "An atomic operation on memory that supports none.",
        "Keep the counter in a map value or on the stack: there is no atomic access to this kind of memory.",
    ),
    entry(
        "memory::untrusted",
        "Memory behind an untrusted pointer is read without privilege.",
        "Load with CAP_PERFMON, or read with bpf_probe_read_kernel().",
    ),
    entry("memory::insn-table-read", "A table of instructions is read in parts.", "Load whole entries of eight bytes."),
    entry(
        "memory::stack-arg-sealed",
        "An argument on the stack is read after a call put it out of reach.",
        "Read all arguments into variables at the beginning of the function, before any call.",
    ),
    entry(
        "memory::stack-arg-out-of-bounds",
        "An argument on the stack is read that the function does not have.",
        "Give the function the parameters that it reads: declaration and definition must agree.",
    ),
    entry(
        "memory::stack-arg-too-many",
        "An argument on the stack is written beyond the last.",
        "Pass fewer arguments, or a pointer to a structure that holds them.",
    ),
    entry(
        "memory::typed-access",
        "A field of a typed object that is not there, or that may not be accessed so.",
        "Look at the structure in this kernel's BTF; use CO-RE reads for fields that differ.",
    ),
    entry(
        "resource::leak",
        "Something that was acquired is not given back on a path that ends.",
        "Release it on every path: sockets, ring buffer records, kernel objects.",
    ),
    entry("resource::lock-held", "A lock is held where it may not be, or where the program ends.", "Unlock on every path."),
    entry("resource::irq-held", "Interrupts are off where the program may end.", "Restore them on every path."),
    entry("resource::rcu-held", "An RCU section is open where the program may end.", "Close it on every path."),
    entry("resource::preempt-held", "Preemption is off where the program may end.", "Enable it on every path."),
    entry(
        "resource::released-with-children",
        "An object is released while another that was derived from it is still used.",
        "Release what was derived first, then the object itself.",
    ),
    entry(
        "resource::not-referenced",
        "Something is released that was not acquired.",
        "Release what the acquiring call returned, once, and unchanged.",
    ),
    entry(
        "resource::not-referenced-by-kfunc",
        "Something is released that was not acquired.",
        "Release what the acquiring call returned, once, and unchanged.",
    ),
    entry(
        "resource::dynptr-overwritten",
        "The last dynamic pointer that could give back what it lies over is overwritten.",
        "Submit or discard it before.",
    ),
    entry("resource::second-lock", "A second lock is taken.", "Give the first one back before."),
    entry(
        "resource::unlock-without-lock",
        "A lock is given back that is not held.",
        "Take the lock on every path that comes here, or leave the unlock out where it is not held.",
    ),
    entry(
        "resource::unlock-of-different-lock",
        "Another lock is given back than the one that is held.",
        "Unlock through the very pointer that was locked: look the value up once and keep the pointer.",
    ),
    entry(
        "resource::unlock-out-of-order",
        "Locks are not given back in the reverse order of taking.",
        "Give back the lock that was taken last first.",
    ),
    entry(
        "resource::lock-variable-offset",
        "A lock at a variable offset.",
        "Pass `&value->lock`: a lock stands at one constant place in the value.",
    ),
    entry(
        "resource::lock-without-types",
        "The map has no types, so its lock cannot be found.",
        "Declare the map with `__type(value, struct …)`, and compile with `-g`.",
    ),
    entry(
        "resource::no-lock",
        "There is no lock in the map value or object.",
        "Put a `struct bpf_spin_lock` into the value's type, at the top level, and give the map its types (BTF-defined map).",
    ),
    entry(
        "resource::lock-elsewhere",
        "The pointer does not point to the lock.",
        "Pass `&value->lock`, with the same type of value that the map declares.",
    ),
    entry(
        "resource::many-references",
        "Two arguments of one call own something, and the call can follow but one.",
        "Give one of them as a copy on the stack; cast one socket at a time.",
    ),
    entry(
        "call::argument-kind",
        "An argument is of the wrong kind: a number for a pointer, or a pointer to something else.",
        "Look at the helper's prototype; keep pointers in 64-bit variables.",
    ),
    entry("call::possibly-null", "A pointer that may be null is passed where it must not be.", "Check for null before the call."),
    entry(
        "call::argument-type",
        "A pointer to an object of the wrong type is passed.",
        "Pass an object of the type that the helper's prototype names; a field of it may be the one that is meant.",
    ),
    entry(
        "call::may-write",
        "A pointer to read-only memory is passed to a helper that writes.",
        "Give the helper memory of the program's own: a variable on the stack, or a map value.",
    ),
    entry("call::release-offset", "A reference to be released is passed with an offset.", "Pass the pointer as it was returned."),
    entry("call::size-negative", "A size may be negative.", "Use an unsigned type and bound it before the call."),
    entry("call::size-zero", "A size may be zero where there must be something.", "Check that it is not zero."),
    entry("call::size-unbounded", "A size has no upper bound.", "Bound it by the size of the buffer before the call."),
    entry("call::not-constant", "A number must be known when the program is loaded.", "Pass a constant."),
    entry(
        "call::allocation-too-large",
        "The size of an allocation does not fit 32 bits.",
        "Allocate less than 4 GiB: look where the size comes from.",
    ),
    entry(
        "call::tail-call-with-subprograms",
        "Tail calls and functions do not go together on this kernel.",
        "Ask 5.10 or newer, or inline everything.",
    ),
    entry(
        "call::tail-call-maps",
        "One tail call is reached with different maps, without privilege.",
        "Make one call per map, on separate paths, or load with CAP_BPF.",
    ),
    entry(
        "call::sockmap-update",
        "A map of sockets is updated where that is not safe.",
        "Change the map from user space, or from a program type that may: sockops, sk_msg, sk_skb, sched_cls, socket filters.",
    ),
    entry(
        "call::string-no-address",
        "A constant string is in a map whose values have no address.",
        "Put the string into read-only data: `static const char fmt[] = \"…\";`.",
    ),
    entry(
        "call::memory-too-large",
        "The memory is too large for its size to be checked.",
        "Pass less memory, in several calls.",
    ),
    entry(
        "call::map-helper",
        "This kind of map and this helper do not go together.",
        "Use the helper that belongs to this kind of map, or a kind of map that has this operation.",
    ),
    entry("call::tail-call-map", "A tail call needs a program array.", "Pass a map of type `BPF_MAP_TYPE_PROG_ARRAY`."),
    entry("call::sockmap-argument", "The value for a map of sockets is something else.", "Pass a socket."),
    entry(
        "call::map-mismatch",
        "The map in one argument is not the one that another argument lies in.",
        "Pass the map that the value was looked up in.",
    ),
    entry(
        "call::field-variable",
        "A timer or another field is passed at a variable offset.",
        "Pass `&value->timer`: the field stands at one constant place in the value.",
    ),
    entry(
        "call::field-without-types",
        "The map has no types, so its field cannot be found.",
        "Declare the map with `__type(value, struct …)`, and compile with `-g`.",
    ),
    entry(
        "call::no-field",
        "The map value has no such field.",
        "Put the field into the value's type, at the top level, and give the map its types (BTF-defined map).",
    ),
    entry(
        "call::field-elsewhere",
        "The pointer does not point to the field.",
        "Pass the address of the field itself, with the same type of value that the map declares.",
    ),
    entry(
        "call::string-not-read-only",
        "A constant string is not in a read-only map.",
        "Declare it `const`, so that it is in .rodata.",
    ),
    entry(
        "call::string-map-kind",
        "A constant string is in a kind of map that can hold none.",
        "Put the string into read-only data: `static const char fmt[] = \"…\";`.",
    ),
    entry(
        "call::string-variable",
        "A constant string at a variable address.",
        "Pass one string by name; choose between strings with a branch around the calls.",
    ),
    entry(
        "call::string-unterminated",
        "A constant string does not end inside its map.",
        "End the string with a zero byte: leave room for it in the array.",
    ),
    entry(
        "call::format-string",
        "A format string that the helper does not understand, or that does not go with its arguments.",
        "Use conversions that the helper knows (%d %u %x %ld %lu %lx %lld %llu %llx %p %s), one for each argument.",
    ),
    entry(
        "call::format-arguments",
        "The size of the format arguments is no multiple of eight.",
        "Pass the arguments as an array of `u64`, and its size in bytes.",
    ),
    entry("call::local-storage-flags", "The flags of local storage must be zero.", "Pass 0."),
    entry(
        "call::no-iteration",
        "This kind of map cannot be iterated.",
        "Use a kind of map that can be walked: a hash, an array, or one of their per-CPU or LRU kinds.",
    ),
    entry("call::retval-kind", "The value set as return value is not a number.", "Pass a number."),
    entry(
        "call::retval-of-void",
        "The return value of a hook that returns nothing is set.",
        "Leave the call out: this hook returns nothing.",
    ),
    entry("call::too-deep", "More calls are nested than the kernel allows.", "Inline some of the functions."),
    entry(
        "call::missing-stack-argument",
        "A sixth or later argument was never stored.",
        "Pass all arguments: caller and callee must have been compiled with the same declaration.",
    ),
    entry(
        "call::global-arguments",
        "The arguments do not go with the global function's prototype.",
        "Global functions are verified by their prototype alone: change the prototype, or make the function static.",
    ),
    entry(
        "call::not-scalar",
        "The global function's argument must be a number.",
        "Pass a number, or declare the parameter as the pointer that it is.",
    ),
    entry(
        "call::null-to-trusted",
        "Null, or a pointer that may be null, is passed to a function of the kernel that takes none.",
        "Check the pointer for null before the call.",
    ),
    entry(
        "call::kfunc-ctx",
        "The function of the kernel must be given the context.",
        "Pass the program's context, unchanged.",
    ),
    entry(
        "call::not-trusted",
        "A function of the kernel is given an object that is not known to be alive.",
        "Acquire a reference and pass that, or call where RCU protects the object, if the function takes such ones.",
    ),
    entry(
        "call::kfunc-object",
        "A function of the kernel must be given one of the kernel's objects.",
        "Pass a pointer that the kernel gave: an argument of the hook, a field of such an object, or the result of an acquiring function.",
    ),
    entry(
        "call::kfunc-type",
        "A function of the kernel is given an object of another type.",
        "Pass an object of the type that the function's declaration names.",
    ),
    entry(
        "call::memory-pair",
        "Memory and its size, as a function of the kernel takes them, do not go together.",
        "Bound the size by that of the memory.",
    ),
    entry(
        "call::not-const-string",
        "A function of the kernel must be given a string that cannot change.",
        "Make the string `static const`.",
    ),
    entry(
        "call::cast-to-unknown",
        "A cast to a type that the kernel does not have.",
        "Name the type with `bpf_core_type_id_kernel(struct …)`: this kernel has none of that id.",
    ),
    entry("call::cast-to-no-struct", "A cast to a type that is no structure.", "Cast to a structure, or to `void`."),
    entry(
        "call::not-on-stack",
        "What a function of the kernel keeps on the stack (an iteration, a saved interrupt state) must be there.",
        "Declare the variable in the function, without `static`, and pass its address.",
    ),
    entry(
        "call::slot-state",
        "What a function of the kernel keeps on the stack is there and must not be, or the other way round.",
        "Begin, go on and end with the same variable on every path.",
    ),
    entry(
        "call::protection-lost",
        "An iteration goes on outside of the RCU read section that it needs.",
        "Keep the whole loop between bpf_rcu_read_lock() and bpf_rcu_read_unlock().",
    ),
    entry(
        "call::irq-out-of-order",
        "An interrupt state is restored that is not the one saved last.",
        "Restore first what was saved last.",
    ),
    entry(
        "call::dynptr-argument",
        "A dynamic pointer must be on the stack, or be one that the kernel gave.",
        "Pass the address of a `struct bpf_dynptr` variable.",
    ),
    entry(
        "call::dynptr-room",
        "A dynamic pointer is made where there is no room for it.",
        "Pass the address of a `struct bpf_dynptr` variable that nothing else uses.",
    ),
    entry(
        "call::dynptr-missing",
        "There is no dynamic pointer where one is used: it was never made on this path, was written over, or was given back.",
        "Make it on every path before it is used.",
    ),
    entry(
        "call::dynptr-kind",
        "A dynamic pointer lies over something else than the call takes.",
        "Submit and discard only what was reserved.",
    ),
    entry(
        "call::dynptr-const-released",
        "A dynamic pointer that the kernel gave is not the program's to give back.",
        "Leave it: the kernel takes it back when the function returns.",
    ),
    entry(
        "call::dynptr-memory",
        "A dynamic pointer can be made of a map value only.",
        "Use memory in a map value or a global variable.",
    ),
    entry(
        "call::dynptr-part-not-writable",
        "Programs of this type may not write through a part of a dynamic pointer.",
        "Read with `bpf_dynptr_slice()`, and write with `bpf_dynptr_write()` or through `bpf_dynptr_data()`.",
    ),
    entry(
        "call::trap-reached",
        "A call that compilers put where what a program does has no meaning.",
        "Initialise every variable, and look at the compiler's warnings.",
    ),
    entry(
        "call::missing-kfunc",
        "A function that the kernel does not have is called.",
        "Guard the call with `bpf_ksym_exists()`.",
    ),
    entry("call::not-ctx", "The global function's argument must be the context.", "Pass the program's context."),
    entry(
        "call::not-non-null",
        "The global function's argument must not be null.",
        "Check for null before the call, or tag the argument `__arg_nullable`.",
    ),
    entry(
        "call::not-arena",
        "The global function's argument must be an arena pointer or a number.",
        "Pass an arena pointer or a number.",
    ),
    entry(
        "call::packet-pointer-to-mover",
        "A packet pointer is passed to a function that may move the packet.",
        "Load `data` and `data_end` inside the function, or make it static.",
    ),
    entry(
        "call::no-function-records",
        "The address of a function is taken, and there are no function records.",
        "Compile with `-g`.",
    ),
    entry("call::callback-not-static", "The callback is not a static function.", "Declare it static."),
    entry("call::callback-is-main", "The callback is the entry function.", "Make the callback a function of its own."),
    entry(
        "call::prototype",
        "A global function's prototype cannot be verified.",
        "Use numbers, the context, and pointers to structures of known size; or make the function static.",
    ),
    entry(
        "context::call-under-lock",
        "A call while a lock is held.",
        "Between lock and unlock only a few helpers may be called.",
    ),
    entry(
        "context::global-call-under-lock",
        "A global function is called while a lock is held.",
        "Make it static, or call it outside.",
    ),
    entry(
        "context::sleeping-helper",
        "A helper that may sleep is called where nothing may.",
        "Load as a sleepable program, or leave the section first.",
    ),
    entry(
        "context::sleeping-function",
        "A global function that may sleep is called where nothing may.",
        "Move the call out of the region, or make the program sleepable where nothing holds it.",
    ),
    entry(
        "context::sleeping-kfunc",
        "A function of the kernel that may sleep is called where nothing may.",
        "Move the call out of the region, or make the program sleepable where nothing holds it.",
    ),
    entry(
        "context::needs-rcu",
        "A function of the kernel must be called in an RCU read section.",
        "Call it between bpf_rcu_read_lock() and bpf_rcu_read_unlock().",
    ),
    entry(
        "context::nothing-to-leave",
        "A region is left that was not entered.",
        "Enter it on every path, once for each time that it is left.",
    ),
    entry(
        "context::in-callback",
        "A tail call or legacy packet load inside a callback.",
        "Return a value that tells the caller of the callback what to do, and do it there.",
    ),
    entry("policy::not-permitted", "Something that needs CAP_BPF.", "Load it with CAP_BPF."),
    entry(
        "policy::unknown-helper",
        "This kernel has no helper of this number.",
        "Ask a newer kernel, or probe with `bpf_core_enum_value_exists` and leave the call out.",
    ),
    entry(
        "policy::helper-not-allowed",
        "The helper is not for this type of program, attach point or privilege.",
        "Use another type of program, or another helper.",
    ),
    entry(
        "policy::gpl-only",
        "The helper is for programs with a GPL-compatible licence.",
        "Declare `char _license[] SEC(\"license\") = \"GPL\";` if that is its licence.",
    ),
    entry(
        "policy::kfunc-not-allowed",
        "The function of the kernel is not for this program.",
        "Look in the kernel for the sets of program types that the function is registered for, and use one of them.",
    ),
    entry("policy::kfunc-needs-perfmon", "The function of the kernel needs CAP_PERFMON.", "Load with CAP_PERFMON."),
    entry(
        "policy::helper-refused",
        "The helper's own rule forbids it at this attach point.",
        "Attach to a function where it is allowed; what the helper tells may also be read from the hook's arguments.",
    ),
    entry(
        "policy::helper-needs-traced-function",
        "The helper tells the address of a traced function, and this program has none.",
        "Use a section of the fentry, fexit or fmod_ret kind; for kprobes attached otherwise, read the address from the context.",
    ),
    entry("policy::helper-packet-access", "Packet memory is given to a helper that takes none.", "Copy it to the stack first."),
    entry(
        "policy::pointer-leak",
        "The value of a pointer would reach where it can be read.",
        "Store numbers only, or load with CAP_PERFMON.",
    ),
    entry(
        "policy::packet-load",
        "A legacy packet load in a type of program that has none.",
        "Use direct packet access or bpf_skb_load_bytes.",
    ),
    entry(
        "policy::packet-load-context",
        "The register that must hold the context for a legacy packet load holds something else.",
        "Keep the context in r6.",
    ),
    entry(
        "policy::return-value",
        "The value returned is outside what the attach point allows.",
        "Return one of the values that it knows, on every path.",
    ),
    entry("policy::return-kind", "The value returned is not a number.", "Give r0 a number before every exit."),
    entry(
        "policy::callback-return-kind",
        "A callback returns something that is not a number.",
        "Return 0 to go on or 1 to stop.",
    ),
    entry(
        "policy::returns-stack-pointer",
        "A function returns a pointer to its own stack.",
        "Return the data by value, or let the caller pass a buffer of its own.",
    ),
    entry(
        "policy::map-read-only",
        "A helper would change a map that is read-only for programs.",
        "Leave the call out, or create the map without `BPF_F_RDONLY_PROG`.",
    ),
    entry(
        "bpfvet::unsupported",
        "Something that bpfvet does not model, so that it gives no verdict.",
        "Give the kernel's types with --btf, if that is what is missing; else ask a kernel.",
    ),
    entry("bpfvet::interrupted", "The caller's own budget ran out before there was a verdict.", "Give it a larger budget."),
    entry("bpfvet::internal", "An invariant of bpfvet's own does not hold.", "Please report it, with the object."),
];
