//! Granules of NASA's archive: decided on by their descriptions, then downloaded window by window, at most one window
//! ahead of the one that is ingested, or read directly from S3.
//!
//! `source` is the request, `describe` makes candidates of its granules. `ingest` drives a run: `free_space` checks the
//! disk, `download` fetches the files of a window in a task of its own, `progress_relay` passes its progress on, and
//! `leftovers` deletes files that are no longer needed. `in_place` reads the archive's buckets without a download.

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
