//! Any bytes are types or an error; every walk over types ends.

use std::sync::Arc;

use bpfvet_btf::co_re::{Matcher, RelocKind, Targets, types_are_compatible, types_match};
use bpfvet_btf::{Btf, BtfExt, CoreRecord, FieldKind, NameIndex};

/// How many types of a set are looked at closely.
const CLOSELY: usize = 64;

/// Takes `data` for types, and for records about code.
///
/// # Panics
///
/// Where a type is found under a name that is not its own.
pub fn run(data: &[u8]) {
    if let Ok(ext) = BtfExt::parse(data) {
        let funcs: usize = ext.funcs().map(|(_, records)| records.count()).sum();
        let lines: usize = ext.lines().map(|(_, records)| records.count()).sum();
        let records = funcs + lines + ext.relocations().map(|(_, records)| records.count()).sum::<usize>();
        assert!(records <= data.len(), "more records than bytes");
    }
    let Ok(btf) = Btf::parse(data) else { return };
    let btf = Arc::new(btf);
    let index = NameIndex::new(&btf);
    let targets = Targets::from(btf.clone());
    let mut matcher = Matcher::new(&btf, &targets);
    for ty in btf.types().take(CLOSELY) {
        let (id, name) = (ty.id(), ty.name());
        if let Some(found) = index.find(&btf, name, ty.kind()).and_then(|id| btf.type_by_id(id)) {
            assert_eq!((found.name(), found.kind()), (name, ty.kind()));
        }
        assert!(btf.resolve(id).is_none_or(|ty| ty.modified().is_none()), "a modifier is left");
        btf.special_fields(id, btf.size_of(id).unwrap_or_default(), FieldKind::IN_MAPS).ok();
        types_are_compatible(&btf, id, &btf, id).ok();
        types_match(&btf, id, &btf, id).ok();
        btf.decl_tags_of(id, None).count();
        for kind in (0..=12).filter_map(RelocKind::from_number) {
            // Any string of the set may be a path.
            for access_off in 0..4 {
                matcher.resolve(&CoreRecord { insn_off: 0, ty: id, access_off, kind: Ok(kind) }).ok();
            }
        }
    }
}
