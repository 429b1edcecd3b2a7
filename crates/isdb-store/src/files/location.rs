//! The location of a database, and of the array and the folders in it.

use std::fmt;
use std::path::{Path, PathBuf};

use super::remote::bucket::{Bucket, UPLOADED_BYTES};
use super::storage_settings::StorageSettings;
use crate::error::{Error, Result};

/// The name of the segments array within the database's group.
pub(crate) const SEGMENTS: &str = "segments";
/// The folder of unfinished files, within the database's folder.
pub(crate) const STAGING: &str = "staging";
/// The name of the lock in the database's folder.
pub(crate) const LOCK: &str = "lock";
/// The folder in [`STAGING`] that the writer spills to.
pub(crate) const SPILL: &str = "spill";

/// The location of a database: a folder on local disk, or a prefix of a bucket in an object store.
#[derive(Clone, PartialEq, Eq)]
pub struct Location {
    place: Place,
}

/// Where the files of a database are.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Folder(PathBuf),
    Bucket(Bucket),
}

impl Location {
    /// Parses a path or a `file://` URI, or `s3://bucket/prefix` with the default [`StorageSettings`].
    ///
    /// # Errors
    /// As for [`with_settings`](Self::with_settings).
    pub fn parse(text: &str) -> Result<Location> {
        Location::with_settings(text, &StorageSettings::default())
    }

    /// Parses a path, a `file://` URI or `s3://bucket/prefix`; `settings` are those of the object store. Sends no request.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for another scheme, or settings that do not describe a store; [`Error::Io`] when a relative path cannot be made
    /// absolute.
    pub fn with_settings(text: &str, settings: &StorageSettings) -> Result<Location> {
        let unsupported = |reason: String| Error::Unsupported { uri: text.to_owned(), reason };
        let path = match text.split_once("://") {
            None => text,
            Some(("file", path)) => path,
            Some(("s3", rest)) => {
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                if bucket.is_empty() {
                    return Err(unsupported("expected s3://bucket/prefix".to_owned()));
                }
                let bucket = Bucket::open(bucket, prefix.trim_end_matches('/'), settings)?;
                return Ok(Location { place: Place::Bucket(bucket) });
            }
            Some((scheme, _)) => {
                return Err(unsupported(format!("expected a local folder or s3://bucket/prefix, found {scheme}://")));
            }
        };
        if path.is_empty() {
            return Err(unsupported("the path is empty".to_owned()));
        }
        let root = std::path::absolute(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        if root.to_str().is_none() {
            let reason = "the path is not valid UTF-8".to_owned();
            return Err(Error::Unsupported { uri: root.display().to_string(), reason });
        }
        Ok(Location { place: Place::Folder(root) })
    }

    /// The database's folder on local disk; None for a database in an object store.
    pub fn folder(&self) -> Option<&Path> {
        match &self.place {
            Place::Folder(folder) => Some(folder),
            Place::Bucket(_) => None,
        }
    }

    /// The bytes of memory of files that are being written: nothing on a local disk.
    pub fn upload_memory(&self) -> usize {
        if self.bucket().is_some() { UPLOADED_BYTES } else { 0 }
    }

    /// The URI of the TileDB group that is the database.
    pub fn uri(&self) -> String {
        match &self.place {
            Place::Folder(folder) => folder.to_string_lossy().into_owned(),
            Place::Bucket(bucket) => bucket.uri().to_owned(),
        }
    }

    /// The URI of the sparse array of segments.
    pub fn segments(&self) -> String {
        self.child(SEGMENTS)
    }

    /// The folder on local disk that the writer may spill to. If it is in the database, a takeover removes what a dead writer left there.
    pub fn spill(&self) -> PathBuf {
        match &self.place {
            Place::Folder(folder) => folder.join(STAGING).join(SPILL),
            Place::Bucket(_) => std::env::temp_dir(),
        }
    }

    /// The URI of `name` within the database's folder.
    pub(crate) fn child(&self, name: &str) -> String {
        match &self.place {
            Place::Folder(folder) => folder.join(name).to_string_lossy().into_owned(),
            Place::Bucket(bucket) => format!("{}/{name}", bucket.uri()),
        }
    }

    /// Whether `other` is the same place or one within it.
    pub(crate) fn contains(&self, other: &Location) -> bool {
        match (&self.place, &other.place) {
            (Place::Folder(folder), Place::Folder(other)) => resolved(other).starts_with(resolved(folder)),
            (Place::Bucket(bucket), Place::Bucket(other)) => bucket.contains(other),
            _ => false,
        }
    }

    /// The same location, of which no bytes are kept in memory: what is read is what the storage has.
    pub(crate) fn uncached(&self) -> Location {
        match &self.place {
            Place::Folder(_) => self.clone(),
            Place::Bucket(bucket) => Location { place: Place::Bucket(bucket.uncached()) },
        }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// The bucket of a database in an object store.
    pub(crate) fn bucket(&self) -> Option<&Bucket> {
        match &self.place {
            Place::Folder(_) => None,
            Place::Bucket(bucket) => Some(bucket),
        }
    }
}

/// A path without symbolic links, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let known = path.ancestors().find_map(|folder| Some((folder, folder.canonicalize().ok()?)));
    let rest = known.and_then(|(folder, known)| Some(known.join(path.strip_prefix(folder).ok()?)));
    rest.unwrap_or_else(|| path.to_owned())
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Location").field(&self.uri()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_its_file_uri_are_the_same_location() {
        assert_eq!(Location::parse("/data/x").unwrap(), Location::parse("file:///data/x").unwrap());
        assert_eq!(Location::parse("/data/x").unwrap().segments(), "/data/x/segments");
    }

    #[test]
    fn a_prefix_of_a_bucket_is_not_a_folder() {
        let location = Location::parse("s3://bucket/a/b/").unwrap();
        assert_eq!((location.uri().as_str(), location.folder()), ("s3://bucket/a/b", None));
        assert_eq!(location.segments(), "s3://bucket/a/b/segments");
        assert_eq!(Location::parse("s3://bucket").unwrap().segments(), "s3://bucket/segments");
    }

    #[test]
    fn a_place_contains_itself_and_what_is_below_it_by_whatever_name() {
        let folder = tempfile::tempdir().unwrap();
        let (data, link) = (folder.path().join("data"), folder.path().join("link"));
        std::fs::create_dir(&data).unwrap();
        std::os::unix::fs::symlink(&data, &link).unwrap();
        let local = |path: PathBuf| Location::parse(path.to_str().unwrap()).unwrap();
        assert!(local(data.clone()).contains(&local(link.join("new/db"))));
        assert!(!local(data.join("db")).contains(&local(link.join("db2"))));
        let [db, within, beside] =
            ["s3://bucket/db", "s3://bucket/db/x", "s3://bucket/db2"].map(|uri| Location::parse(uri).unwrap());
        assert!(db.contains(&db) && db.contains(&within) && !db.contains(&beside) && !db.contains(&local(data)));
    }

    #[test]
    fn another_scheme_and_a_missing_bucket_are_refused() {
        for wrong in ["gs://bucket/x", "s3:///x", "s3://bucket/a//b", "s3://bucket/../x"] {
            let error = Location::parse(wrong).unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
        }
    }
}
