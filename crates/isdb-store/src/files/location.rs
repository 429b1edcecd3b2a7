//! The location of a database, and of the array and the folders in it.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The name of the segments array within the database's group.
pub(crate) const SEGMENTS: &str = "segments";
/// The folder of unfinished files, within the database's folder.
pub(crate) const STAGING: &str = "staging";
/// The folder in [`STAGING`] that the writer spills to.
pub(crate) const SPILL: &str = "spill";

/// The location of a database: a folder on local disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    root: PathBuf,
}

impl Location {
    /// Parses a path or a `file://` URI.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for another scheme; [`Error::Io`] when a relative path cannot be made absolute.
    pub fn parse(text: &str) -> Result<Location> {
        let path = match text.split_once("://") {
            None => text,
            Some(("file", path)) => path,
            Some((scheme, _)) => {
                let reason = format!("{scheme}:// is not supported yet, only local folders are");
                return Err(Error::Unsupported { uri: text.to_owned(), reason });
            }
        };
        if path.is_empty() {
            return Err(Error::Unsupported { uri: text.to_owned(), reason: "the path is empty".to_owned() });
        }
        let root = std::path::absolute(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        if root.to_str().is_none() {
            let reason = "the path is not valid UTF-8".to_owned();
            return Err(Error::Unsupported { uri: root.display().to_string(), reason });
        }
        Ok(Location { root })
    }

    /// The database's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The URI of the TileDB group that is the database.
    pub fn uri(&self) -> String {
        self.root.to_string_lossy().into_owned()
    }

    /// The URI of the sparse array of segments.
    pub fn segments(&self) -> String {
        self.child(SEGMENTS)
    }

    /// The folder that the writer may spill to. A takeover removes what a dead writer left there.
    pub fn spill(&self) -> PathBuf {
        self.root.join(STAGING).join(SPILL)
    }

    /// The URI of `name` within the database's folder.
    pub(crate) fn child(&self, name: &str) -> String {
        self.root.join(name).to_string_lossy().into_owned()
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
    fn a_bucket_is_refused_and_not_treated_as_a_folder() {
        let error = Location::parse("s3://bucket/x").unwrap_err().to_string();
        assert!(error.contains("s3://bucket/x") && error.contains("only local folders"), "{error}");
    }
}
