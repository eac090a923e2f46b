//! Function records: whether they describe the functions, and what may be in a function whose result they describe.
//!
//! A legacy packet load or a tail call in a function can end it early with a number as its result, so such a function must be known to
//! return one. (`check_btf_func`, `check_abnormal_return`, Linux 7.3)

use bpfvet_btf::{Kind, TypeId};
use bpfvet_platform::LoadRequest;

use crate::{StructureCause, StructureError, Subprog, SubprogId};

/// Whether the records go with the functions.
///
/// # Errors
///
/// The first that does not.
pub(crate) fn check(request: &LoadRequest, subprogs: &[Subprog]) -> Result<(), StructureError> {
    let described = !request.funcs.is_empty();
    if described && request.funcs.len() != subprogs.len() {
        return Err(StructureError::whole(StructureCause::RecordCount {
            records: u32::try_from(request.funcs.len()).unwrap_or(u32::MAX),
            functions: u32::try_from(subprogs.len()).unwrap_or(u32::MAX),
        }));
    }
    for (index, subprog) in subprogs.iter().enumerate() {
        let id = SubprogId::of(index);
        let record = request.funcs.get(index);
        if record.is_some_and(|record| record.at != subprog.start) {
            return Err(StructureError::at(subprog.start, StructureCause::RecordElsewhere { subprog: id }));
        }
        let returns_number = record.is_some_and(|record| returns_number(request, TypeId(record.type_id)));
        if id == SubprogId::MAIN || returns_number {
            continue;
        }
        for (has, packet_load) in [(subprog.has_ld_abs, true), (subprog.has_tail_call, false)] {
            if has {
                let cause = StructureCause::HiddenExit { subprog: id, packet_load, described };
                return Err(StructureError::at(subprog.start, cause));
            }
        }
    }
    Ok(())
}

/// Whether a function's type says that it returns a number that fits a register.
fn returns_number(request: &LoadRequest, func: TypeId) -> bool {
    let Some(btf) = &request.btf else { return false };
    let proto =
        btf.type_by_id(func).and_then(|func| func.as_func()).and_then(|proto| btf.type_by_id(proto)?.as_proto());
    let result = proto.and_then(|proto| btf.resolve(proto.returns));
    result.is_some_and(|ty| {
        let fits = || btf.size_of(ty.id()).is_some_and(|size| size.is_power_of_two() && size <= 8);
        (ty.kind() == Kind::Int && fits()) || matches!(ty.kind(), Kind::Enum | Kind::Enum64)
    })
}
