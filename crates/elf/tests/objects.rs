//! What becomes of whole objects: programs, maps, references, records.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use bpfvet_elf::{Object, Options};
use bpfvet_platform::{MapDef, ProgramType};
use expect_test::{Expect, expect};

fn read(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn map(def: &MapDef) -> String {
    let mut text = format!("{} {} {}/{}/{}", def.name, def.kind.name(), def.key_size, def.value_size, def.max_entries);
    if def.flags != 0 {
        write!(text, " flags {:#x}", def.flags).unwrap();
    }
    if let Some(frozen) = &def.frozen {
        write!(text, " = {frozen:02x?}").unwrap();
    }
    for field in &def.fields {
        write!(text, " {:?}@{}", field.kind, field.offset).unwrap();
    }
    if let Some(inner) = &def.inner {
        write!(text, " of ({})", map(inner)).unwrap();
    }
    text
}

/// One line per program and per map that it uses, or its error.
fn summary(object: &Object) -> String {
    let mut out = String::new();
    for entry in object.programs() {
        let autoload = if entry.autoload { "" } else { " (not by itself)" };
        write!(out, "{} in {}{autoload}: ", entry.name, entry.section).unwrap();
        match object.load_request(entry) {
            Ok(request) => {
                let (kind, gpl) = (request.program_type.name(), if request.gpl_compatible { "GPL" } else { "not GPL" });
                let counts = (request.program.len(), request.funcs.len(), request.lines.len());
                writeln!(out, "{kind}, {gpl}, {} slots, {} functions, {} lines", counts.0, counts.1, counts.2).unwrap();
                for def in &request.maps {
                    writeln!(out, "    {}", map(def)).unwrap();
                }
            }
            Err(error) => writeln!(out, "{error}").unwrap(),
        }
        for warning in object.warnings(entry) {
            writeln!(out, "    ({warning})").unwrap();
        }
    }
    out
}

fn check(path: &str, options: &Options, expected: &Expect) -> Object {
    let object = Object::parse(&read(path), options).unwrap();
    expected.assert_eq(&summary(&object));
    object
}

#[test]
fn the_examples_are_what_they_say() {
    let mut all = String::new();
    for name in ["xdp_firewall", "tc_classifier", "open_counter", "socket_filter", "cgroup_connect", "core_kprobe"] {
        let path = format!("../../examples/{name}.bpf.o");
        let object = Object::parse(&read(&path), &Options::for_file(&path)).unwrap();
        all.push_str(&summary(&object));
    }
    expect![[r#"
        firewall in xdp: xdp, GPL, 71 slots, 3 functions, 37 lines
            counters percpu_array 4/8/3
            xdp_fire.rodata array 4/3/1 flags 0x480 = [16, 00, 01]
            blocked hash 4/8/10240
        classify in tc: sched_cls, GPL, 65 slots, 2 functions, 34 lines
            class_of_port hash 2/4/256
            traffic lru_hash 4/16/64
        count_open in tracepoint/syscalls/sys_enter_openat: tracepoint, GPL, 51 slots, 1 functions, 24 lines
            opened lru_hash 4/8/4096
            events ringbuf 0/0/262144
            open_cou.bss array 4/8/1 flags 0x400
        dns_questions in socket: socket_filter, GPL, 40 slots, 1 functions, 17 lines
            socket_f.bss array 4/128/1 flags 0x400
        connect4 in cgroup/connect4: cgroup_sock_addr, GPL, 22 slots, 1 functions, 11 lines
            cgroup_c.rodata array 4/4/1 flags 0x480 = [7f, 00, 00, 35]
            forbidden hash 4/1/1024
        report_exit in kprobe/do_exit: it depends on the layout of the kernel's types (CO-RE); give a kernel's BTF with --btf
    "#]].assert_eq(&all);
}

#[test]
fn lines_are_those_of_the_source() {
    let object = Object::parse(&read("../../examples/xdp_firewall.bpf.o"), &Options::default()).unwrap();
    let request = object.load_request(&object.programs()[0]).unwrap();
    let source =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/xdp_firewall.bpf.c"))
            .unwrap();
    let source: Vec<&str> = source.lines().collect();
    assert!(!request.lines.is_empty());
    for line in &request.lines {
        assert!(line.file.ends_with("xdp_firewall.bpf.c"));
        assert_eq!(*line.text, *source[line.line as usize - 1]);
        assert!(request.program.get(line.at).is_some(), "a line begins within an instruction");
    }
    let btf = request.btf.as_ref().unwrap();
    let names: Vec<_> = request
        .funcs
        .iter()
        .map(|func| btf.type_by_id(bpfvet_btf::TypeId(func.type_id)).unwrap().name().to_owned())
        .collect();
    assert_eq!(names, ["firewall", "count", "is_blocked"]);
}

#[test]
fn everything_that_is_linked() {
    let object = check(
        "tests/objects/many.o",
        &Options::for_file("many.o"),
        &expect![[r#"
            tail in xdp: xdp, GPL, 17 slots, 1 functions, 7 lines
                outer array_of_maps 4/4/4 of (outer.inner array 4/8/1)
            calls in tc: sched_cls, GPL, 27 slots, 4 functions, 18 lines
                many.rodata array 4/4/1 flags 0x480 = [0a, 00, 00, 00]
                many.bss array 4/4/1
            loops in tc: sched_cls, GPL, 16 slots, 2 functions, 5 lines
                many.rodata array 4/4/1 flags 0x480 = [0a, 00, 00, 00]
                many.data array 4/8/1 flags 0x400
            wants_config in kprobe/f (not by itself): kprobe, GPL, 8 slots, 1 functions, 4 lines
                many.kconfig array 4/5/1 flags 0x480
                (kernel configuration is not known: externs in .kconfig may have any value)
            wants_symbols in raw_tp/x: raw_tracepoint, GPL, 3 slots, 1 functions, 1 lines
                (the address of kernel symbol `some_symbol` is not known; one was assumed)
            wants_type in raw_tp/x: extern `missing` needs a kernel's types to be found; give a kernel's BTF with --btf
            stranger in whatever: program type unknown: section `whatever` is not one that loaders know; name the type with --type
            broken_map in fentry/do_exit: map `contradicts`: `value` says 4 bytes, another part of the declaration 8
        "#]],
    );
    // A hidden function is told to the kernel as static, a shared one stays global.
    let btf = object.btf().unwrap();
    let linkage = |name: &str| {
        let id = btf.find_by_name_kind(name, bpfvet_btf::Kind::Func).unwrap();
        format!("{:?}", btf.type_by_id(id).unwrap().shape())
    };
    assert!(linkage("quiet").contains("Static"), "{}", linkage("quiet"));
    assert!(linkage("shared").contains("Global"), "{}", linkage("shared"));
}

#[test]
fn configuration_and_symbols_are_taken_from_the_options() {
    let symbols = [("some_symbol".to_owned(), 0xffff_ffff_8123_4567)];
    let options = Options {
        kconfig: Some("# comment\nCONFIG_HZ=250\nCONFIG_OTHER=y\n".into()),
        kallsyms: Some(Arc::new(symbols.into())),
        ..Options::for_file("many.o")
    };
    let object = Object::parse(&read("tests/objects/many.o"), &options).unwrap();
    let named = |name: &str| object.programs().iter().find(|entry| entry.name == name).unwrap();
    let request = object.load_request(named("wants_config")).unwrap();
    assert_eq!(map(&request.maps[0]), "many.kconfig array 4/5/1 flags 0x480 = [fa, 00, 00, 00, 00]");
    let text = format!("{:?}", object.load_request(named("wants_symbols")).map(|request| request.program));
    assert!(text.contains(&0xffff_ffff_8123_4567_u64.to_string()), "{text}");
    let options = Options { kconfig: Some("CONFIG_BPF_JIT=y\n".into()), ..options };
    let object = Object::parse(&read("tests/objects/many.o"), &options).unwrap();
    let error =
        object.load_request(object.programs().iter().find(|entry| entry.name == "wants_config").unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "extern `CONFIG_HZ` is not in the kernel's configuration");
}

#[test]
fn a_type_can_be_given_where_the_section_does_not_tell() {
    let object = Object::parse(&read("tests/objects/text_only.o"), &Options::default()).unwrap();
    let entry = &object.programs()[0];
    let error = object.load_request(entry).unwrap_err().to_string();
    assert_eq!(error, "program type unknown: section `.text` is not one that loaders know; name the type with --type");
    let mut entry = entry.clone();
    entry.program_type = Some(ProgramType::XDP);
    let request = object.load_request(&entry).unwrap();
    assert_eq!((request.name.as_str(), request.program_type), ("entry", ProgramType::XDP));
    assert!(request.btf.is_none() && request.funcs.is_empty() && request.lines.is_empty());
    assert_eq!(object.programs().len(), 1, "a static function is no program");
}

#[test]
fn legacy_maps() {
    check(
        "tests/objects/legacy_maps.o",
        &Options::default(),
        &expect![[r#"
        filter in socket: socket_filter, not GPL, 18 slots, 0 functions, 0 lines
            second array 4/16/4 flags 0x80
            first hash 4/8/16
    "#]],
    );
}

#[test]
fn every_map_is_listed_with_its_fault() {
    let object = Object::parse(&read("tests/objects/many.o"), &Options::for_file("many.o")).unwrap();
    let lines: Vec<_> = object
        .maps()
        .map(|entry| match entry.def {
            Ok(def) => format!("{} in {}: {}", entry.name, entry.section, map(def)),
            Err(error) => format!("{} in {}: {error}", entry.name, entry.section),
        })
        .collect();
    expect![[r#"
        one in .maps: one array 4/8/1
        outer in .maps: outer array_of_maps 4/4/4 of (outer.inner array 4/8/1)
        jumps in .maps: jumps prog_array 4/4/2
        special in .maps: special hash 4/40/8 Timer@8 SpinLock@24 KptrRef@32
        contradicts in .maps: `value` says 4 bytes, another part of the declaration 8
        .rodata in .rodata: many.rodata array 4/4/1 flags 0x480 = [0a, 00, 00, 00]
        .data in .data: many.data array 4/8/1 flags 0x400
        .bss in .bss: many.bss array 4/4/1
        .kconfig in .kconfig: many.kconfig array 4/5/1 flags 0x480"#]]
    .assert_eq(&lines.join("\n"));
}
