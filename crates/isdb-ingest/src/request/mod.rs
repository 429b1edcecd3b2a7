//! The request for an ingest, and its resolution for a database that already exists.
//!
//! `selection` (variables, derived columns, filters), `region` and `release` each compare one part of the request with
//! the database; `summary` describes the result to the user.

pub(crate) mod region;
pub(crate) mod release;
pub(crate) mod selection;
pub(crate) mod summary;

use std::path::PathBuf;

use isdb_schema::config;
use isdb_schema::period::Period;
use isdb_store::Location;

use crate::archive::source::Archive;
use crate::find::objects::ObjectPattern;
use crate::request::region::RegionRequest;
use crate::request::selection::SelectionRequest;

/// The source of granules.
#[derive(Clone, Debug)]
pub enum Source {
    /// Files, folders and glob patterns on this machine.
    Files(Vec<PathBuf>),
    /// Objects in buckets, which are read in place.
    Objects(Vec<ObjectPattern>),
    /// NASA's archive.
    Archive(Archive),
}

/// A request to ingest granules into a database.
#[derive(Clone, Debug)]
pub struct IngestRequest {
    /// Where the granules are.
    pub source: Source,
    /// The database; created if it does not exist.
    pub location: Location,
    /// The variables, derived columns and filters.
    pub selection: SelectionRequest,
    /// Which segments of a granule to keep, by their position.
    pub region: RegionRequest,
    /// Ingest only granules that were measured in this period, at least in part.
    pub period: Period,
    /// Which granules are committed together.
    pub window: config::Window,
    /// How many granules are decoded at a time.
    pub threads: usize,
    /// Memory for rows in flight, in bytes.
    pub memory: usize,
    /// The folder for rows that do not fit in memory, which must exist; None for a folder within the database.
    pub spill: Option<PathBuf>,
    /// When fragments are consolidated after the ingest, and when hidden ones are deleted.
    pub consolidate: config::Consolidate,
    /// Retry files that failed before.
    pub retry: bool,
    /// Let a file replace stored segments even if it has less than half of them.
    pub force: bool,
    /// Accept granules of another release than the database's, and let them replace the stored granules of the same
    /// pass.
    pub replace_release: bool,
    /// Let the database change to other filters, and ingest the granules of this request again with them.
    pub refilter: bool,
}
