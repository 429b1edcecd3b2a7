//! What an ingest came to: a table on standard error, and all of it as JSON for `--report`.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use isdb_ingest::{IngestReport, IngestRequest, OutcomeKind, RegionRequest, Source};
use isdb_region::Region;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::instant::instant;
use crate::output;

mod failed;
mod preview;
mod table;

pub(crate) use failed::{Failed, tell_failed};
pub(crate) use preview::tell_preview;
pub(crate) use table::tell;

/// What is recorded of an ingest, for a file that is written at its end, however it ends.
pub(crate) struct Record {
    path: Option<PathBuf>,
    request: Value,
    began: SystemTime,
    /// What became of the files so far.
    pub(crate) report: IngestReport,
}

impl Record {
    /// Of `request`, to be written to `path`, if that is wanted.
    ///
    /// # Errors
    /// When the folder of `path` does not exist: that is better known before the ingest than after it.
    pub(crate) fn new(path: Option<PathBuf>, request: &IngestRequest) -> Result<Record, Failure> {
        if let Some(path) = &path {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            std::fs::metadata(folder).map_err(|source| Failure::Write { path: path.clone(), source })?;
        }
        let request = requested(request);
        Ok(Record { path, request, began: SystemTime::now(), report: IngestReport::default() })
    }

    /// Writes the file of an ingest that ended with `error`, if with one.
    ///
    /// # Errors
    /// When it cannot be written; what was there before is as it was.
    pub(crate) fn write(&mut self, error: Option<&Failure>) -> Result<(), Failure> {
        match self.path.take() {
            Some(path) => self.write_to(&path, error.map(|error| isdb_schema::printable::error_chain(error))),
            None => Ok(()),
        }
    }

    fn write_to(&self, path: &Path, error: Option<String>) -> Result<(), Failure> {
        let told = self.json(error);
        output::write_text(Some(path), |sink| {
            writeln!(sink, "{told:#}").map_err(|source| Failure::Write { path: path.to_owned(), source })
        })
    }

    /// Everything, under names that stay.
    fn json(&self, error: Option<String>) -> Value {
        let report = &self.report;
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
            counts.into_iter().map(|(name, ended)| (name.to_owned(), report.count(ended).into())).collect();
        let [read, empty, missing] = report.beams;
        json!({
            "isdb_version": env!("CARGO_PKG_VERSION"),
            "request": self.request,
            "selection": report.selection,
            "began": told(self.began),
            "ended": told(ended),
            "seconds": ended.duration_since(self.began).unwrap_or_default().as_secs_f64(),
            "error": error,
            "counts": counts,
            "skipped": report.skipped(),
            "rows": {
                "read": report.sum(|told| told.rows_read),
                "kept": report.sum(|told| told.rows_kept),
                "rejected": report.sum(|told| told.rows_rejected),
                "removed": report.sum(|told| told.rows_removed),
                "read_before": report.sum(|told| told.rows_read_before),
                "kept_before": report.sum(|told| told.rows_kept_before),
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
}

impl Drop for Record {
    /// Ctrl-C drops the ingest, and its file is written all the same.
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            // There is nobody left to tell an error to.
            let _ = self.write_to(&path, Some("interrupted".to_owned()));
        }
    }
}

fn requested(request: &IngestRequest) -> Value {
    let (paths, archive): (Vec<String>, _) = match &request.source {
        Source::Files(paths) => (paths.iter().map(|path| path.display().to_string()).collect(), None),
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
    })
}

/// A moment in UTC.
fn told(moment: SystemTime) -> String {
    let since: Duration = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    instant(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ingest_that_is_interrupted_leaves_its_report() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.json");
        let began = SystemTime::now();
        drop(Record { path: Some(path.clone()), request: Value::Null, began, report: IngestReport::default() });
        let told: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!((&told["error"], &told["counts"]["ingested"]), (&"interrupted".into(), &0.into()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no unfinished file stays");
    }
}
