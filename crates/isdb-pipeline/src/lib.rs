//! The operators of ingest and compaction: granules in, a committed window out, as one DataFusion plan.
//!
//! ```text
//! GranuleSource ► QualityExec ► (CarryExec) ► chunk ► GatherExec ► TileDbWriteExec ► CommitExec
//!   read/           filter/       stored/               gather/       write/            write/
//! ```
//!
//! `plan` builds that plan, [`Engine`] runs it within its memory, `compact` builds the plan that writes fragments again. A granule that
//! cannot be read becomes a ledger row with its error, never an error of the plan.

mod compact;
mod engine;
mod error;
mod filter;
mod gather;
mod plan;
mod read;
mod rows;
mod stored;
mod tally;
mod write;

pub use compact::{Extent, compact_plan, extents, row_bytes};
pub use engine::{Engine, Pace, Resources};
pub use error::{Error, Result};
pub use filter::least::{Least, REPLACE};
pub use filter::selection::Selection;
pub use isdb_granule::{Identity as GranuleIdentity, checksum};
pub use plan::{explain, identify, identify_at, ingest_plan};
pub use read::granule_source::{PlannedGranule, READ, modified_at};
pub use read::holdings::{Holdings, holdings};
pub use read::remote::{RemoteSource, Traffic};
pub use stored::carry::Carried;
pub use stored::merged::{StoredKeys, stored_keys};
pub use stored::segment_keys::SegmentKeys;
pub use tally::Tally;
pub use write::commit::{Committer, Recorded, WINDOW};
pub use write::exec::{WriteTarget, WrittenFragment};
