//! Types of an ingest and of maintenance, under the names that this crate publishes.

pub use isdb_ingest::{
    Added as AddedVariables, Archive, Area as RegionRequest, Asked as SelectionRequest, Committed as CommittedWindow,
    Consolidated, Ended as OutcomeKind, Error as IngestError, Held as ReleaseSummary, Keep as KeepDownloads,
    Named as NamedExpression, PlannedWindow, Preview as IngestPreview, Progress as IngestProgress,
    Regions as IngestRegions, Removal, Report as IngestReport, Request as IngestRequest, Skip as SkipReason, Source,
    Summary as LedgerSummary, Terms as SelectionSummary, Told as GranuleOutcome, Warning as GranuleWarning,
    is_kept as keeps_downloads, region_to_search,
};
pub use isdb_store::Vacuumed;
