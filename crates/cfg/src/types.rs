//! What the program's own types say of its functions.

use alloc::string::String;

use bpfvet_btf::{FuncLinkage, Kind, Shape, TypeId};
use bpfvet_insn::InsnIdx;
use bpfvet_platform::LoadRequest;

use crate::{ExceptionCallbackFault, StructureCause, StructureError};

/// What the types say of one function.
#[derive(Default)]
pub(crate) struct FunctionInfo {
    /// Its name.
    pub(crate) name: Option<String>,
    /// Whether it is verified on its own.
    pub(crate) is_global: bool,
}

/// What the types say of the function that starts at `at`; a function without a type is static and has no name.
pub(crate) fn function_at(request: &LoadRequest, at: InsnIdx) -> FunctionInfo {
    let found = request.btf.as_ref().and_then(|btf| {
        let info = request.funcs.get(request.funcs.partition_point(|func| func.at < at))?;
        let ty = (info.at == at).then(|| btf.type_by_id(TypeId(info.type_id)))??;
        let Shape::Func { linkage, .. } = ty.shape() else { return None };
        Some(FunctionInfo { name: Some(ty.name().into()), is_global: linkage == FuncLinkage::Global })
    });
    found.unwrap_or_default()
}

/// Where the program's exception callback starts, if it has one (`bpf_find_exception_callback_insn_off`, Linux 7.3).
///
/// # Errors
///
/// The main function names one that is not there.
pub(crate) fn exception_callback(request: &LoadRequest) -> Result<Option<InsnIdx>, StructureError> {
    const KEY: &str = "exception_callback:";
    let (Some(btf), Some(main)) = (&request.btf, request.funcs.first()) else { return Ok(None) };
    let mut tags = btf.decl_tags_of(TypeId(main.type_id), None).filter_map(|tag| tag.strip_prefix(KEY));
    let Some(name) = tags.next() else { return Ok(None) };
    let refuse = |fault| {
        let name = if fault == ExceptionCallbackFault::Several { String::new() } else { name.into() };
        Err(StructureError::whole(StructureCause::ExceptionCallback { name, fault }))
    };
    if tags.next().is_some() {
        return refuse(ExceptionCallbackFault::Several);
    }
    let Some(id) = btf.find_by_name_kind(name, Kind::Func) else { return refuse(ExceptionCallbackFault::NoType) };
    let linkage = btf.type_by_id(id).map(|ty| ty.shape());
    if !matches!(linkage, Some(Shape::Func { linkage: FuncLinkage::Global, .. })) {
        return refuse(ExceptionCallbackFault::NotGlobal);
    }
    match request.funcs.iter().rev().find(|func| func.type_id == id.0) {
        None => refuse(ExceptionCallbackFault::NotInProgram),
        Some(func) if func.at == InsnIdx(0) => refuse(ExceptionCallbackFault::Main),
        Some(func) => Ok(Some(func.at)),
    }
}
