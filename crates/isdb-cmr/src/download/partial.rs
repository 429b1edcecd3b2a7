//! The partial file of a download: `<name>.part` with the bytes, and its sidecar `<name>.part.json`. It is locked while it is
//! open.
//!
//! The file contains a prefix of the download, or nothing. Bytes are written at the end of the last successful write; after a
//! failed write the file is truncated there, so that nothing can follow a gap. After a power failure only synced bytes
//! are kept: the file system may return zeros for the others.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::download::filesystem::{blocking, open_locked};
use crate::download::paths::{PARTIAL_SUFFIX, with_suffix};
use crate::download::sidecar::{Sidecar, boot_id, replace_synced, replace_unsynced};
use crate::download::version::Version;
use crate::error::{Error, Result};

/// Bytes are collected up to this number before they are written.
const BUFFER_BYTES: usize = 1 << 18;
/// Bytes are synced whenever this many have been written, so a power failure costs about this many at most. A sync takes some
/// 10 ms; receiving this many bytes takes a second or more.
const SYNC_EVERY: u64 = 1 << 24;

/// A partial file, locked.
#[derive(Debug)]
pub(super) struct PartialFile {
    target: PathBuf,
    path: PathBuf,
    sidecar: PathBuf,
    file: Arc<File>,
    /// Bytes that are not yet written, which follow those in the file.
    pending: Vec<u8>,
    /// The number of bytes in the file.
    written: u64,
    /// The number of bytes that are synced.
    synced: u64,
    /// The number of bytes that were in the file when it was opened.
    reused: u64,
    version: Option<Version>,
}

impl PartialFile {
    /// Opens or creates the partial file of `target`, and its folder. Truncates bytes that a power failure may have damaged.
    pub(super) fn open(target: &Path) -> Result<PartialFile> {
        PartialFile::open_in_boot(target, boot_id())
    }

    fn open_in_boot(target: &Path, boot: Option<String>) -> Result<PartialFile> {
        let path = with_suffix(target, PARTIAL_SUFFIX);
        let sidecar = with_suffix(target, ".part.json");
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(|source| Error::folder(folder, source))?;
        }
        let file = open_locked(&path)?;
        let failed = |source| Error::io(&path, source);
        let length = file.metadata().map_err(failed)?.len();
        let known: Option<Sidecar> = std::fs::read(&sidecar).ok().and_then(|json| serde_json::from_slice(&json).ok());
        let synced = known.as_ref().map_or(0, |known| known.synced.min(length));
        let is_of_this_boot = known.as_ref().is_some_and(|known| known.boot.is_some() && known.boot == boot);
        let written = if is_of_this_boot { length } else { synced };
        if written < length {
            file.set_len(written).map_err(failed)?;
        }
        Ok(PartialFile {
            target: target.to_path_buf(),
            path,
            sidecar,
            file: Arc::new(file),
            pending: Vec::new(),
            written,
            synced,
            reused: written,
            version: known.map(|known| known.version),
        })
    }

    /// The number of bytes, including pending ones.
    pub(super) fn length(&self) -> u64 {
        self.written + self.pending.len() as u64
    }

    /// The number of bytes that existed when the file was opened, and are still used.
    pub(super) fn reused(&self) -> u64 {
        self.reused
    }

    /// The version that the bytes belong to, if that is known.
    pub(super) fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// Discards all bytes; the next ones belong to `version`.
    pub(super) async fn restart(&mut self, version: Option<Version>) -> Result<()> {
        self.pending.clear();
        let discarded = std::mem::take(&mut self.written);
        (self.synced, self.reused) = (0, 0);
        self.version = version;
        let (file, sidecar, json) = (Arc::clone(&self.file), self.sidecar.clone(), self.sidecar_json());
        blocking(&self.path, move || {
            file.set_len(0)?;
            // The bytes of one version must never be beside the sidecar of another, not even after a power failure.
            if discarded > 0 {
                file.sync_all()?;
            }
            replace_synced(&sidecar, &json?)
        })
        .await
    }

    /// Sets the length of the version, if it was unknown.
    pub(super) fn set_length(&mut self, length: Option<u64>) {
        if let Some(version) = &mut self.version {
            version.length = version.length.or(length);
        }
    }

    /// Appends `bytes`.
    ///
    /// # Errors
    /// [`Error::Io`] if pending bytes cannot be written; bytes that were written before are kept.
    pub(super) async fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() < BUFFER_BYTES {
            return Ok(());
        }
        self.flush().await?;
        match self.written - self.synced >= SYNC_EVERY {
            true => {
                self.sync().await?;
                self.update_sidecar().await
            }
            false => Ok(()),
        }
    }

    /// Writes pending bytes, so that they survive the end of the process.
    ///
    /// # Errors
    /// [`Error::Io`]; pending bytes are lost, bytes that were written before are kept.
    pub(super) async fn flush(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let (file, at, bytes) = (Arc::clone(&self.file), self.written, std::mem::take(&mut self.pending));
        let written = blocking(&self.path, move || {
            file.write_all_at(&bytes, at)?;
            Ok(bytes)
        });
        match written.await {
            Ok(mut bytes) => {
                self.written += bytes.len() as u64;
                bytes.clear();
                self.pending = bytes;
                Ok(())
            }
            Err(error) => {
                self.truncate(self.written).await;
                Err(error)
            }
        }
    }

    /// Syncs the written bytes.
    pub(super) async fn sync(&mut self) -> Result<()> {
        let file = Arc::clone(&self.file);
        if let Err(error) = blocking(&self.path, move || file.sync_all()).await {
            self.truncate(self.synced).await;
            return Err(error);
        }
        self.synced = self.written;
        Ok(())
    }

    /// Records the number of synced bytes.
    async fn update_sidecar(&self) -> Result<()> {
        let (sidecar, json) = (self.sidecar.clone(), self.sidecar_json());
        // It needs no sync: an older sidecar remains valid.
        blocking(&self.sidecar, move || replace_unsynced(&sidecar, &json?)).await
    }

    /// Keeps only the first `length` bytes, after the following ones could not be written.
    async fn truncate(&mut self, length: u64) {
        self.pending.clear();
        (self.written, self.synced) = (length, self.synced.min(length));
        let (file, sidecar) = (Arc::clone(&self.file), self.sidecar.clone());
        let truncated = blocking(&self.path, move || {
            file.set_len(length).inspect_err(|_| {
                // Without it the next download starts from the first byte.
                let _ = std::fs::remove_file(&sidecar);
            })
        });
        if truncated.await.is_err() {
            (self.written, self.synced, self.version) = (0, 0, None);
        }
    }

    fn sidecar_json(&self) -> std::io::Result<Vec<u8>> {
        match &self.version {
            Some(version) => {
                let sidecar = Sidecar { version: version.clone(), synced: self.synced, boot: boot_id() };
                serde_json::to_vec(&sidecar).map_err(std::io::Error::from)
            }
            None => Ok(Vec::new()),
        }
    }

    /// Deletes the partial file if it is empty, and its folder if nothing else is in it.
    pub(super) async fn delete_if_empty(self) {
        if self.length() == 0 {
            let _ = tokio::fs::remove_file(&self.sidecar).await;
            let _ = tokio::fs::remove_file(&self.path).await;
            if let Some(folder) = self.path.parent() {
                let _ = tokio::fs::remove_dir(folder).await;
            }
        }
    }

    /// The path that the complete file will have.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// The path of the partial file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of its sidecar.
    pub(super) fn sidecar(&self) -> &Path {
        &self.sidecar
    }

    /// The folder that contains it.
    pub(super) fn folder(&self) -> PathBuf {
        self.path.parent().unwrap_or(&self.path).to_path_buf()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;

    fn version(tag: &str, length: u64) -> Version {
        Version { url: "https://x/a.h5".to_owned(), etag: Some(tag.to_owned()), modified: None, length: Some(length) }
    }

    #[tokio::test]
    async fn bytes_and_version_are_kept_for_the_next_process() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a/a.h5");
        let mut partial = PartialFile::open(&target).unwrap();
        partial.restart(Some(version("\"1\"", 90))).await.unwrap();
        partial.append(b"first").await.unwrap();
        assert!(matches!(PartialFile::open(&target), Err(Error::Busy { .. })), "two at a time would mix their bytes");
        partial.flush().await.unwrap();
        drop(partial);
        let mut partial = PartialFile::open(&target).unwrap();
        assert_eq!((partial.length(), partial.version()), (5, Some(&version("\"1\"", 90))));
        partial.append(b" second").await.unwrap();
        partial.restart(Some(version("\"2\"", 5))).await.unwrap();
        partial.append(b"other").await.unwrap();
        partial.flush().await.unwrap();
        assert_eq!(std::fs::read(partial.path()).unwrap(), b"other");
    }

    #[tokio::test]
    async fn symbolic_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (target, other) = (folder.path().join("a.h5"), folder.path().join("other"));
        std::fs::write(&other, "mine").unwrap();
        let link = |ending| std::os::unix::fs::symlink(&other, with_suffix(&target, ending)).unwrap();
        link(PARTIAL_SUFFIX);
        assert!(matches!(PartialFile::open(&target), Err(Error::Io { .. })));
        std::fs::remove_file(with_suffix(&target, PARTIAL_SUFFIX)).unwrap();
        link(".part.json");
        link(".part.json.new");
        let mut partial = PartialFile::open(&target).unwrap();
        partial.restart(Some(version("\"1\"", 90))).await.unwrap();
        assert_eq!(std::fs::read(&other).unwrap(), b"mine");
    }

    #[tokio::test]
    async fn after_a_power_failure_only_synced_bytes_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a/a.h5");
        let (synced, lost) = (usize::try_from(SYNC_EVERY).unwrap(), 1_000_000);
        let mut partial = PartialFile::open(&target).unwrap();
        partial.restart(Some(version("\"1\"", 90_000_000))).await.unwrap();
        partial.append(&vec![7; synced]).await.unwrap();
        partial.append(&vec![7; lost]).await.unwrap();
        partial.flush().await.unwrap();
        drop(partial);
        // A killed process loses nothing.
        assert_eq!(PartialFile::open(&target).unwrap().length(), (synced + lost) as u64);
        // A file system may return zeros for bytes that never reached the disk.
        let path = with_suffix(&target, PARTIAL_SUFFIX);
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(&vec![0; lost], synced as u64).unwrap();
        drop(file);
        let partial = PartialFile::open_in_boot(&target, Some("the next boot".to_owned())).unwrap();
        assert_eq!((partial.length(), partial.version()), (synced as u64, Some(&version("\"1\"", 90_000_000))));
        assert!(std::fs::read(&path).unwrap().iter().all(|byte| *byte == 7));
        drop(partial);
        // An operating system without boot ids.
        assert_eq!(PartialFile::open_in_boot(&target, None).unwrap().length(), synced as u64);
    }
}
