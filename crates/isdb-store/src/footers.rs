//! The footers of an array's fragments, gathered in one file that an open reads instead of many. libtiledb writes that file in
//! place, and every open reads it: one that a death or a full disk left half written would fail them all. So it is written
//! beside the array, over links to its parts, and moved in whole.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tiledb::Context;
use uuid::Uuid;

use crate::durable::{is_lacking, sync_folder};
use crate::error::{Error, Result};
use crate::location::{Location, STAGING};

/// The folder of gathered footers, in an array.
const GATHERED: &str = "__fragment_meta";

/// Gathers the footers of the array at `uri`, which is in the database at `location`. On a file system without symbolic links
/// nothing is done: opens are slower then, and nothing else depends on it.
pub(crate) fn gather(context: &Context, location: &Location, uri: &str) -> Result<()> {
    let staged = location.part(&format!("{STAGING}/{}", Uuid::new_v4()));
    let gathered = gather_in(context, Path::new(&staged), Path::new(uri));
    // What cannot be removed goes with a later take over.
    let _ = fs::remove_dir_all(&staged);
    if gathered? {
        tiledb::vacuum_fragment_metadata(context, uri)?;
    }
    Ok(())
}

/// Gathers the footers in `staged`, a view of `array`, and moves them into it. False where the file system has no links.
fn gather_in(context: &Context, staged: &Path, array: &Path) -> Result<bool> {
    let failed = |source| Error::Io { path: staged.display().to_string(), source };
    fs::create_dir_all(staged.join(GATHERED)).map_err(failed)?;
    for entry in fs::read_dir(array).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if name == GATHERED {
            continue;
        }
        match symlink(array.join(&name), staged.join(&name)) {
            Err(error) if is_lacking(&error) => {
                tracing::debug!(%error, "this file system has no symbolic links: footers are not gathered");
                return Ok(false);
            }
            linked => linked.map_err(failed)?,
        }
    }
    tiledb::consolidate_fragment_metadata(context, &staged.to_string_lossy())?;
    let target = array.join(GATHERED);
    for entry in fs::read_dir(staged.join(GATHERED)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // libtiledb has synced it.
        fs::rename(entry.path(), target.join(entry.file_name())).map_err(failed)?;
    }
    sync_folder(&target)?;
    Ok(true)
}
