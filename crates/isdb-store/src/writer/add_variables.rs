//! Variables added to an existing database. libtiledb writes a schema in place, and a half-written one would make every later open
//! fail. The schema is therefore changed in a copy of the array without cells, and its files are moved into the array whole.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use arrow::datatypes::{Field, SchemaRef};
use isdb_schema::catalogue::Variable;
use isdb_schema::segments;
use tiledb::{Array, Context};

use super::handle::Writer;
use crate::array_layout::added_fields;
use crate::blocking::blocking;
use crate::design::stored_variables;
use crate::error::Result;
use crate::files::array_files::{ENUMERATIONS, METADATA, SCHEMAS, list_names};
use crate::files::durable::{io_error, sync_file, sync_folder};
use crate::files::location::{Location, SEGMENTS};
use crate::files::staging::staging_folder;
use crate::log::commit::{Commit, CommitKind};
use crate::log::segments_schema::SegmentsSchema;

/// The folders of the array that an added attribute changes. Metadata are moved first, because they mean nothing without their
/// attribute. Once the schema is moved, the attribute exists from its timestamp on, which no snapshot reaches before the commit.
const CHANGED_FOLDERS: [&str; 2] = [METADATA, SCHEMAS];
/// The same with the texts of dictionary columns, in the order in which their new files may become visible.
const COPIED_FOLDERS: [&str; 3] = [METADATA, ENUMERATIONS, SCHEMAS];

impl Writer {
    /// Adds `variables` to those that the database stores; they are NULL in existing rows. Variables that it already stores are
    /// ignored; if none is new, nothing is committed.
    ///
    /// The array has them from the commit's timestamp on. A writer that dies before its commit leaves a schema that no snapshot
    /// reaches, and that the next takeover removes.
    ///
    /// # Errors
    /// As for [`begin_window`](Self::begin_window) and [`commit`](Self::commit).
    pub async fn add_variables(&mut self, variables: &[&'static Variable], now_ms: u64) -> Result<&Commit> {
        let stored = stored_variables(&self.database.snapshot().await?);
        let new: Vec<&Variable> = segments::selected_variables(variables).filter(|new| !stored.contains(new)).collect();
        if new.is_empty() {
            return Ok(&self.head);
        }
        let window = self.begin_window(0, now_ms)?;
        let fields = added_fields(&new);
        let database = self.database.clone();
        let add = move || {
            let (context, location) = (database.context()?, database.location());
            add_attributes(context, location, window.timestamp, &fields)
        };
        let arrow = blocking(add).await?;
        let mut commit = self.window_commit(&window, CommitKind::Alter)?;
        let capacity = self.state.schema.as_ref().map_or(0, |schema| schema.capacity);
        commit.schema = Some(SegmentsSchema { arrow, capacity });
        self.finish_window(&window, commit).await?;
        self.checkpoint_change().await;
        Ok(&self.head)
    }
}

/// Adds `fields` to the `segments` array from `timestamp` on, and returns its columns.
pub(crate) fn add_attributes(
    context: &Context,
    location: &Location,
    timestamp: u64,
    fields: &[Field],
) -> Result<SchemaRef> {
    let Some(root) = location.folder() else {
        return add_attributes_by_upload(context, location, timestamp, fields);
    };
    let segments = &root.join(SEGMENTS);
    let copy = staging_folder(root, "schema-")?;
    for folder in CHANGED_FOLDERS {
        copy_files(&segments.join(folder), &copy.path().join(folder))?;
    }
    Array::add_attributes(context, &copy.path().to_string_lossy(), timestamp, fields)?;
    for folder in CHANGED_FOLDERS {
        move_new_files(&copy.path().join(folder), &segments.join(folder))?;
    }
    let path = copy.path().to_owned();
    copy.close().map_err(|source| io_error(&path, source))?;
    Ok(Array::schema_at(context, &location.segments(), timestamp)?.0)
}

/// [`add_attributes`] in an object store: in a copy among the temporary files of the system.
fn add_attributes_by_upload(
    context: &Context,
    location: &Location,
    timestamp: u64,
    fields: &[Field],
) -> Result<SchemaRef> {
    let temporary = std::env::temp_dir();
    let copy = tempfile::Builder::new().prefix("isdb-schema-").tempdir_in(&temporary);
    let copy = copy.map_err(|source| io_error(&temporary, source))?;
    let mut old = BTreeSet::new();
    for folder in COPIED_FOLDERS {
        let target = copy.path().join(folder);
        fs::create_dir_all(&target).map_err(|source| io_error(&target, source))?;
        for name in location.names(&format!("{SEGMENTS}/{folder}"))? {
            // A folder below this one is copied by itself.
            if COPIED_FOLDERS.contains(&format!("{folder}/{name}").as_str()) {
                continue;
            }
            let file = target.join(&name);
            let content = location.read(&format!("{SEGMENTS}/{folder}/{name}"))?;
            fs::write(&file, content).map_err(|source| io_error(&file, source))?;
            old.insert(file);
        }
    }
    let uri = copy.path().to_string_lossy().into_owned();
    Array::add_attributes(context, &uri, timestamp, fields)?;
    for folder in COPIED_FOLDERS {
        for name in list_names(&copy.path().join(folder))? {
            let file = copy.path().join(folder).join(&name);
            if file.is_file() && !old.contains(&file) {
                let content = fs::read(&file).map_err(|source| io_error(&file, source))?;
                location.create(&format!("{SEGMENTS}/{folder}/{name}"), content)?;
            }
        }
    }
    Ok(Array::schema_at(context, &uri, timestamp)?.0)
}

fn copy_files(from: &Path, to: &Path) -> Result<()> {
    let failed = |source| io_error(from, source);
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).map_err(failed)?;
        }
    }
    Ok(())
}

/// Moves the files that `to` does not have, each durable before it becomes visible.
fn move_new_files(from: &Path, to: &Path) -> Result<()> {
    let failed = |source| io_error(from, source);
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
