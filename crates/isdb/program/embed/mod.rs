//! What the command shares with other front ends of the engine, such as the Python package: a session with the warnings and explained errors of
//! `isdb query`, files of every format, grids, and the options of searches and ingests as text.
//!
//! `options` parses what is opened, `session` runs statements, `ingest` and `archive` add granules and find them, `catalogue` describes variables and filters, and `failure` is their
//! error, with the hint that the command prints.

mod archive;
mod catalogue;
mod failure;
mod ingest;
mod options;
mod session;

pub use archive::{ArchiveSearch, granule_rows, search_archive};
pub use catalogue::{filter_rows, is_safe_event, variable_rows};
pub use failure::{Failure, FailureKind};
pub use ingest::{IngestOptions, report_json};
pub use options::{DatabaseOptions, Restrictions};
pub use session::{EmbeddedSession, MapGrid, PlannedStatement};
