//! Variables for a database that exists. libtiledb writes a schema in place, and one torn by a death would fail every later
//! open; so the change is made on a copy that has no cells, and its files are moved in whole.

use std::fs;
use std::path::Path;

use arrow::datatypes::Field;
use tiledb::{Array, Context};
use uuid::Uuid;

use crate::durable::{sync_file, sync_folder};
use crate::error::{Error, Result};
use crate::location::{Location, STAGING};

/// Metadata first: it means nothing without its attribute. With the schema in place the attribute exists from its timestamp
/// on, which no snapshot reaches before the commit.
const MOVED: [&str; 2] = ["__meta", "__schema"];

/// Adds `fields` to the `segments` array from `timestamp` on.
pub(crate) fn add_attributes(context: &Context, location: &Location, timestamp: u64, fields: &[Field]) -> Result<()> {
    let segments = location.segments();
    let staged = location.part(&format!("{STAGING}/{}", Uuid::new_v4()));
    for folder in MOVED {
        copy_files(&Path::new(&segments).join(folder), &Path::new(&staged).join(folder))?;
    }
    Array::add_attributes(context, &staged, timestamp, fields)?;
    for folder in MOVED {
        move_new_files(&Path::new(&staged).join(folder), &Path::new(&segments).join(folder))?;
    }
    let failed = |source| Error::Io { path: staged.clone(), source };
    fs::remove_dir_all(&staged).map_err(failed)
}

fn copy_files(from: &Path, to: &Path) -> Result<()> {
    let failed = |source| Error::Io { path: from.display().to_string(), source };
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).map_err(failed)?;
        }
    }
    Ok(())
}

/// Moves the files that `to` does not have, each durable before it can be seen.
fn move_new_files(from: &Path, to: &Path) -> Result<()> {
    let failed = |source| Error::Io { path: from.display().to_string(), source };
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(failed)?.is_file() && !target.exists() {
            sync_file(&entry.path())?;
            fs::rename(entry.path(), target).map_err(failed)?;
        }
    }
    sync_folder(to)
}
