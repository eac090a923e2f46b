//! Structure operations: what the kernel's types say of the member that a program stands for.

use bpfvet_btf::Btf;
use bpfvet_platform::{LoadRequest, ReturnRule, Version};

/// Whether the program is the member of this name of its structure; `None` where nobody can tell.
pub(crate) fn is_member(request: &LoadRequest, btf: Option<&Btf>, name: &str) -> Option<bool> {
    let _ = (request, btf, name);
    None
}

/// What the member may return.
pub(crate) fn return_rule(version: Version, request: &LoadRequest, btf: Option<&Btf>) -> ReturnRule {
    let _ = (version, request, btf);
    ReturnRule::Unknown
}
