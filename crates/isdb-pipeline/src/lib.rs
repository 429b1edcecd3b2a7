//! The operators of ingest and compaction, which read granules and commit a window as one DataFusion plan.
//!
//! ```text
//! GranuleSource ► (CarryExec) ► chunk ► TileDbWriteExec ► CommitExec
//!   read/ filter/   stored/               collect/ write/   write/
//! ```
//!
//! 1. `read/` decodes each [`PlannedGranule`] of a window, from a file or in place from an object store, into rows and a [`Tally`]:
//!    its counts, which follow the rows as a row of their own.
//! 2. `filter/` applies the filters of the [`Selection`] while a granule is decoded, and computes its derived columns.
//! 3. `stored/` compares granules with segments that the database already has: segments of another subset are not stored again, and
//!    segments that a newer attempt does not replace are carried over to a new attempt.
//! 4. `collect/` keeps rows until the window is complete, in a file what does not fit in memory, and divides them into fragments by chunk.
//! 5. `write/` writes fragments, completes the ledger rows with the tallies, and commits both.
//!
//! `plan` builds this plan, [`Engine`] runs it within its [`Resources`], and `compact` builds the plan that writes fragments again.
//! A granule that cannot be read becomes a ledger row with its error, never an error of the plan.
//!
//! The crate does not decide which granules are ingested and what they replace, and it does not search or download.

mod collect;
mod compact;
mod engine;
mod error;
mod filter;
mod memory;
mod operator;
mod plan;
mod read;
mod resources;
pub mod stage;
mod stored;
mod tally;
mod write;

pub use compact::{compact_plan, row_bytes};
pub use engine::{Engine, PlanProgress};
pub use error::{Error, Result};
pub use filter::minimum_rows::MinimumRows;
pub use filter::selection::Selection;
pub use isdb_granule::{Identity as GranuleIdentity, checksum};
pub use plan::{explain, ingest_plan};
pub use read::file_contents::{FileContents, file_contents};
pub use read::identify::{identify, identify_at};
pub use read::open::modified_at;
pub use read::planned_granule::{PlannedCarry, PlannedGranule};
pub use read::remote::{FetchMetrics, RemoteSource};
pub use resources::Resources;
pub use stored::segment_set::SegmentSet;
pub use stored::stored_segments::{StoredSegments, read_stored_segments};
pub use tally::Tally;
pub use write::commit::CommitRequest;
pub use write::target::WriteTarget;
