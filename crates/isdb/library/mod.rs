//! The library that programs embed. `builder` opens a `database`, in a past state by `at`; `search`, `ingest`, `maintenance` and
//! `tags` change databases; `info`, `density` and `citation` describe one; `granule` reads a granule without one; `foreign` opens arrays of
//! other programs;
//! `error` is their common error.

pub(crate) mod at;
pub(crate) mod builder;
#[cfg(feature = "ingest")]
pub(crate) mod citation;
pub(crate) mod database;
pub(crate) mod density;
#[cfg(feature = "cmr")]
pub mod earthdata;
pub(crate) mod error;
#[cfg(feature = "cmr")]
pub mod estimate;
pub(crate) mod foreign;
#[cfg(feature = "ingest")]
pub(crate) mod granule;
#[cfg(feature = "ingest")]
pub(crate) mod info;
#[cfg(feature = "ingest")]
pub(crate) mod ingest;
#[cfg(feature = "ingest")]
pub(crate) mod ingest_types;
#[cfg(feature = "ingest")]
pub(crate) mod maintenance;
#[cfg(feature = "polars")]
mod polars;
pub(crate) mod region;
pub mod resources;
#[cfg(feature = "cmr")]
pub(crate) mod search;
pub(crate) mod storage;
#[cfg(feature = "ingest")]
pub(crate) mod tags;
pub mod time;
pub(crate) mod variables;
#[cfg(feature = "cmr")]
pub(crate) mod worklist;
