//! Values in plain words: `a pointer to the packet`, `a number from 0 to 255`.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};

use bpfvet_domain::{Known, Views};
use bpfvet_vm::{Base, Flags, Pointer, Region, TypeTag, Value};

use crate::Names;
use crate::names::map_name;

/// A value in plain words, as the object of a sentence.
pub(crate) fn value_words(value: &Value<Known>, names: &Names<'_>) -> String {
    match value {
        Value::Uninit => "not readable".to_string(),
        Value::Scalar(scalar) => number_words(&scalar.num),
        Value::Pointer(pointer) => pointer_words(pointer, names),
    }
}

/// A number in plain words.
pub(crate) fn number_words(num: &Known) -> String {
    if let Some(number) = num.as_const() {
        return format!("{}", number.cast_signed());
    }
    match range_words(num) {
        Some(range) => format!("a number {range}"),
        None => "any number".to_string(),
    }
}

/// The low half of a number, where that says more than the whole: `a number from -5 to 15`.
pub(crate) fn half_words(num: &Known) -> Option<String> {
    let (umin, umax) = (num.u32_min(), num.u32_max());
    let (smin, smax) = (num.s32_min(), num.s32_max());
    if num.umax() <= u64::from(u32::MAX) && num.umax() == u64::from(umax) && umax < u32::MAX {
        return None;
    }
    let wide = |min: i64, max: i64| max - min;
    if wide(umin.into(), umax.into()) <= wide(smin.into(), smax.into()) {
        (umax < u32::MAX || umin > 0).then(|| format!("from {umin} to {umax}"))
    } else {
        Some(format!("from {smin} to {smax}"))
    }
}

/// The narrower of the two ranges: `from 0 to 255`, `up to 8`; nothing where there is no bound.
pub(crate) fn range_words(num: &Known) -> Option<String> {
    let (umin, umax, smin, smax) = (num.umin(), num.umax(), num.smin(), num.smax());
    if umax <= i64::MAX.cast_unsigned() {
        return (umax != i64::MAX.cast_unsigned() || umin != 0).then(|| format!("from {umin} to {umax}"));
    }
    match (smin == i64::MIN, smax == i64::MAX) {
        (true, true) if umin == 0 && umax == u64::MAX => None,
        (true, true) => Some(format!("from {umin} to {umax}")),
        (false, true) => Some(format!("of at least {smin}")),
        (true, false) if smax > i64::MAX / 2 => None,
        (true, false) => Some(format!("of at most {smax}, possibly negative without bound")),
        (false, false) => Some(format!("from {smin} to {smax}")),
    }
}

fn pointer_words(pointer: &Pointer<Known>, names: &Names<'_>) -> String {
    let what = region_words(&pointer.region, pointer.flags, names);
    let place = match pointer.off.as_const().map(u64::cast_signed) {
        Some(0) => String::new(),
        Some(off) => format!(" {off:+}"),
        None => match range_words(&pointer.off) {
            Some(range) => format!(" plus a number {range}"),
            None => " plus any number".to_string(),
        },
    };
    let proven = match pointer.region {
        Region::Packet { group: _, range } | Region::PacketMeta { group: _, range } if range > 0 => {
            format!(", {range} bytes proven")
        }
        Region::Ctx
        | Region::Stack { .. }
        | Region::Map { .. }
        | Region::MapValue { .. }
        | Region::MapKey { .. }
        | Region::Packet { .. }
        | Region::PacketMeta { .. }
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
        | Region::Dynptr { .. } => String::new(),
    };
    let null = if pointer.nullable() { ", or null" } else { "" };
    format!("{what}{place}{proven}{null}")
}

fn region_words(region: &Region, flags: Flags, names: &Names<'_>) -> String {
    let of_map = |what: &str, map| match names.map(map).map(map_name) {
        Some(name) if !name.is_empty() => format!("{what} of map `{name}`"),
        Some(_) | None => format!("{what} of a map"),
    };
    match region {
        Region::MapValue { map, uid: _ } => of_map("a value", *map),
        Region::MapKey { map, uid: _ } => of_map("a key", *map),
        Region::Map { map, uid: _ } => match names.map(*map).map(map_name) {
            Some(name) if !name.is_empty() => format!("map `{name}`"),
            Some(_) | None => "a map".to_string(),
        },
        Region::Btf { btf, id } => {
            let kind = tag_words(TypeTag::with(Base::Btf, flags.without(Flags::NULLABLE)));
            match names.type_name(*btf, *id) {
                "" => kind.into_owned(),
                name => format!("{kind} (`struct {name}`)"),
            }
        }
        Region::Mem { size } if flags.contains(Flags::RINGBUF) => format!("a ring buffer record of {size} bytes"),
        Region::Mem { size } => format!("memory of {size} bytes"),
        Region::Ctx
        | Region::Stack { .. }
        | Region::Packet { .. }
        | Region::PacketMeta { .. }
        | Region::PacketEnd
        | Region::FlowKeys
        | Region::Socket { .. }
        | Region::TpBuffer
        | Region::Buf
        | Region::Func { .. }
        | Region::Arena
        | Region::Insn { .. }
        | Region::Dynptr { .. } => tag_words(TypeTag::with(region.base(), flags.without(Flags::NULLABLE))).into_owned(),
    }
}

/// A kind of value in plain words.
pub(crate) fn tag_words(tag: TypeTag) -> Cow<'static, str> {
    let words = match tag.base {
        Base::Uninit => "something not readable",
        Base::Scalar => "a number",
        Base::Ctx => "the context",
        Base::Map => "a map",
        Base::MapValue => "a map value",
        Base::MapKey => "a map key",
        Base::Stack => "the stack",
        Base::PacketMeta => "the packet's metadata",
        Base::Packet => "the packet",
        Base::PacketEnd => "the packet's end",
        Base::FlowKeys => "the flow keys",
        Base::Socket | Base::SockCommon | Base::TcpSock | Base::XdpSock => "a socket",
        Base::TpBuffer => "a tracepoint's buffer",
        Base::Btf if tag.flags.contains(Flags::ALLOC) => "an object of the program",
        Base::Btf if tag.flags.contains(Flags::UNTRUSTED) => "an untrusted kernel object",
        Base::Btf => "a kernel object",
        Base::Mem if tag.flags.contains(Flags::RINGBUF) => "a ring buffer record",
        Base::Mem => "memory",
        Base::Buf => "a buffer",
        Base::Func => "a function",
        Base::Arena => "an arena",
        Base::Insn => "a place in a jump table",
        Base::Dynptr => "a dynamic pointer",
    };
    if tag.flags.contains(Flags::NULLABLE) { Cow::Owned(format!("{words}, or null")) } else { Cow::Borrowed(words) }
}
