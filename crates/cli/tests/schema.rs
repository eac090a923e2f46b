//! What `--format json` prints is what the committed schema says, for every verdict there is.

use std::fs;
use std::path::Path;
use std::process::Command;

use bpfvet::report::json::SCHEMA;
use serde_json::{Map, Value};

/// Where a value is not as the schema says, and why; empty where it is.
fn faults(value: &Value, schema: &Value, root: &Value, at: &str, found: &mut Vec<String>) {
    let Some(rules) = schema.as_object() else { panic!("{at}: a schema is an object") };
    for (keyword, rule) in rules {
        let holds = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let target = rule.as_str().and_then(|path| root.pointer(path.strip_prefix('#')?));
                faults(value, target.expect("a definition"), root, at, found);
                true
            }
            "anyOf" => {
                let fits = |one: &Value| {
                    let mut found = Vec::new();
                    faults(value, one, root, at, &mut found);
                    found.is_empty()
                };
                rule.as_array().expect("a list").iter().any(fits)
            }
            "type" => {
                let is = |name: &Value| match name.as_str() {
                    Some("object") => value.is_object(),
                    Some("array") => value.is_array(),
                    Some("string") => value.is_string(),
                    Some("integer") => value.is_u64() || value.is_i64(),
                    Some("null") => value.is_null(),
                    _ => panic!("type {name} is not understood here"),
                };
                rule.as_array().map_or_else(|| is(rule), |names| names.iter().any(is))
            }
            "enum" => rule.as_array().expect("a list").contains(value),
            "minimum" => value.as_i64().is_none_or(|number| Some(number) >= rule.as_i64()),
            "pattern" => {
                assert_eq!(rule, "^[a-z]+::[a-z0-9-]+$", "no other pattern is understood here");
                value.as_str().is_none_or(is_code)
            }
            "required" => {
                let names = rule.as_array().expect("a list").iter().filter_map(Value::as_str);
                value.as_object().is_none_or(|object| names.into_iter().all(|name| object.contains_key(name)))
            }
            "properties" => {
                let known = rule.as_object().expect("schemas by name");
                for (name, value) in value.as_object().unwrap_or(&Map::new()) {
                    if let Some(schema) = known.get(name) {
                        faults(value, schema, root, &format!("{at}.{name}"), found);
                    }
                }
                true
            }
            "additionalProperties" => {
                assert_eq!(rule, &Value::Bool(false));
                let known = rules.get("properties").and_then(Value::as_object).expect("properties");
                value.as_object().is_none_or(|object| object.keys().all(|name| known.contains_key(name)))
            }
            "items" => {
                for (number, value) in value.as_array().into_iter().flatten().enumerate() {
                    faults(value, rule, root, &format!("{at}[{number}]"), found);
                }
                true
            }
            other => panic!("{other} is not understood here"),
        };
        if !holds {
            found.push(format!("{at}: {keyword} {rule} does not hold of {value}"));
        }
    }
}

fn is_code(text: &str) -> bool {
    let word = |text: &str, digits: bool| {
        let part = |c: char| c.is_ascii_lowercase() || digits && (c.is_ascii_digit() || c == '-');
        !text.is_empty() && text.chars().all(part)
    };
    text.split_once("::").is_some_and(|(group, name)| word(group, false) && word(name, true))
}

fn check(line: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    let mut found = Vec::new();
    faults(line, &schema, &schema, "line", &mut found);
    found
}

fn lines(args: &[&str]) -> Vec<Value> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let output = Command::new(env!("CARGO_BIN_EXE_bpfvet"))
        .args(["check", "--format", "json"])
        .args(args)
        .current_dir(examples)
        .output()
        .expect("the command runs");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn raw(name: &str, slots: &[u64]) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let bytes: Vec<u8> = slots.iter().flat_map(|slot| slot.to_le_bytes()).collect();
    fs::write(&path, bytes).expect("a temporary file");
    path.to_str().expect("a path of text").to_owned()
}

#[test]
fn every_line_is_as_the_schema_says() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut objects: Vec<String> = fs::read_dir(examples)
        .expect("the examples")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".o"))
        .collect();
    objects.sort();
    let mut args = vec!["--kernel", "4.14,6.12,7.3"];
    args.extend(objects.iter().map(String::as_str));
    let mut all = lines(&args);
    // No instruction, an unreadable register, and a call by a number that only kernel types would explain.
    let no_insn = raw("no-insn.bin", &[0xff, 0x95]);
    let unreadable = raw("unreadable.bin", &[0x95]);
    let kfunc = raw("kfunc.bin", &[0x0000_0001_0000_2085, 0xb7, 0x95]);
    for path in [&no_insn, &unreadable, &kfunc] {
        all.extend(lines(&["--raw", "--type", "xdp", path]));
    }
    let verdicts: std::collections::BTreeSet<&str> = all.iter().filter_map(|line| line["verdict"].as_str()).collect();
    assert!(verdicts.contains("accepted") && verdicts.contains("rejected") && verdicts.len() >= 3, "{verdicts:?}");
    for line in &all {
        assert_eq!(check(line), Vec::<String>::new(), "{line}");
        let refused = line["verdict"] != "accepted";
        assert_eq!(line["code"].is_string(), refused, "{line}");
        assert!(line["explanation"].is_object() || !refused || line["verdict"] == "failed", "{line}");
    }
}

#[test]
fn a_line_that_is_not_as_the_schema_says_is_found_out() {
    let [line] = &lines(&["xdp_firewall.bpf.o"])[..] else { panic!("one line") };
    assert_eq!(check(line), Vec::<String>::new());
    let with = |key: &str, value: Value| {
        let mut line = line.clone();
        line[key] = value;
        check(&line).len()
    };
    assert_eq!(with("verdict", "perhaps".into()), 1);
    assert_eq!(with("insns_processed", (-1).into()), 1);
    assert_eq!(with("code", "Memory".into()), 1);
    assert_eq!(with("more", Value::Null), 1);
    let mut less = line.clone();
    less.as_object_mut().expect("an object").remove("kernel");
    assert_eq!(check(&less).len(), 1);
}
