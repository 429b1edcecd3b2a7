//! Ingests granules into a database.

use std::path::PathBuf;

use isdb_schema::config::Config;
use isdb_schema::period::Period;
use isdb_store::Location;

use crate::library::error::Result;
use crate::library::ingest_types::{
    IngestPreview, IngestProgress, IngestReport, IngestRequest, RegionRequest, SelectionRequest, Source,
};
use crate::library::resources::{cores, ingest_memory};

/// Creates a request to ingest the granules of `source` into the database at `location`, which is created if it does not exist. The
/// request has the variables, filters, window and resources of `config`; the database decides what the config leaves open. Its
/// fields are public: change them to set a region or a period, or to replace stored granules.
#[must_use]
pub fn ingest_request(location: Location, source: Source, config: &Config) -> IngestRequest {
    IngestRequest {
        source,
        location,
        selection: selection_request(config),
        region: RegionRequest::OfDatabase,
        period: Period::default(),
        window: config.window,
        threads: config.threads.unwrap_or_else(cores),
        memory: config.memory.unwrap_or_else(ingest_memory),
        spill: config.spill.as_ref().map(PathBuf::from),
        consolidate: config.consolidate,
        retry: false,
        force: false,
        replace_release: false,
        refilter: false,
    }
}

/// Returns the variables, derived columns and filters that `config` selects.
#[must_use]
pub fn selection_request(config: &Config) -> SelectionRequest {
    SelectionRequest {
        variables: config.variables.clone(),
        derived: config.derived.clone(),
        filters: config.filters.clone(),
        capacity: config.capacity,
    }
}

/// Runs `request`, window by window; each window becomes visible as a whole. `progress` is called as the ingest proceeds, a few
/// times a second. `report` receives the outcome of every file, even if the ingest ends with an error. A file that cannot be
/// ingested is an outcome, not an error. Granules that the database already has are skipped, so repeating a request resumes an
/// interrupted ingest. Dropping the future drops the current window; no row of it becomes visible.
///
/// # Errors
/// [`Error::Ingest`](crate::Error::Ingest); windows that were committed before stay.
pub async fn ingest(
    request: &IngestRequest,
    report: &mut IngestReport,
    progress: impl FnMut(IngestProgress),
) -> Result<()> {
    Ok(isdb_ingest::ingest(request, report, progress).await?)
}

/// Returns what [`ingest`] would do for `request`. Nothing is written or locked.
///
/// # Errors
/// [`Error::Ingest`](crate::Error::Ingest).
pub async fn dry_run(request: &IngestRequest) -> Result<IngestPreview> {
    Ok(isdb_ingest::dry_run(request).await?)
}
