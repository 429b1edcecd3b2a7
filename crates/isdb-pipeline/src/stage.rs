//! Stages at which a granule of an ingest plan can fail, as the ledger records them.

/// The file is not the granule that was planned.
pub const IDENTIFY: &str = "identify";
/// The granule's bytes cannot be read for now. That says nothing about the file, so the next run reads it again.
pub const READ: &str = "read";
/// The file cannot be decoded.
pub const DECODE: &str = "decode";
/// A filter or derived column cannot be computed over the granule.
pub const FILTER: &str = "filter";
/// The granule has too few segments to replace the stored ones.
pub const REPLACE: &str = "replace";
/// The granule failed only because another one of its window failed.
pub const WINDOW: &str = "window";
