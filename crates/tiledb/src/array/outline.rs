//! An array without its cells. To open an array for reading, libtiledb lists all commits and reads the footers of all fragments,
//! even if only schema and metadata are needed. An outline is a local copy of the files with schemas and metadata. libtiledb opens
//! it as an empty array, in a time that does not depend on the number of fragments.

use std::{fs, io};

use tempfile::TempDir;
use tiledb_sys as sys;

use crate::array::open::OpenArray;
use crate::array::timestamped_name::{last_part, last_timestamp};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::vfs::Vfs;

/// The folder of an array's schemas.
const SCHEMAS: &str = "__schema";
/// The folders of an outline. Metadata are written before their schema, so they are read after it.
const FOLDERS: [&str; 2] = [SCHEMAS, "__meta"];

/// The schemas and metadata of an array, which can be opened at any timestamp.
pub(crate) struct Outline {
    ctx: Context,
    uri: String,
    schema_timestamps: Vec<u64>,
    /// The copy, which is deleted on drop. Without a copy, [`Outline::open`] opens the array itself, which is slower.
    copy: Option<TempDir>,
}

impl Outline {
    /// Copies schemas and metadata of the array at `uri`.
    pub(crate) fn new(ctx: &Context, uri: &str) -> Result<Self> {
        let vfs = Vfs::new(ctx)?;
        let (mut schema_timestamps, mut files) = (Vec::new(), Vec::new());
        for folder in FOLDERS {
            for file in timestamped_files(&vfs, uri, folder)? {
                if folder == SCHEMAS {
                    schema_timestamps.extend(last_timestamp(&file));
                }
                files.push((folder, last_part(&file).to_owned(), vfs.read(&file)?));
            }
        }
        // Arrays of old TileDB versions have a single schema, stored elsewhere. Queries also run where no temporary folder is
        // writable.
        let copy = if schema_timestamps.is_empty() { None } else { write(&files).ok() };
        Ok(Self { ctx: ctx.clone(), uri: uri.to_owned(), schema_timestamps, copy })
    }

    /// The timestamp from which each schema is valid, in milliseconds since 1970.
    pub(crate) fn schema_timestamps(&self) -> &[u64] {
        &self.schema_timestamps
    }

    /// Opens schema and metadata as of `timestamp_ms`. The outline must outlive the result, which reads metadata late.
    pub(crate) fn open(&self, timestamp_ms: u64) -> Result<OpenArray> {
        let copy = self.copy.as_ref().and_then(|folder| folder.path().to_str());
        let open = OpenArray::new(&self.ctx, copy.unwrap_or(&self.uri), sys::TILEDB_READ, Some(timestamp_ms));
        open.map_err(|error| match error {
            Error::Library { action, message, .. } => Error::Library { action, uri: self.uri.clone(), message },
            other => other,
        })
    }
}

/// Returns the timestamp from which each schema of the array is valid, in milliseconds since 1970.
pub(super) fn schema_timestamps(ctx: &Context, uri: &str) -> Result<Vec<u64>> {
    let files = timestamped_files(&Vfs::new(ctx)?, uri, SCHEMAS)?;
    Ok(files.iter().filter_map(|file| last_timestamp(file)).collect())
}

/// Lists the files in `folder` of the array that have a timestamp in their name.
fn timestamped_files(vfs: &Vfs, uri: &str, folder: &str) -> Result<Vec<String>> {
    let folder = format!("{}/{folder}", uri.trim_end_matches('/'));
    let mut files = if vfs.is_dir(&folder)? { vfs.list(&folder)? } else { Vec::new() };
    files.retain(|file| last_timestamp(file).is_some());
    Ok(files)
}

/// Writes files, each with its folder and name, into a temporary folder.
fn write(files: &[(&str, String, Vec<u8>)]) -> io::Result<TempDir> {
    let copy = tempfile::Builder::new().prefix("tiledb-outline-").tempdir()?;
    for (folder, name, bytes) in files {
        let folder = copy.path().join(folder);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), bytes)?;
    }
    Ok(copy)
}
