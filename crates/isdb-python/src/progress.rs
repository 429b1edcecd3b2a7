//! Progress of a search, an ingest or a download as dictionaries.

use isdb::{IngestProgress, SearchProgress};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Value, json};

/// Something that happened: its name, and its values.
#[derive(Debug)]
pub(crate) struct Happened {
    name: &'static str,
    values: Value,
}

impl Happened {
    pub(crate) fn new(name: &'static str, values: Value) -> Happened {
        Happened { name, values }
    }

    /// A warning for the user.
    pub(crate) fn warning(text: &str) -> Happened {
        Happened::new("warning", json!({ "text": text }))
    }

    /// Calls `listener` with a dictionary: `{"event": name, …}`.
    pub(crate) fn report(&self, py: Python<'_>, listener: &Py<PyAny>) -> PyResult<()> {
        let event = PyDict::new(py);
        event.set_item("event", self.name)?;
        for (key, value) in self.values.as_object().into_iter().flatten() {
            match value {
                Value::Number(number) if number.is_u64() => event.set_item(key, number.as_u64())?,
                Value::Number(number) => event.set_item(key, number.as_f64())?,
                Value::String(text) => event.set_item(key, text)?,
                Value::Array(texts) => {
                    event.set_item(key, texts.iter().filter_map(Value::as_str).collect::<Vec<_>>())?;
                }
                _ => event.set_item(key, py.None())?,
            }
        }
        listener.call1(py, (event,)).map(drop)
    }
}

impl From<SearchProgress> for Happened {
    fn from(progress: SearchProgress) -> Happened {
        match progress {
            SearchProgress::DatabaseRelease(release) | SearchProgress::NewestRelease(release) => {
                Happened::new("release", json!({ "release": format!("{release:03}") }))
            }
            SearchProgress::Page { granules, hits } => {
                Happened::new("page", json!({ "granules": granules, "hits": hits }))
            }
            _ => Happened::new("other", Value::Null),
        }
    }
}

impl From<IngestProgress> for Happened {
    fn from(progress: IngestProgress) -> Happened {
        let (name, values) = match progress {
            IngestProgress::Region { regions } => ("region", json!({ "region": regions.kept })),
            IngestProgress::Filters { names } => ("filters", json!({ "filters": names })),
            IngestProgress::Found { new, skipped, bytes } => {
                ("found", json!({ "granules": new, "skipped": skipped, "bytes": bytes }))
            }
            IngestProgress::ToDownload { granules, bytes, folder, free } => {
                let folder = folder.display().to_string();
                ("to_download", json!({ "granules": granules, "bytes": bytes, "folder": folder, "free": free }))
            }
            IngestProgress::Downloaded { granules, bytes } => {
                ("downloaded", json!({ "granules": granules, "bytes": bytes }))
            }
            IngestProgress::DownloadRetried { name, error, pause } => {
                ("download_retried", json!({ "name": name, "error": error, "seconds": pause.as_secs_f64() }))
            }
            IngestProgress::Read { granules, of, rows, bytes, of_bytes } => {
                ("read", work(granules, of, rows, bytes, of_bytes))
            }
            IngestProgress::Committed { granules, of, rows, bytes, of_bytes } => {
                ("committed", work(granules, of, rows, bytes, of_bytes))
            }
            IngestProgress::WindowRetried { granules, error } => {
                ("window_retried", json!({ "granules": granules, "error": error }))
            }
            IngestProgress::Consolidated { group, of } => ("consolidated", json!({ "groups": group, "of": of })),
            _ => ("other", Value::Null),
        };
        Happened::new(name, values)
    }
}

fn work(granules: usize, of: usize, rows: u64, bytes: u64, of_bytes: u64) -> Value {
    json!({ "granules": granules, "of": of, "segments": rows, "bytes": bytes, "of_bytes": of_bytes })
}
