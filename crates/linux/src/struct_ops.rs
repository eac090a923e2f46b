//! Structure operations: what the kernel's types say of the member that a program stands for (`check_struct_ops_btf_id`).

use bpfvet_btf::{Btf, Composite, Kind, Member, TypeId};
use bpfvet_platform::{LoadRequest, ReturnRule, Version};

/// The structure that the program's member belongs to.
fn structure<'a>(request: &LoadRequest, btf: &'a Btf) -> Option<Composite<'a>> {
    let target = request.attach_target.as_ref()?;
    let id = match target.btf_id {
        0 => btf.find_by_name_kind(&target.name, Kind::Struct)?,
        id => TypeId(id),
    };
    btf.resolve(id)?.as_composite()
}

/// The member that the program stands for. The kernel takes its number in the place of the attach type.
fn member<'a>(request: &LoadRequest, btf: &'a Btf) -> Option<Member<'a>> {
    let number = request.attach_target.as_ref()?.member.unwrap_or(request.attach_type.0);
    structure(request, btf)?.member(number)
}

/// Whether the program is the member of this name; `None` where nobody can tell.
pub(crate) fn is_member(request: &LoadRequest, btf: Option<&Btf>, name: &str) -> Option<bool> {
    Some(member(request, btf?)?.name() == name)
}

/// What the member may return: nothing, a number, or where it returns a pointer to a structure, null or such a pointer.
pub(crate) fn return_rule(version: Version, request: &LoadRequest, btf: Option<&Btf>) -> ReturnRule {
    btf.and_then(|btf| known_rule(version, request, btf)).unwrap_or(ReturnRule::Unknown)
}

fn known_rule(version: Version, request: &LoadRequest, btf: &Btf) -> Option<ReturnRule> {
    let function = btf.resolve(member(request, btf)?.ty)?.as_pointer()?;
    let proto = btf.resolve(function)?.as_proto()?;
    if proto.returns == TypeId::VOID {
        return Some(ReturnRule::Void);
    }
    let Some(pointee) = btf.resolve(proto.returns)?.as_pointer() else {
        return Some(ReturnRule::Any);
    };
    let pointee = btf.resolve(pointee)?;
    let is_structure = pointee.as_composite().is_some();
    if is_structure && version.at_least(Version::new(6, 16)) {
        Some(ReturnRule::ObjectOrNull { btf_id: pointee.id().0 })
    } else {
        Some(ReturnRule::Range { min: 0, max: 0, low_half: false })
    }
}
