//! Files that appear under their name only when they are complete.

use std::fs::File;
use std::path::{Path, PathBuf};

/// An opened path to write to.
pub(super) enum Destination {
    /// A device or pipe, which is written in place.
    Stream(File),
    /// A file, which appears when it is complete.
    File(UnfinishedFile),
}

impl Destination {
    /// Opens `path`; a symbolic link is followed.
    pub(super) fn open(path: &Path) -> std::io::Result<Destination> {
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match path.exists() && !path.is_file() {
            true => Ok(Destination::Stream(File::options().write(true).open(path)?)),
            false => Ok(Destination::File(UnfinishedFile::create(path)?)),
        }
    }
}

/// A file under a temporary name beside its final name. Dropping it deletes it unless it was finished.
pub(super) struct UnfinishedFile {
    pub(super) sink: File,
    path: PathBuf,
    finished: PathBuf,
}

impl UnfinishedFile {
    fn create(finished: PathBuf) -> std::io::Result<UnfinishedFile> {
        let name = finished.file_name().unwrap_or_default().to_string_lossy();
        let path = finished.with_file_name(format!(".{name}.{}", std::process::id()));
        Ok(UnfinishedFile { sink: File::create(&path)?, path, finished })
    }

    /// The temporary name.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the content durable, and gives the file its final name.
    pub(super) fn finish(&self) -> std::io::Result<()> {
        self.sink.sync_all()?;
        std::fs::rename(&self.path, &self.finished)
    }
}

impl Drop for UnfinishedFile {
    fn drop(&mut self) {
        // After the rename no file has this name.
        let _ = std::fs::remove_file(&self.path);
    }
}
