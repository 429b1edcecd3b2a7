//! Temporary folders in the database's `staging` folder. A folder that a dead process leaves there is removed by a later takeover.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::durable::io_error;
use super::location::STAGING;
use crate::error::Result;

/// Creates an empty folder in `staging` of the database in the folder `root`, on the same file system as the arrays, so that files can be moved from it into an array.
/// Dropping the value removes the folder.
pub(crate) fn staging_folder(root: &Path, prefix: &str) -> Result<TempDir> {
    let staging = root.join(STAGING);
    let created =
        fs::create_dir_all(&staging).and_then(|()| tempfile::Builder::new().prefix(prefix).tempdir_in(&staging));
    created.map_err(|source| io_error(&staging, source))
}
