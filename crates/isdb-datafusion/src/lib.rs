//! DataFusion over granules and TileDB arrays.
//!
//! [`TileDbTable`] makes a sparse array a SQL table; its scans are [`TileDbSource`]s under DataFusion's own
//! `DataSourceExec`. The room works on any sparse array, not only on those isdb writes.

mod chunk;
mod commit;
mod compact;
mod database;
mod describe;
mod engine;
mod error;
mod expiry;
mod expression;
mod files;
mod filtered;
mod fragment;
mod gather;
mod granule_source;
mod ingest;
mod interval;
mod merged;
mod nearby;
mod options;
mod partition;
mod predicate;
mod problem;
mod quality;
mod read_only;
mod reads;
mod region;
mod releases;
mod remote;
mod rows;
mod selection;
mod session;
mod sieve;
mod snapshot;
mod sort_columns;
mod source;
mod statistics;
mod stream;
mod table;
mod tally;
#[cfg(test)]
mod testing;
mod unique;
mod view;
mod within;
mod write;

pub use commit::{Committer, Recorded, WINDOW};
pub use compact::{Extent, compact_plan, extents, row_bytes};
pub use database::{open, register};
pub use engine::{Engine, Pace, Resources};
pub use error::{Error, FileProblem, Result, chain};
pub use expiry::is_expired;
pub use files::{UserFiles, is_file_name};
pub use filtered::releases_fit;
pub use granule_source::PlannedGranule;
pub use ingest::{explain, identify, identify_at, ingest_plan};
pub use isdb_granule::{Identity as GranuleIdentity, checksum};
pub use merged::{StoredKeys, stored_keys};
pub use options::ViewOptions;
pub use problem::problem;
pub use read_only::{ReadOnly, is_of_view};
pub use reads::{Reads, reads};
pub use releases::coexisting_releases;
pub use remote::{RemoteSource, Traffic};
pub use selection::Selection;
pub use session::{session, session_with};
pub use source::TileDbSource;
pub use table::TileDbTable;
pub use tally::Tally;
pub use write::{WriteTarget, WrittenFragment};
