//! Fuzz targets for every parser of isdb that reads untrusted input. A target accepts any bytes and panics if a documented property is
//! violated.
//!
//! `make fuzz` drives the targets with libFuzzer; in `make test`, `replay.rs` runs them with `corpus/` and some mutations of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "targets report violations by panicking")]

mod cmr;
mod commit_log;
mod format;
mod granule;
mod memory;
mod mutation;
mod predicate;
mod raster;
mod text;
mod tile;

pub use mutation::Mutations;

/// A fuzz target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// The folder of its inputs in `corpus/`.
    pub corpus: &'static str,
    /// Runs the target with an input.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: [Target; 12] = [
    Target { name: "granule_open", corpus: "granule", run: granule::open },
    Target { name: "granule_decode", corpus: "granule", run: granule::decode },
    Target { name: "config", corpus: "config", run: text::config },
    Target { name: "predicate", corpus: "predicate", run: predicate::predicate },
    Target { name: "geojson", corpus: "geojson", run: text::geojson },
    Target { name: "raster", corpus: "raster", run: raster::raster },
    Target { name: "netrc", corpus: "netrc", run: text::netrc },
    Target { name: "cmr", corpus: "cmr", run: cmr::reply },
    Target { name: "array_schema", corpus: "array_schema", run: format::array_schema },
    Target { name: "fragment_metadata", corpus: "fragment_metadata", run: format::fragment_metadata },
    Target { name: "tile", corpus: "tile", run: tile::tile },
    Target { name: "commit_log", corpus: "commit_log", run: commit_log::commit_log },
];

/// The target called `name`.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}
