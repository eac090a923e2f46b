//! Fuzz targets: each is a few lines; the bodies live in `bpfvet-testkit`.
