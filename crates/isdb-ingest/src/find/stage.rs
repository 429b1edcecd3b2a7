//! The stages in which a file can fail before it is decoded, as the ledger's `stage` names them. `isdb_pipeline` names
//! the later ones.

/// CMR's description of the granule is unusable.
pub(crate) const SEARCH: &str = "search";
/// The file could not be downloaded. That does not depend on the file, so the next run retries it.
pub(crate) const DOWNLOAD: &str = "download";
/// The file is not a granule, or not the expected one.
pub(crate) const IDENTIFY: &str = "identify";
/// The file has to be read again and no longer exists, or has other content.
pub(crate) const REREAD: &str = "again";
