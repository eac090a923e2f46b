//! The corpus and the integration tests of the workspace.
