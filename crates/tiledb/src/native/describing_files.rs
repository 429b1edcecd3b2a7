//! The files that describe an array, in memory: its schemas, the texts of its dictionary columns, and its metadata. They are few and small,
//! wherever the array is.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use tiledb_format::Enumeration;
use tiledb_format::fragment::{ConsolidatedFooters, Footer};

use super::array_files::{ENUMERATIONS, ListedFiles, METADATA, SCHEMAS};
use super::fragment::metadata_path;
use super::listing::{Described, Schemas, describe, in_file, unsupported};
use super::storage::{FileEnd, FileRange, ListedStorage, Storage};
use crate::error::{Error, Result};
use crate::schema::layout::ArrayLayout;

/// A time after every file.
const NEVER: u64 = u64::MAX;

/// The files that describe an array, by their paths below the array's folder.
#[derive(Clone, Debug)]
pub struct DescribingFiles {
    uri: String,
    files: ListedFiles,
}

/// The schemas of an array.
#[derive(Debug)]
pub struct StoredSchemas {
    uri: String,
    schemas: Schemas,
}

impl DescribingFiles {
    /// The folders below an array's that have such files.
    pub const FOLDERS: [&str; 3] = [SCHEMAS, ENUMERATIONS, METADATA];

    /// The contents of the files of the array at `uri`, which is for errors.
    pub fn new(uri: &str, files: BTreeMap<String, Vec<u8>>) -> Self {
        let uri = uri.trim_end_matches('/').to_owned();
        Self { files: ListedFiles::new(Arc::new(InMemory(files)), &uri), uri }
    }

    /// As [`Array::schema_at`](crate::Array::schema_at), without libtiledb.
    ///
    /// # Errors
    /// [`Error::File`] and [`Error::Format`] for a file that is missing or damaged,
    /// [`Error::Unsupported`] for an array that only libtiledb reads, or without a schema.
    pub fn schema_at(&self, timestamp_ms: u64) -> Result<(SchemaRef, ArrayLayout)> {
        let description = describe(&self.files, &self.uri, Some(timestamp_ms), timestamp_ms)?.description;
        Ok((description.schema, description.layout))
    }

    /// Reads the texts of all dictionary columns of the newest schema, which only other programs read: the schema has them from the metadata
    /// of the fields.
    ///
    /// # Errors
    /// As for [`schema_at`](Self::schema_at).
    pub fn check_enumerations(&self) -> Result<()> {
        let Described { current, .. } = describe(&self.files, &self.uri, None, NEVER)?;
        for enumeration in &current.enumerations {
            let path = format!("{ENUMERATIONS}/{}", enumeration.path);
            let found = self.files.decoded(&path, Enumeration::parse)?;
            if found.name != enumeration.name {
                return Err(unsupported(&format!("the texts of {}", enumeration.name), &found.name));
            }
        }
        Ok(())
    }

    /// Reads all schemas.
    ///
    /// # Errors
    /// As for [`schema_at`](Self::schema_at).
    pub fn schemas(&self) -> Result<StoredSchemas> {
        let Described { schemas, .. } = describe(&self.files, &self.uri, None, NEVER)?;
        Ok(StoredSchemas { uri: self.uri.clone(), schemas })
    }
}

/// Files in memory, which are only read.
#[derive(Debug)]
struct InMemory(BTreeMap<String, Vec<u8>>);

impl Storage for InMemory {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.0.get(path).cloned().ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn read_ranges(&self, ranges: &[FileRange], _: &mut [Vec<u8>]) -> Result<(), (Arc<str>, io::Error)> {
        // What describes an array is read in whole files.
        ranges.first().map_or(Ok(()), |range| Err((Arc::clone(&range.path), ErrorKind::Unsupported.into())))
    }
}

impl ListedStorage for InMemory {
    fn names(&self, folder: &str) -> io::Result<Vec<String>> {
        let name = |path: &String| path.strip_prefix(folder)?.strip_prefix('/').map(str::to_owned);
        Ok(self.0.keys().filter_map(name).filter(|name| !name.contains('/')).collect())
    }

    fn read_ends(&self, paths: &[String], _: u64) -> Result<Vec<FileEnd>, (Arc<str>, io::Error)> {
        // What describes an array is read in whole files.
        paths.first().map_or(Ok(Vec::new()), |path| Err((path.as_str().into(), ErrorKind::Unsupported.into())))
    }
}

impl StoredSchemas {
    /// Checks what libtiledb reads of the fragment `name` when it opens the array: the end of `metadata`, the content of the fragment's
    /// `__fragment_metadata.tdb`. Returns the bytes of the fragment's other files.
    ///
    /// # Errors
    /// [`Error::Format`] for damaged metadata, [`Error::Unsupported`] for a schema that the
    /// array does not have.
    pub fn check_footer(&self, name: &str, metadata: &[u8]) -> Result<u64> {
        let path = || format!("{}/{}", self.uri, metadata_path(name));
        let schema_name = Footer::schema_name(metadata).map_err(in_file(path()))?;
        let schema = self.schemas.get(schema_name);
        let schema = schema.ok_or_else(|| unsupported("a schema of the array", schema_name))?;
        let footer = Footer::parse(metadata, metadata.len() as u64, schema).map_err(in_file(path()))?;
        Ok(footer.data_bytes())
    }
}

/// Checks that the consolidated footers in the file at `path`, which has this `content`, are those of the fragments. `metadata` returns the
/// content of a fragment's `__fragment_metadata.tdb`, or `None` for a fragment that libtiledb does not see.
///
/// # Errors
/// [`Error::Format`], and the errors of `metadata`.
pub fn check_consolidated_footers<E: From<Error>>(
    path: &str,
    content: &[u8],
    mut metadata: impl FnMut(&str) -> Result<Option<Vec<u8>>, E>,
) -> Result<(), E> {
    let footers = ConsolidatedFooters::parse(content).map_err(in_file(path.to_owned()))?;
    for (name, found) in footers.iter() {
        let Some(metadata) = metadata(name)? else { continue };
        let footer = Footer::locate(&metadata).map_err(in_file(path.to_owned()))?;
        if !found.starts_with(footer) {
            let (expected, found) = (format!("the footer of {name}"), "another".to_owned());
            let differs = tiledb_format::Error::Invalid { what: "consolidated footers", expected, found };
            return Err(in_file(path.to_owned())(differs).into());
        }
    }
    Ok(())
}
