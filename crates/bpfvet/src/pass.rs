//! Checks of one's own.

use bpfvet_cfg::Graph;
use bpfvet_explore::{Accepted, RejectionCause};
use bpfvet_platform::LoadRequest;

/// A check that goes along with the verifier: a rule of a runtime's own, over the request, the program's form, or what the
/// search found out.
///
/// Every method accepts by default. A pass can refuse what the verifier accepts, never accept what it refuses.
pub trait Pass {
    /// Looks at the request, before anything else does.
    ///
    /// # Errors
    ///
    /// Why the program is refused.
    fn request(&self, request: &LoadRequest) -> Result<(), RejectionCause> {
        let _ = request;
        Ok(())
    }

    /// Looks at the program's form, before any value is known.
    ///
    /// # Errors
    ///
    /// Why the program is refused.
    fn graph(&self, request: &LoadRequest, graph: &Graph) -> Result<(), RejectionCause> {
        let _ = (request, graph);
        Ok(())
    }

    /// Looks at what the search found out.
    ///
    /// # Errors
    ///
    /// Why the program is refused.
    fn accepted(&self, request: &LoadRequest, graph: &Graph, accepted: &Accepted) -> Result<(), RejectionCause> {
        let _ = (request, graph, accepted);
        Ok(())
    }
}
