//! The report of an ingest as JSON, for `--report`.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::time::format_nanoseconds;
use crate::{IngestReport, IngestRequest, OutcomeKind, Region, RegionRequest, Source};
use serde_json::{Value, json};

use crate::program::error::CliError;
use crate::program::output;

/// The report of an ingest, and the file that it is written to at the end: after success, an error, or Ctrl-C.
pub(crate) struct ReportFile {
    path: Option<PathBuf>,
    request: Value,
    began: SystemTime,
    /// The outcomes so far.
    pub(crate) report: IngestReport,
}

impl ReportFile {
    /// Creates the report of `request`; without a `path` no file is written.
    ///
    /// # Errors
    /// When the folder of `path` does not exist, before the ingest starts.
    pub(crate) fn new(path: Option<PathBuf>, request: &IngestRequest) -> Result<ReportFile, CliError> {
        if let Some(path) = &path {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            std::fs::metadata(folder).map_err(|source| CliError::Write { path: path.clone(), source })?;
        }
        let request = request_json(request);
        Ok(ReportFile { path, request, began: SystemTime::now(), report: IngestReport::default() })
    }

    /// Writes the file, with the error that ended the ingest, if any.
    ///
    /// # Errors
    /// When it cannot be written; an earlier file of that name stays as it was.
    pub(crate) fn write(&mut self, error: Option<&CliError>) -> Result<(), CliError> {
        match self.path.take() {
            Some(path) => self.write_to(&path, error.map(|error| isdb_schema::printable::error_chain(error))),
            None => Ok(()),
        }
    }

    fn write_to(&self, path: &Path, error: Option<String>) -> Result<(), CliError> {
        let json = report_json(&self.report, &self.request, self.began, error);
        output::write_text(Some(path), |sink| {
            writeln!(sink, "{json:#}").map_err(|source| CliError::Write { path: path.to_owned(), source })
        })
    }
}

impl Drop for ReportFile {
    /// Writes the file after Ctrl-C, which drops the ingest.
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            // An error cannot be reported any more.
            let _ = self.write_to(&path, Some("interrupted".to_owned()));
        }
    }
}

/// Returns a report as a JSON object, with the same keys in every version.
pub(crate) fn report_json(report: &IngestReport, request: &Value, began: SystemTime, error: Option<String>) -> Value {
    let ended = SystemTime::now();
    let counts = [
        ("ingested", OutcomeKind::Ingested),
        ("replaced", OutcomeKind::Replaced),
        ("empty", OutcomeKind::Empty),
        ("skipped", OutcomeKind::Skipped),
        ("failed", OutcomeKind::Failed),
        ("failed_before", OutcomeKind::FailedBefore),
    ];
    let counts: serde_json::Map<String, Value> =
        counts.into_iter().map(|(name, outcome)| (name.to_owned(), report.count(outcome).into())).collect();
    let [read, empty, missing] = report.beams;
    json!({
        "isdb_version": env!("CARGO_PKG_VERSION"),
        "request": request,
        "selection": report.selection,
        "began": format_time(began),
        "ended": format_time(ended),
        "seconds": ended.duration_since(began).unwrap_or_default().as_secs_f64(),
        "error": error,
        "counts": counts,
        "skipped": report.skipped(),
        "rows": {
            "read": report.sum(|granule| granule.rows_read),
            "kept": report.sum(|granule| granule.rows_kept),
            "rejected": report.sum(|granule| granule.rows_rejected),
            "removed": report.sum(|granule| granule.rows_removed),
            "read_before": report.sum(|granule| granule.rows_read_before),
            "kept_before": report.sum(|granule| granule.rows_kept_before),
        },
        "filters": report.removed,
        "beams": { "read": read, "empty": empty, "missing": missing },
        "bytes": report.windows.iter().map(|window| window.bytes).sum::<u64>(),
        "fragments": report.windows.iter().map(|window| window.fragments).sum::<usize>(),
        "windows": report.windows,
        "granules": report.granules,
        "warnings": report.warnings,
    })
}

/// Returns a request as a JSON object.
pub(crate) fn request_json(request: &IngestRequest) -> Value {
    let (paths, archive): (Vec<String>, _) = match &request.source {
        Source::Files(paths) => (paths.iter().map(|path| path.display().to_string()).collect(), None),
        Source::Objects(patterns) => (patterns.iter().map(|pattern| pattern.text().to_owned()).collect(), None),
        Source::Archive(archive) => (Vec::new(), Some(archive)),
    };
    let (region, added) = match &request.region {
        RegionRequest::Only(region) => (Some(region), None),
        RegionRequest::Added(region) => (None, Some(region)),
        RegionRequest::OfDatabase | RegionRequest::Whole => (None, None),
    };
    json!({
        "paths": paths,
        "archive": archive.map(|archive| json!({ "granules": archive.granules.len(), "direct": archive.direct })),
        "period": (!request.period.is_everything()).then(|| request.period.to_string()),
        "database": request.location.uri(),
        "region": region.map(Region::to_text),
        "add_region": added.map(Region::to_text),
        "whole_granules": request.region == RegionRequest::Whole,
        "retry": request.retry,
        "force": request.force,
        "replace_release": request.replace_release,
        "refilter": request.refilter,
        "threads": request.threads,
        "memory": request.memory,
        "spill": request.spill.as_ref().map(|folder| folder.display().to_string()),
    })
}

/// Formats a time in UTC.
fn format_time(time: SystemTime) -> String {
    let since_1970: Duration = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format_nanoseconds(i64::try_from(since_1970.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_ingest_writes_its_report() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.json");
        let began = SystemTime::now();
        drop(ReportFile { path: Some(path.clone()), request: Value::Null, began, report: IngestReport::default() });
        let report: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!((&report["error"], &report["counts"]["ingested"]), (&"interrupted".into(), &0.into()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no unfinished file stays");
    }
}
