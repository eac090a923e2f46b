//! What a loader knows besides the object.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;

use bpfvet_btf::co_re::Targets;
use bpfvet_platform::{Privilege, Version};

/// What is known of the host that the object is to be loaded on. A clone shares what is large.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name of the object, without directories and extensions; loaders make it part of the names of data maps.
    pub name: String,
    /// The host's types, its kernel's first. A module is named by its place in this list, in kernel function calls and in
    /// addresses of kernel variables.
    pub kernel_btf: Targets,
    /// The host's build configuration, lines of the form `CONFIG_X=y`; `None` where it is not known.
    pub kconfig: Option<Arc<str>>,
    /// Addresses of the host's symbols; `None` where they are not known.
    pub kallsyms: Option<Arc<BTreeMap<String, u64>>>,
    /// The host's release; `None` where it is not known.
    pub kernel_version: Option<Version>,
    /// The host attaches probes of user space many at a time; where it does not, programs for `usdt` are loaded as plain probes.
    pub multi_uprobes: bool,
    /// How many CPUs the host can have.
    pub possible_cpus: u32,
    /// Bytes of a page of the host's memory.
    pub page_size: u32,
    /// What the loader is trusted with.
    pub privilege: Privilege,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: String::new(),
            kernel_btf: Targets::default(),
            kconfig: None,
            kallsyms: None,
            kernel_version: None,
            multi_uprobes: true,
            possible_cpus: 1,
            page_size: 4096,
            privilege: Privilege::FULL,
        }
    }
}

impl Options {
    /// Nothing known but the file that the object came from: `dir/firewall.bpf.o` is named `firewall`.
    #[must_use]
    pub fn for_file(path: &str) -> Self {
        let file = path.rsplit('/').next().unwrap_or(path);
        let name = file.split('.').next().unwrap_or(file);
        Self { name: name.into(), ..Self::default() }
    }
}
