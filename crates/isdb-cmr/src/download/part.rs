//! A file on its way: `<name>.part` with the bytes, and `<name>.part.json` with what they are the beginning of. Whoever has it
//! open has it alone.
//!
//! The `.part` holds a prefix of the file or nothing. Bytes are written where the last successful write ended; when a write
//! fails, the file is cut back to there, so that nothing can follow a gap. After a power cut only bytes that were synced count:
//! the file system may give back zeros for the others.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;

use crate::download::lacking::{is_lacking, sync_folder_of};
use crate::download::names::{ENDING, with_ending};
use crate::download::record::{self, Record};
use crate::download::sidecar::{Sidecar, Version, boot, replace, replace_unsynced};
use crate::error::{Error, Result};
use crate::verify::{self, Algorithm};

/// Bytes gathered before they are written.
const BUFFER: usize = 1 << 18;
/// Bytes written before they are synced: what a power cut can cost. A sync takes some 10 ms, this many bytes a second or more.
const SYNC_EVERY: u64 = 1 << 24;

/// What became of an attempt to give a `.part` its name.
pub(super) enum Finished {
    /// The file has its name.
    Done,
    /// The bytes are not those that were announced; they are still in the `.part`.
    Wrong(String),
}

/// An unfinished file, locked.
#[derive(Debug)]
pub(super) struct Part {
    target: PathBuf,
    path: PathBuf,
    sidecar: PathBuf,
    file: Arc<File>,
    /// Bytes that are still to be written, behind those that are.
    pending: Vec<u8>,
    /// Bytes that were written.
    written: u64,
    /// Bytes of them that a sync has confirmed.
    synced: u64,
    /// How many of them were there when it was opened.
    reused: u64,
    version: Option<Version>,
}

impl Part {
    /// Opens or creates the `.part` of `target`, and its folder. Bytes that a power cut may have damaged are cut off.
    pub(super) fn open(target: &Path) -> Result<Part> {
        Part::open_in_boot(target, boot())
    }

    fn open_in_boot(target: &Path, boot: Option<String>) -> Result<Part> {
        let path = with_ending(target, ENDING);
        let sidecar = with_ending(target, ".part.json");
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(|source| Error::folder(folder, source))?;
        }
        let file = locked(&path)?;
        let failed = |source| Error::io(&path, source);
        let length = file.metadata().map_err(failed)?.len();
        let known: Option<Sidecar> = std::fs::read(&sidecar).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let synced = known.as_ref().map_or(0, |known| known.synced.min(length));
        let is_of_this_boot = known.as_ref().is_some_and(|known| known.boot.is_some() && known.boot == boot);
        let written = if is_of_this_boot { length } else { synced };
        if written < length {
            file.set_len(written).map_err(failed)?;
        }
        Ok(Part {
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

    /// How many bytes are there.
    pub(super) fn length(&self) -> u64 {
        self.written + self.pending.len() as u64
    }

    /// How many of them were there before.
    pub(super) fn reused(&self) -> u64 {
        self.reused
    }

    /// What they are the beginning of, when that is known.
    pub(super) fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// Drops every byte; what comes from now on belongs to `version`.
    pub(super) async fn restart(&mut self, version: Option<Version>) -> Result<()> {
        self.pending.clear();
        let had = std::mem::take(&mut self.written);
        (self.synced, self.reused) = (0, 0);
        self.version = version;
        let (file, sidecar, text) = (Arc::clone(&self.file), self.sidecar.clone(), self.sidecar_text());
        blocking(&self.path, move || {
            file.set_len(0)?;
            // The bytes of one version must never be beside the name of another, not even after a power cut.
            if had > 0 {
                file.sync_all()?;
            }
            replace(&sidecar, &text?)
        })
        .await
    }

    /// Takes in how long the whole is, where that was unknown.
    pub(super) fn learn_length(&mut self, length: Option<u64>) {
        if let Some(version) = &mut self.version {
            version.length = version.length.or(length);
        }
    }

    /// Adds `bytes`.
    ///
    /// # Errors
    /// When they, or bytes before them, cannot be written; then what was written before is still there.
    pub(super) async fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() < BUFFER {
            return Ok(());
        }
        self.flush().await?;
        match self.written - self.synced >= SYNC_EVERY {
            true => {
                self.sync().await?;
                self.note().await
            }
            false => Ok(()),
        }
    }

    /// Gives what was gathered to the operating system, so that it outlives this process.
    ///
    /// # Errors
    /// When it cannot be written; then what was written before is still there, and what was gathered is lost.
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
                self.cut_back(self.written).await;
                Err(error)
            }
        }
    }

    /// Syncs what was written.
    async fn sync(&mut self) -> Result<()> {
        let file = Arc::clone(&self.file);
        if let Err(error) = blocking(&self.path, move || file.sync_all()).await {
            self.cut_back(self.synced).await;
            return Err(error);
        }
        self.synced = self.written;
        Ok(())
    }

    /// Notes how much was synced.
    async fn note(&self) -> Result<()> {
        let (sidecar, text) = (self.sidecar.clone(), self.sidecar_text());
        // Without a sync of its own: what an older sidecar says still holds.
        blocking(&self.sidecar, move || replace_unsynced(&sidecar, &text?)).await
    }

    /// Keeps the first `length` bytes only, after what follows could not be written.
    async fn cut_back(&mut self, length: u64) {
        self.pending.clear();
        (self.written, self.synced) = (length, self.synced.min(length));
        let (file, sidecar) = (Arc::clone(&self.file), self.sidecar.clone());
        let cut = blocking(&self.path, move || {
            file.set_len(length).inspect_err(|_| {
                // Without it the next run begins at the first byte.
                let _ = std::fs::remove_file(&sidecar);
            })
        });
        if cut.await.is_err() {
            (self.written, self.synced, self.version) = (0, 0, None);
        }
    }

    /// The sidecar of what is there now.
    fn sidecar_text(&self) -> std::io::Result<Vec<u8>> {
        match &self.version {
            Some(version) => {
                let sidecar = Sidecar { version: version.clone(), synced: self.synced, boot: boot() };
                serde_json::to_vec(&sidecar).map_err(std::io::Error::from)
            }
            None => Ok(Vec::new()),
        }
    }

    /// Verifies the bytes and gives them their name, in the place of another file only if `replaces`.
    ///
    /// # Errors
    /// [`Error::Occupied`] when another file has the name meanwhile.
    pub(super) async fn finish(
        &mut self,
        length: Option<u64>,
        checksum: Option<&(Algorithm, String)>,
        replaces: bool,
    ) -> Result<Finished> {
        self.flush().await?;
        let (path, checksum) = (self.path.clone(), checksum.cloned());
        if let Some(problem) = blocking(&self.path, move || verify::problem(&path, length, checksum.as_ref())).await? {
            return Ok(Finished::Wrong(problem));
        }
        self.sync().await?;
        let (path, target, sidecar) = (self.path.clone(), self.target.clone(), self.sidecar.clone());
        let url = self.version.as_ref().map(|version| version.url.clone());
        let named = blocking(&self.path, move || {
            // The user may have put another file there meanwhile.
            let replaces = replaces && record::is_ours(&target);
            // First, so that no kill leaves a file that this program does not know for its own.
            record::write(&target, &Record::of(&File::open(&path)?.metadata()?, url))?;
            match replaces {
                true => std::fs::rename(&path, &target)?,
                false if !record::rename_new(&path, &target)? => {
                    record::forget(&target);
                    return Ok(false);
                }
                false => {}
            }
            sync_folder_of(&target)?;
            match std::fs::remove_file(&sidecar) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(true),
            }
        });
        match named.await? {
            true => Ok(Finished::Done),
            false => {
                let problem = "appeared while the file was fetched".to_owned();
                Err(Error::Occupied { path: self.target.clone(), problem })
            }
        }
    }

    /// Takes an empty `.part` away again, and its folder if nothing else is there.
    pub(super) async fn discard_if_empty(self) {
        if self.length() == 0 {
            let _ = tokio::fs::remove_file(&self.sidecar).await;
            let _ = tokio::fs::remove_file(&self.path).await;
            if let Some(folder) = self.path.parent() {
                let _ = tokio::fs::remove_dir(folder).await;
            }
        }
    }

    /// The file's path, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that it is in.
    pub(super) fn folder(&self) -> PathBuf {
        self.path.parent().unwrap_or(&self.path).to_path_buf()
    }
}

/// Runs `work` on the file at `path` where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other).and_then(|done| done);
    done.map_err(|source| Error::io(path, source))
}

/// The file at `path`, which nobody else has, and which is no link to another.
fn locked(path: &Path) -> Result<File> {
    loop {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let opened = options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed()).open(path);
        let file = opened.map_err(|source| Error::io(path, source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Busy { path: path.to_path_buf() }),
            // What two at a time write is refused when it is checked.
            Err(TryLockError::Error(source)) if is_lacking(&source) => {}
            Err(TryLockError::Error(source)) => return Err(Error::io(path, source)),
        }
        // Whoever had it may have finished it meanwhile: then it has another name, and must not be written to.
        let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        let ours = file.metadata().map(identity).map_err(|source| Error::io(path, source))?;
        match std::fs::symlink_metadata(path).map(identity) {
            Ok(named) if named == ours => return Ok(file),
            Err(source) if source.kind() != ErrorKind::NotFound => return Err(Error::io(path, source)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(tag: &str, length: u64) -> Version {
        Version { url: "https://x/a.h5".to_owned(), etag: Some(tag.to_owned()), modified: None, length: Some(length) }
    }

    #[tokio::test]
    async fn what_was_fetched_is_there_for_the_next_process_with_what_it_belongs_to() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a/a.h5");
        let mut part = Part::open(&target).unwrap();
        part.restart(Some(version("\"1\"", 90))).await.unwrap();
        part.append(b"first").await.unwrap();
        assert!(matches!(Part::open(&target), Err(Error::Busy { .. })), "two at a time would mix their bytes");
        part.flush().await.unwrap();
        drop(part);
        let mut part = Part::open(&target).unwrap();
        assert_eq!((part.length(), part.version()), (5, Some(&version("\"1\"", 90))));
        part.append(b" second").await.unwrap();
        part.restart(Some(version("\"2\"", 5))).await.unwrap();
        part.append(b"other").await.unwrap();
        assert!(matches!(part.finish(Some(5), None, false).await.unwrap(), Finished::Wrong(_)));
        assert_eq!(std::fs::read(part.path()).unwrap(), b"other");
        assert!(!target.exists());
    }

    #[tokio::test]
    async fn a_link_in_the_place_of_a_part_does_not_lead_to_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let (target, other) = (folder.path().join("a.h5"), folder.path().join("other"));
        std::fs::write(&other, "mine").unwrap();
        let link = |ending| std::os::unix::fs::symlink(&other, with_ending(&target, ending)).unwrap();
        link(ENDING);
        assert!(matches!(Part::open(&target), Err(Error::Io { .. })));
        std::fs::remove_file(with_ending(&target, ENDING)).unwrap();
        link(".part.json");
        link(".part.json.new");
        let mut part = Part::open(&target).unwrap();
        part.restart(Some(version("\"1\"", 90))).await.unwrap();
        assert_eq!(std::fs::read(&other).unwrap(), b"mine");
    }

    #[tokio::test]
    async fn a_verified_file_gets_its_name_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a/a.h5");
        let whole = verify::tests::superblock(2, 36);
        let mut part = Part::open(&target).unwrap();
        part.restart(Some(version("\"1\"", 36))).await.unwrap();
        part.append(&whole).await.unwrap();
        assert!(matches!(part.finish(Some(36), None, false).await.unwrap(), Finished::Done));
        assert_eq!(std::fs::read(&target).unwrap(), whole);
        let visible = std::fs::read_dir(target.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
        let visible = visible.filter(|name| !name.to_string_lossy().starts_with('.'));
        assert_eq!(visible.collect::<Vec<_>>(), ["a.h5"]);
        // The lock of the finished file is not in the way of a new one, and the new one is another file.
        let mut new = Part::open(&target).unwrap();
        new.append(b"x").await.unwrap();
        new.flush().await.unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), whole);
    }

    #[tokio::test]
    async fn after_a_power_cut_only_synced_bytes_are_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a/a.h5");
        let (synced, lost) = (usize::try_from(SYNC_EVERY).unwrap(), 1_000_000);
        let mut part = Part::open(&target).unwrap();
        part.restart(Some(version("\"1\"", 90_000_000))).await.unwrap();
        part.append(&vec![7; synced]).await.unwrap();
        part.append(&vec![7; lost]).await.unwrap();
        part.flush().await.unwrap();
        drop(part);
        // A kill loses nothing.
        assert_eq!(Part::open(&target).unwrap().length(), (synced + lost) as u64);
        // What a file system gives back for bytes that never reached the disk.
        let path = with_ending(&target, ENDING);
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(&vec![0; lost], synced as u64).unwrap();
        drop(file);
        let part = Part::open_in_boot(&target, Some("the next one".to_owned())).unwrap();
        assert_eq!((part.length(), part.version()), (synced as u64, Some(&version("\"1\"", 90_000_000))));
        assert!(std::fs::read(&path).unwrap().iter().all(|byte| *byte == 7));
        drop(part);
        // A machine that does not say which boot it is.
        assert_eq!(Part::open_in_boot(&target, None).unwrap().length(), synced as u64);
    }

    #[tokio::test]
    async fn a_file_that_appeared_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a/a.h5");
        let whole = verify::tests::superblock(2, 36);
        let mut part = Part::open(&target).unwrap();
        part.restart(Some(version("\"1\"", 36))).await.unwrap();
        part.append(&whole).await.unwrap();
        std::fs::write(&target, "mine").unwrap();
        assert!(matches!(part.finish(Some(36), None, false).await, Err(Error::Occupied { .. })));
        assert_eq!(std::fs::read(&target).unwrap(), b"mine");
        assert!(!record::is_ours(&target), "what was not fetched is never deleted");
    }
}
