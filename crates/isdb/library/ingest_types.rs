//! Types of an ingest and of maintenance, under the names that this crate publishes.

pub use isdb_ingest::{
    AddedVariables, Archive, CommittedWindow, Consolidated, Error as IngestError, GranuleOutcome, IngestReport,
    IngestRequest, Keep as KeepDownloads, LedgerSummary, NamedExpression, ObjectPattern, OutcomeKind, PlannedWindow,
    Preview as IngestPreview, Progress as IngestProgress, RegionRequest, Regions as IngestRegions, ReleaseSummary,
    Removal, SelectionRequest, SelectionSummary, SkipReason, Source, Warning as GranuleWarning, granule_format,
    is_kept as keeps_downloads, region_to_search,
};
pub use isdb_store::{CheckProgress, CheckReport, Copied, CopyProgress, Damage, Remedy, Repaired, Vacuumed};
