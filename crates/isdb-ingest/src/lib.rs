//! Ingest of ATL08 granules into an isdb database, and its maintenance: consolidation, vacuum, removal, added
//! variables.
//!
//! An ingest goes through these folders, in this order:
//! 1. `request/`: the caller's [`IngestRequest`], resolved for a database that already has a region, a release and a
//!    selection.
//! 2. `find/`: the files behind the request, and the granule in each of them, as candidates. Granules of NASA's archive
//!    become candidates from their descriptions alone (`archive/`).
//! 3. `decide/`: candidates are compared with the ledger. The plan records for each candidate whether it is ingested
//!    and which attempts it replaces, or why it is skipped. No segment is written here; [`dry_run`](fn@dry_run) ends
//!    after this step.
//! 4. `run/`: under the database's lock, the candidates are ingested window by window, each committed whole. `archive/`
//!    downloads the files of the next window meanwhile.
//! 5. `report/`: the outcome of each file, and the progress of the ingest.
//!
//! `maintain/` holds the operations that ingest nothing. The crate does not decode HDF5 or write arrays, which
//! `isdb_pipeline` does; `isdb_store` keeps the ledger and the commits. `docs/design/0005-replacing.md` explains which
//! file replaces which.

mod archive;
mod clock;
mod decide;
mod dry_run;
mod error;
mod find;
mod ingest;
mod maintain;
mod report;
mod request;
mod run;
#[cfg(test)]
mod testing;

pub use archive::in_place::direct_store;
pub use archive::leftovers::is_kept;
pub use archive::source::{Archive, Keep, granule_format};
pub use decide::skip_reason::SkipReason;
pub use dry_run::{PlannedWindow, Preview, dry_run};
pub use error::{Error, Result};
pub use find::files::find_granules;
pub use find::objects::ObjectPattern;
pub use ingest::ingest;
pub use maintain::add_variables::{AddedVariables, add_variables};
pub use maintain::consolidate::{Consolidated, consolidate};
pub use maintain::copy::copy;
pub use maintain::remove::{Removal, remove};
pub use maintain::repair::repair;
pub use maintain::vacuum::vacuum;
pub use report::IngestReport;
pub use report::ledger_summary::{LedgerSummary, ReleaseSummary};
pub use report::outcome::{CommittedWindow, GranuleOutcome, OutcomeKind, Warning};
pub use report::progress::Progress;
pub use request::region::{RegionRequest, Regions, region_to_search};
pub use request::selection::SelectionRequest;
pub use request::summary::{NamedExpression, SelectionSummary};
pub use request::{IngestRequest, Source};
