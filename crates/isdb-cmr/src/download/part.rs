//! A file on its way: `<name>.part` with the bytes, and `<name>.part.json` with what they are the beginning of. Whoever has it
//! open has it alone.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncWriteExt, BufWriter};

use super::lacking::{is_lacking, sync_folder_of};
use crate::error::{Error, Result};
use crate::verify::{self, Algorithm};

/// What an unfinished file's name ends in.
pub(super) const ENDING: &str = ".part";
/// Bytes gathered before they are written.
const BUFFER: usize = 1 << 18;

/// One version of a file on a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Version {
    /// Where it was asked for; not the presigned link, which ends.
    pub(super) url: String,
    /// Its strong entity tag.
    pub(super) etag: Option<String>,
    /// Its `Last-Modified`, for servers without tags.
    pub(super) modified: Option<String>,
    /// Its length in bytes.
    pub(super) length: Option<u64>,
}

impl Version {
    /// What `If-Range` says, so that a server sends the rest of this version or the whole of another.
    pub(super) fn validator(&self) -> Option<&str> {
        self.etag.as_deref().or(self.modified.as_deref())
    }
}

/// An unfinished file, locked.
#[derive(Debug)]
pub(super) struct Part {
    target: PathBuf,
    path: PathBuf,
    sidecar: PathBuf,
    file: BufWriter<tokio::fs::File>,
    length: u64,
    /// How many of them were there when it was opened.
    reused: u64,
    version: Option<Version>,
}

impl Part {
    /// Opens or creates the `.part` of `target`, and its folder.
    pub(super) fn open(target: &Path) -> Result<Part> {
        let path = with_ending(target, ENDING);
        let sidecar = with_ending(target, ".part.json");
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
        }
        let file = locked(&path)?;
        let length = file.metadata().and_then(|metadata| (&file).seek(SeekFrom::End(0)).and(Ok(metadata.len())));
        let length = length.map_err(|source| Error::io(&path, source))?;
        let version = std::fs::read(&sidecar).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let file = BufWriter::with_capacity(BUFFER, tokio::fs::File::from_std(file));
        Ok(Part { target: target.to_path_buf(), path, sidecar, file, length, reused: length, version })
    }

    /// How many bytes are there.
    pub(super) fn length(&self) -> u64 {
        self.length
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
        self.flush().await?;
        let had = std::mem::take(&mut self.length);
        self.reused = 0;
        let emptied = async {
            let file = self.file.get_mut();
            file.set_len(0).await?;
            tokio::io::AsyncSeekExt::seek(file, SeekFrom::Start(0)).await?;
            // The bytes of one version must never stand beside the name of another, not even after a power cut.
            if had > 0 { file.sync_all().await } else { Ok(()) }
        };
        emptied.await.map_err(|source| Error::io(&self.path, source))?;
        let known = match &version {
            Some(version) => serde_json::to_vec(version).map_err(std::io::Error::from),
            None => Ok(Vec::new()),
        };
        self.version = version;
        let sidecar = self.sidecar.clone();
        blocking(&self.sidecar, move || known.and_then(|text| replace(&sidecar, &text))).await
    }

    /// Takes in how long the whole is, where that was unknown.
    pub(super) fn learn_length(&mut self, length: Option<u64>) {
        if let Some(version) = &mut self.version {
            version.length = version.length.or(length);
        }
    }

    /// Adds `bytes`.
    pub(super) async fn append(&mut self, bytes: &Bytes) -> Result<()> {
        self.file.write_all(bytes).await.map_err(|source| Error::io(&self.path, source))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Gives what was gathered to the operating system, so that it outlives this process.
    pub(super) async fn flush(&mut self) -> Result<()> {
        self.file.flush().await.map_err(|source| Error::io(&self.path, source))
    }

    /// Verifies the bytes and gives them their name. None when that is done, else what is wrong with them; then they are still
    /// here.
    pub(super) async fn finish(
        &mut self,
        length: Option<u64>,
        checksum: Option<&(Algorithm, String)>,
    ) -> Result<Option<String>> {
        self.flush().await?;
        let (path, target, sidecar) = (self.path.clone(), self.target.clone(), self.sidecar.clone());
        let checksum = checksum.cloned();
        blocking(&self.path, move || {
            if let Some(problem) = verify::problem(&path, length, checksum.as_ref())? {
                return Ok(Some(problem));
            }
            File::open(&path)?.sync_all()?;
            std::fs::rename(&path, &target)?;
            sync_folder_of(&target)?;
            match std::fs::remove_file(&sidecar) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(None),
            }
        })
        .await
    }

    /// Takes an empty `.part` away again, and its folder if nothing else is there.
    pub(super) async fn discard_if_empty(self) {
        if self.length == 0 {
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
}

/// Runs `work` on the file at `path` where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other).and_then(|done| done);
    done.map_err(|source| Error::io(path, source))
}

/// Gives the file at `path` this text, in one step and before anything else is written to the disk. No link is followed.
fn replace(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let new = with_ending(path, ".new");
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(&new)?;
    file.write_all(text)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    sync_folder_of(path)
}

/// `target` with `ending` behind its name.
pub(super) fn with_ending(target: &Path, ending: &str) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    target.with_file_name(name)
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
        part.append(&Bytes::from_static(b"first")).await.unwrap();
        assert!(matches!(Part::open(&target), Err(Error::Busy { .. })), "two at a time would mix their bytes");
        part.flush().await.unwrap();
        drop(part);
        let mut part = Part::open(&target).unwrap();
        assert_eq!((part.length(), part.version()), (5, Some(&version("\"1\"", 90))));
        part.append(&Bytes::from_static(b" second")).await.unwrap();
        part.restart(Some(version("\"2\"", 5))).await.unwrap();
        part.append(&Bytes::from_static(b"other")).await.unwrap();
        assert_eq!(part.finish(Some(5), None).await.unwrap().unwrap(), "is no HDF5 file");
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
        part.append(&Bytes::from(whole.clone())).await.unwrap();
        assert_eq!(part.finish(Some(36), None).await.unwrap(), None);
        assert_eq!(std::fs::read(&target).unwrap(), whole);
        assert_eq!(std::fs::read_dir(target.parent().unwrap()).unwrap().count(), 1);
        // The lock of the finished file is not in the way of a new one, and the new one is another file.
        let mut new = Part::open(&target).unwrap();
        new.append(&Bytes::from_static(b"x")).await.unwrap();
        new.flush().await.unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), whole);
    }
}
