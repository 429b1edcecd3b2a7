//! Granules of NASA's archive: decided on by their descriptions, then downloaded window by window, at most one window
//! ahead of the one that is ingested, or read directly from S3.
//!
//! `source` is the request, `describe` turns its granules into candidates. `ingest` drives a run: `free_space` checks
//! the disk, `download` fetches the files of a window in a separate task, `progress_relay` passes on the progress of
//! that task, and `leftovers` deletes files that are no longer needed. `in_place` reads the archive's buckets without a
//! download.

pub(crate) mod describe;
mod download;
mod free_space;
pub(crate) mod in_place;
pub(crate) mod ingest;
pub(crate) mod leftovers;
mod progress_relay;
pub(crate) mod source;
#[cfg(test)]
mod tests;
