//! Sockets: structures that the host shows field by field.

use bpfvet_domain::Domain;
use bpfvet_platform::SocketView;

use crate::cx::Cx;
use crate::failure::{Check, unsupported};
use crate::value::{Pointer, SocketKind};
use crate::violation::{Access, MemoryCause};

/// Whether a field may be read. (`check_sock_access`)
pub(super) fn check<D: Domain>(
    cx: &Cx<'_, '_, D>,
    pointer: &Pointer<D>,
    kind: SocketKind,
    access: Access,
) -> Check<()> {
    if pointer.off.smin() < 0 {
        return Err(MemoryCause::SocketNegative { place: access.place }.into());
    }
    let view = match kind {
        SocketKind::Full => SocketView::Full,
        SocketKind::Common => SocketView::Common,
        SocketKind::Tcp => SocketView::Tcp,
        SocketKind::Xdp => SocketView::Xdp,
    };
    let Some(layout) = cx.facts.platform.socket_layout(view) else {
        return unsupported("socket fields: the platform has no table of them");
    };
    // Pointer arithmetic on sockets is refused, so the only offset is the instruction's.
    let size = u32::try_from(access.size).unwrap_or(u32::MAX);
    match layout.access(cx.facts.request, access.off, size, false) {
        Ok(_) => Ok(()),
        Err(_) => Err(MemoryCause::Socket { access }.into()),
    }
}
