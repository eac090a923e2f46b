//! One value: `Pscalar(id=3,smin=0,…)`, `map_value(map=m,ks=4,vs=8,imm=4)`, `fp-16`, `ctx()`.

use alloc::string::String;
use core::fmt::{self, Write};

use bpfvet_domain::{ScalarText, SignedText, UnsignedText, Views};
use bpfvet_vm::{Base, Flags, LinkDelta, Pointer, Region, ScalarValue, TypeTag, Value};

use crate::Names;
use crate::kernel_text::kind_text;
use crate::names::map_name;

/// A value as the log prints it, in a register or slot of the frame `frame`; not readable is `?`.
///
/// Source: `print_reg_state`, `kernel/bpf/log.c`, Linux 7.3.
#[must_use]
pub fn value_text<D: Views>(value: &Value<D>, frame: usize, names: &Names<'_>) -> String {
    let mut out = String::new();
    write_value(&mut out, value, frame, names);
    out
}

/// [`value_text`] at the end of `out`.
pub(crate) fn write_value<D: Views>(out: &mut String, value: &Value<D>, frame: usize, names: &Names<'_>) {
    match value {
        Value::Uninit => out.push('?'),
        Value::Scalar(scalar) => write_scalar(out, scalar),
        Value::Pointer(pointer) => write_pointer(out, pointer, frame, names),
    }
}

fn write_scalar<D: Views>(out: &mut String, scalar: &ScalarValue<D>) {
    let ScalarValue { num, link, precise } = scalar;
    if *precise {
        out.push('P');
    }
    if let Some(number) = num.as_const() {
        let _ = write!(out, "{}", SignedText(number));
        return;
    }
    let mut list = List::open(out, "scalar");
    if let Some(link) = link {
        match link.delta {
            LinkDelta::Base => list.item(format_args!("id={}", link.id.get())),
            LinkDelta::Add64(by) | LinkDelta::Add32(by) => list.item(format_args!("id={}{by:+}", link.id.get())),
        }
    }
    list.ranges(num);
    list.close();
}

fn write_pointer<D: Views>(out: &mut String, pointer: &Pointer<D>, frame: usize, names: &Names<'_>) {
    let Pointer { region, flags, off, object, parent } = pointer;
    write_type(out, pointer.tag());
    if *region == Region::Arena {
        return;
    }
    if let Region::Stack { frame: of } = region {
        if usize::from(*of) != frame {
            let _ = write!(out, "[{of}]");
        }
        if let Some(off) = off.as_const() {
            let _ = write!(out, "{}", SignedText(off));
            return;
        }
    }
    if let Region::Btf { btf, id } = region {
        out.push_str(names.type_name(*btf, *id));
    }
    let mut list = List::open(out, "");
    let group = match region {
        Region::Packet { group, range: _ } | Region::PacketMeta { group, range: _ } => group.map(|group| group.get()),
        Region::Ctx
        | Region::Stack { .. }
        | Region::Map { .. }
        | Region::MapValue { .. }
        | Region::MapKey { .. }
        | Region::PacketEnd
        | Region::FlowKeys
        | Region::Socket { .. }
        | Region::TpBuffer
        | Region::Btf { .. }
        | Region::Mem { .. }
        | Region::Buf
        | Region::Func { .. }
        | Region::Arena
        | Region::Insn { .. }
        | Region::Dynptr { .. } => None,
    };
    if let Some(id) = group.or(object.map(|object| object.get())) {
        list.item(format_args!("id={id}"));
    }
    if let Some(parent) = parent {
        list.item(format_args!("parent_id={}", parent.get()));
    }
    if flags.contains(Flags::ALLOC.union(Flags::NON_OWNING)) {
        list.item(format_args!("non_own_ref"));
    }
    match region {
        Region::Map { map, uid: _ } | Region::MapValue { map, uid: _ } | Region::MapKey { map, uid: _ } => {
            if let Some(map) = names.map(*map) {
                let name = map_name(map);
                if !name.is_empty() {
                    list.item(format_args!("map={name}"));
                }
                list.item(format_args!("ks={},vs={}", map.key_size, map.value_size));
            }
        }
        Region::Packet { group: _, range } | Region::PacketMeta { group: _, range } => {
            list.item(format_args!("r={}", UnsignedText(i64::from(*range).cast_unsigned())));
        }
        Region::Dynptr { kind } => list.item(format_args!("type={}", kind_text(*kind))),
        Region::Mem { size } => list.item(format_args!("sz={}", UnsignedText(u64::from(*size)))),
        Region::Ctx
        | Region::Stack { .. }
        | Region::PacketEnd
        | Region::FlowKeys
        | Region::Socket { .. }
        | Region::TpBuffer
        | Region::Btf { .. }
        | Region::Buf
        | Region::Func { .. }
        | Region::Arena
        | Region::Insn { .. } => {}
    }
    match off.as_const() {
        Some(0) => {}
        Some(off) => list.item(format_args!("imm={}", SignedText(off))),
        None => list.ranges(off),
    }
    list.close();
}

/// Comma-separated items between parentheses.
struct List<'a> {
    out: &'a mut String,
    separator: &'static str,
}

impl<'a> List<'a> {
    fn open(out: &'a mut String, name: &str) -> Self {
        out.push_str(name);
        out.push('(');
        Self { out, separator: "" }
    }

    fn item(&mut self, item: fmt::Arguments<'_>) {
        let _ = write!(self.out, "{}{item}", self.separator);
        self.separator = ",";
    }

    fn ranges(&mut self, num: &impl Views) {
        let before = self.out.len();
        self.out.push_str(self.separator);
        let bare = self.out.len();
        let _ = write!(self.out, "{}", ScalarText(num));
        if self.out.len() == bare {
            self.out.truncate(before);
        } else {
            self.separator = ",";
        }
    }

    fn close(self) {
        self.out.push(')');
    }
}

/// The name of a kind of value (`reg_type_str`). A typed object's name ends where the structure's name follows.
pub(crate) fn type_text(tag: TypeTag) -> String {
    let mut out = String::new();
    write_type(&mut out, tag);
    out
}

fn write_type(out: &mut String, tag: TypeTag) {
    let TypeTag { base, flags } = tag;
    let prefixes = [
        (Flags::RDONLY, "rdonly_"),
        (Flags::RINGBUF, "ringbuf_"),
        (Flags::USER, "user_"),
        (Flags::PERCPU, "percpu_"),
        (Flags::RCU, "rcu_"),
        (Flags::UNTRUSTED, "untrusted_"),
        (Flags::TRUSTED, "trusted_"),
    ];
    out.extend(prefixes.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, text)| *text));
    out.push_str(match base {
        Base::Uninit => "?",
        Base::Scalar => "scalar",
        Base::Ctx => "ctx",
        Base::Map => "map_ptr",
        Base::MapValue => "map_value",
        Base::MapKey => "map_key",
        Base::Stack => "fp",
        Base::PacketMeta => "pkt_meta",
        Base::Packet => "pkt",
        Base::PacketEnd => "pkt_end",
        Base::FlowKeys => "flow_keys",
        Base::Socket => "sock",
        Base::SockCommon => "sock_common",
        Base::TcpSock => "tcp_sock",
        Base::TpBuffer => "tp_buffer",
        Base::XdpSock => "xdp_sock",
        Base::Btf => "ptr_",
        Base::Mem => "mem",
        Base::Buf => "buf",
        Base::Func => "func",
        Base::Arena => "arena",
        Base::Insn => "insn",
        Base::Dynptr => "dynptr_ptr",
    });
    if flags.contains(Flags::NULLABLE) {
        out.push_str(if base == Base::Btf { "or_null_" } else { "_or_null" });
    }
}
