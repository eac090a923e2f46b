//! The door: one builder, one call.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use bpfvet_cfg::Graph;
use bpfvet_domain::{Offset, Scalar};
use bpfvet_explore::{
    Accepted, AnyObserver, Budget, Observer, Options, Policy, Rejection, RejectionCause, Stats, check_request, verify,
};
use bpfvet_platform::{LoadRequest, Platform};

use crate::Pass;

/// A verifier for one host.
pub struct Verifier<'p> {
    platform: &'p dyn Platform,
    options: Options,
    passes: Vec<Box<dyn Pass + 'p>>,
}

impl fmt::Debug for Verifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("platform", &self.platform.name())
            .field("options", &self.options)
            .field("passes", &self.passes.len())
            .finish()
    }
}

/// Puts a [`Verifier`] together.
pub struct Builder<'p> {
    verifier: Verifier<'p>,
}

impl fmt::Debug for Builder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("verifier", &self.verifier).finish()
    }
}

impl<'p> Builder<'p> {
    /// The search's heuristics; they change what a verdict costs, not the verdict.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.verifier.options.policy = policy;
        self
    }

    /// What the caller is willing to spend, beyond the host's own limits.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.verifier.options.budget = budget;
        self
    }

    /// A check of one's own. Passes run in the order in which they are added.
    #[must_use]
    pub fn pass(mut self, pass: impl Pass + 'p) -> Self {
        self.verifier.passes.push(Box::new(pass));
        self
    }

    /// The verifier.
    #[must_use]
    pub fn build(self) -> Verifier<'p> {
        self.verifier
    }
}

impl<'p> Verifier<'p> {
    /// A verifier for this host, with the host's own heuristics.
    #[must_use]
    pub fn new(platform: &'p dyn Platform) -> Self {
        Self { platform, options: Options::default(), passes: Vec::new() }
    }

    /// Puts one together piece by piece.
    #[must_use]
    pub fn builder(platform: &'p dyn Platform) -> Builder<'p> {
        Builder { verifier: Self::new(platform) }
    }

    /// The host.
    #[must_use]
    pub fn platform(&self) -> &'p dyn Platform {
        self.platform
    }

    /// Whether the host would load the program.
    ///
    /// # Errors
    ///
    /// [`Rejection`]: it would not, or it is not known whether it would; the cause tells which.
    pub fn verify(&self, request: &LoadRequest) -> Result<Accepted, Box<Rejection>> {
        self.verify_with(request, &mut ())
    }

    /// The same, watched.
    ///
    /// # Errors
    ///
    /// As [`Verifier::verify`].
    pub fn verify_with(
        &self,
        request: &LoadRequest,
        observer: &mut dyn AnyObserver,
    ) -> Result<Accepted, Box<Rejection>> {
        let graph = self.analyze(request).map_err(|cause| refused(cause, observer))?;
        self.verify_graph(request, &graph, observer)
    }

    /// The program's form, after everything that is checked before a path is walked.
    ///
    /// # Errors
    ///
    /// Why the program is refused.
    pub fn analyze(&self, request: &LoadRequest) -> Result<Graph, RejectionCause> {
        for pass in &self.passes {
            pass.request(request)?;
        }
        check_request(request, self.platform)?;
        let graph = Graph::analyze(request, self.platform).map_err(RejectionCause::Structure)?;
        for pass in &self.passes {
            pass.graph(request, &graph)?;
        }
        Ok(graph)
    }

    /// Walks the program's paths; `graph` is what [`Verifier::analyze`] gave for this request.
    ///
    /// # Errors
    ///
    /// As [`Verifier::verify`].
    pub fn verify_graph(
        &self,
        request: &LoadRequest,
        graph: &Graph,
        observer: &mut dyn AnyObserver,
    ) -> Result<Accepted, Box<Rejection>> {
        let accepted = if self.platform.features().circular_ranges() {
            verify::<Scalar>(request, self.platform, graph, &self.options, observer)?
        } else {
            verify::<Offset>(request, self.platform, graph, &self.options, observer)?
        };
        for pass in &self.passes {
            if let Err(cause) = pass.accepted(request, graph, &accepted) {
                return Err(Box::new(Rejection { cause, stats: accepted.stats }));
            }
        }
        Ok(accepted)
    }
}

fn refused(cause: RejectionCause, observer: &mut dyn AnyObserver) -> Box<Rejection> {
    // No number is known yet, of whichever kind.
    let observer: &mut dyn Observer<Scalar> = observer;
    let rejection = Rejection { cause, stats: Stats::default() };
    observer.rejected(&rejection, None);
    observer.finished(&rejection.stats);
    Box::new(rejection)
}
