//! Any bytes are an object or an error; what an object asks to load is whole.

use bpfvet_elf::{Object, Options};
use bpfvet_platform::ProgramType;

/// Takes `data` for an object file.
///
/// # Panics
///
/// Where a load request contradicts itself.
pub fn run(data: &[u8]) {
    let options = Options { kconfig: Some("CONFIG_HZ=250\n".into()), ..Options::for_file("fuzz.o") };
    let Ok(object) = Object::parse(data, &options) else { return };
    for entry in object.programs() {
        let mut entry = entry.clone();
        entry.program_type.get_or_insert(ProgramType::XDP);
        assert!(
            object.warnings(&entry).iter().all(|warning| !warning.to_string().is_empty()),
            "a warning without words"
        );
        let Ok(request) = object.load_request(&entry) else { continue };
        let bytes = object.linked_bytes(&entry);
        assert_eq!(request.program.encode().ok(), bytes.ok(), "the program is not what was linked");
        assert!(request.lines.iter().all(|line| line.at.0 < request.program.len()), "a line beyond the program");
        assert!(request.funcs.iter().all(|func| func.at.0 < request.program.len()), "a function beyond the program");
    }
}
