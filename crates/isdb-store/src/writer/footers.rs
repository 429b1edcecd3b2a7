//! Fragment footers of an array, consolidated into one file that an open reads instead of many. libtiledb writes that file in place,
//! and every open reads it, so a file that a dead process or a full disk left half written would make every open fail. It is therefore
//! written beside the array, in a folder of links to the array's parts, and moved into the array whole.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tiledb::Context;

use crate::error::Result;
use crate::files::array_files::CONSOLIDATED;
use crate::files::durable::{io_error, is_unsupported, sync_folder};
use crate::files::location::Location;
use crate::files::staging::staging_folder;

/// Consolidates the footers of the array at `uri`, in the database at `location`. On a file system without symbolic links it does
/// nothing: opens are slower then, and nothing else depends on it.
pub(super) fn consolidate_footers(context: &Context, location: &Location, uri: &str) -> Result<()> {
    // Other programs would open the database in an object store more slowly; isdb reads footers by name.
    let Some(root) = location.folder() else { return Ok(()) };
    // Dropping the folder removes it; what cannot be removed is removed by a later takeover.
    let view = staging_folder(root, "footers-")?;
    if consolidate_in(context, view.path(), Path::new(uri))? {
        tiledb::vacuum_fragment_metadata(context, uri)?;
    }
    Ok(())
}

/// Consolidates the footers in `view`, a folder of links to the parts of `array`, and moves the file into the array. Returns false where
/// the file system does not support links.
fn consolidate_in(context: &Context, view: &Path, array: &Path) -> Result<bool> {
    let failed = |source| io_error(view, source);
    fs::create_dir_all(view.join(CONSOLIDATED)).map_err(failed)?;
    for entry in fs::read_dir(array).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if name == CONSOLIDATED {
            continue;
        }
        match symlink(array.join(&name), view.join(&name)) {
            Err(error) if is_unsupported(&error) => {
                tracing::debug!(%error, "this file system has no symbolic links: footers are not consolidated");
                return Ok(false);
            }
            linked => linked.map_err(failed)?,
        }
    }
    tiledb::consolidate_fragment_metadata(context, &view.to_string_lossy())?;
    let target = array.join(CONSOLIDATED);
    for entry in fs::read_dir(view.join(CONSOLIDATED)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // libtiledb has synced the file.
        fs::rename(entry.path(), target.join(entry.file_name())).map_err(failed)?;
    }
    sync_folder(&target)?;
    Ok(true)
}
