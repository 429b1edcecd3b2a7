//! Progress on standard error: a bar where it is a terminal, elsewhere a line from time to time.
//!
//! `bar` draws the one bar of the process; `ingest`, `download` and `search` turn the events of the library into its text.

mod bar;
mod download;
mod ingest;
mod search;

pub(crate) use bar::above_bar;
pub(crate) use download::DownloadReporter;
pub(crate) use ingest::{IngestReporter, describe_regions};
pub(crate) use search::SearchReporter;
