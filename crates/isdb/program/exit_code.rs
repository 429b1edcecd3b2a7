//! Exit codes.

/// The command has succeeded.
pub(crate) const SUCCESS: u8 = 0;
/// The command has failed.
pub(crate) const FAILED: u8 = 1;
/// The command line is invalid.
pub(crate) const USAGE: u8 = 2;
/// The command has succeeded except for some granules or files, which it names. For `ingest`, `remove`, `search` and `download`.
pub(crate) const SOME_FAILED: u8 = 3;
/// Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;
