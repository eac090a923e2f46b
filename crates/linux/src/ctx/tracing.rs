//! Contexts of tracing programs that are plain structures (`*_prog_is_valid_access`, kernel/trace/bpf_trace.c), and that of
//! infrared decoders (drivers/media/rc/bpf-lirc.c).

use bpfvet_platform::{CtxRule, CtxValue};

use super::{Row, Table, ro, rw};
use CtxRule::{Any, Denied, Exact, Narrow, Unit};

/// Bytes of the registers of x86-64.
const PT_REGS_SIZE: u32 = 168;
/// Bytes of a tracepoint's buffer (`PERF_MAX_TRACE_SIZE`).
const TRACE_SIZE: u32 = 8192;
/// Arguments of a raw tracepoint (`MAX_BPF_FUNC_ARGS`), eight bytes each.
const RAW_ARGS: u32 = 12 * 8;

/// `kprobe_prog_is_valid_access`. Whether a program that writes may be attached is decided when it is attached.
pub(super) static PT_REGS: Table = Table {
    name: "pt_regs",
    size: PT_REGS_SIZE,
    rows: &[rw("regs", 0, PT_REGS_SIZE, Any, Any).since(6, 18), ro("regs", 0, PT_REGS_SIZE, Any)],
};

/// `tp_prog_is_valid_access`: the first eight bytes are the kernel's own.
pub(super) static TRACEPOINT: Table =
    Table { name: "tracepoint", size: TRACE_SIZE, rows: &[ro("fields", 8, TRACE_SIZE - 8, Any)] };

/// `raw_tp_prog_is_valid_access`
pub(super) static RAW_TRACEPOINT: Table =
    Table { name: "bpf_raw_tracepoint_args", size: RAW_ARGS, rows: &[ro("args", 0, RAW_ARGS, Any)] };

/// `raw_tp_writable_prog_is_valid_access`: only an access that *begins* at the first argument is bound to be the buffer.
pub(super) static RAW_TRACEPOINT_WRITABLE: Table = Table {
    name: "bpf_raw_tracepoint_args",
    size: RAW_ARGS,
    rows: &[ro("args", 1, RAW_ARGS - 1, Any), Row::new("buffer", 0, 8, Exact, Denied, CtxValue::TpBuffer)],
};

/// `pe_prog_is_valid_access`
pub(super) static PERF_EVENT: Table = Table {
    name: "bpf_perf_event_data",
    size: PT_REGS_SIZE + 16,
    rows: &[
        ro("regs", 0, PT_REGS_SIZE, Unit(8)),
        ro("sample_period", PT_REGS_SIZE, 8, Narrow(8)),
        ro("addr", PT_REGS_SIZE + 8, 8, Narrow(8)).since(4, 17),
    ],
};

/// `lirc_mode2_is_valid_access`
pub(super) static LIRC: Table = Table { name: "lirc_mode2", size: 4, rows: &[ro("sample", 0, 4, Exact)] };

/// `syscall_prog_is_valid_access` before any offset was allowed: aligned, and at a constant offset.
pub(super) static SYSCALL: Table =
    Table { name: "syscall", size: u16::MAX as u32, rows: &[rw("args", 0, u16::MAX as u32, Any, Any)] };
