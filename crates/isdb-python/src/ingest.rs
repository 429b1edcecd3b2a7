//! Ingest of granules.

use std::time::SystemTime;

use isdb::IngestReport;
use isdb::embed::{Failure, report_json};
use pyo3::prelude::*;

use crate::archive::Granules;
use crate::failure::raise;
use crate::options::{OpenOptions, RunOptions, TrackOptions, ViewRestrictions};
use crate::progress::Happened;
use crate::runtime::{Events, WRITE_PATIENCE, wait_with};

/// Ingests granules, and calls `listener` with what happens. Returns the report as JSON, and the exception that ended the ingest, if one did.
#[pyfunction]
pub(crate) fn ingest(
    py: Python<'_>,
    options: OpenOptions,
    run: RunOptions,
    granules: Option<Bound<'_, Granules>>,
    restrictions: ViewRestrictions,
    search: TrackOptions,
    listener: Py<PyAny>,
) -> PyResult<(String, Option<Py<PyAny>>)> {
    let granules = granules.map(|granules| granules.get().found().clone());
    let run = run.with(granules, restrictions, search);
    let make = move |events: Events<Happened>| async move {
        let (found, noticed) = (events.clone(), events.clone());
        let notice = move |text: &str| noticed.send(Happened::warning(text));
        let searched = move |progress| found.send(Happened::from(progress));
        let (request, warnings) = run.request(&options.into(), searched, notice).await?;
        for warning in &warnings {
            events.send(Happened::warning(&format!("{}; {}", warning.text, warning.hint)));
        }
        let (began, mut report) = (SystemTime::now(), IngestReport::default());
        let result = isdb::ingest(&request, &mut report, |progress| events.send(Happened::from(progress))).await;
        let failure = result.err().map(Failure::from);
        let json = report_json(&report, &request, began, failure.as_ref()).to_string();
        Ok((json, failure))
    };
    let listen = |py: Python<'_>, happened: Happened| happened.report(py, &listener);
    let (json, failure) = wait_with(py, make, listen, WRITE_PATIENCE)?;
    let exception = failure.map(|failure| raise(py, &failure).into_value(py).into_any());
    Ok((json, exception))
}
