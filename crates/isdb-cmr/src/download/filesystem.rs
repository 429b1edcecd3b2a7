//! File operations that not every file system supports: locks, folder syncs, and renames that do not replace.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::error::{Error, Result};

/// The errors of unsupported operations on NFS without a lock daemon, Lustre without `-o flock`, CIFS and some FUSE file systems.
/// Downloads work without them: a file is verified before it gets its name.
const UNSUPPORTED: [Errno; 6] =
    [Errno::PERM, Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP, Errno::NOTSUP, Errno::NOLCK];

/// Whether `error` says that the file system does not support the operation.
fn is_unsupported(error: &std::io::Error) -> bool {
    Errno::from_io_error(error).is_some_and(|errno| UNSUPPORTED.contains(&errno))
}

/// Runs blocking `work` on the file at `path` in the thread pool for such work.
pub(super) async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    let result = tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other).and_then(|result| result);
    result.map_err(|source| Error::io(path, source))
}

/// Syncs the folder that contains `path`, if the file system supports it.
pub(super) fn sync_parent_folder(path: &Path) -> std::io::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    match File::open(folder)?.sync_all() {
        Err(error) if is_unsupported(&error) => Ok(()),
        result => result,
    }
}

/// Opens or creates the file at `path` and locks it. Symbolic links are not followed.
///
/// # Errors
/// [`Error::Busy`] if another process has locked it.
pub(super) fn open_locked(path: &Path) -> Result<File> {
    loop {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let result = options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed()).open(path);
        let file = result.map_err(|source| Error::io(path, source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Busy { path: path.to_path_buf() }),
            // If two processes write at a time, the verification fails.
            Err(TryLockError::Error(source)) if is_unsupported(&source) => {}
            Err(TryLockError::Error(source)) => return Err(Error::io(path, source)),
        }
        // Another process may have finished it in the meantime: then it has another name, and must not be changed.
        let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        let opened = file.metadata().map(identity).map_err(|source| Error::io(path, source))?;
        match std::fs::symlink_metadata(path).map(identity) {
            Ok(named) if named == opened => return Ok(file),
            Err(source) if source.kind() != ErrorKind::NotFound => return Err(Error::io(path, source)),
            _ => {}
        }
    }
}

/// Renames `from` to `to` unless `to` exists. Returns whether it was renamed.
pub(super) fn rename_without_replacing(from: &Path, to: &Path) -> std::io::Result<bool> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        // The file system does not support the flag.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => match std::fs::hard_link(from, to) {
            Ok(()) => std::fs::remove_file(from).map(|()| true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            // It does not support hard links either: only a check before the rename remains.
            Err(_) if std::fs::symlink_metadata(to).is_ok() => Ok(false),
            Err(_) => std::fs::rename(from, to).map(|()| true),
        },
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_existing_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
        std::fs::write(&from, "new").unwrap();
        std::fs::write(&to, "old").unwrap();
        assert!(!rename_without_replacing(&from, &to).unwrap() && std::fs::read(&to).unwrap() == b"old");
        std::fs::remove_file(&to).unwrap();
        assert!(
            rename_without_replacing(&from, &to).unwrap() && !from.exists() && std::fs::read(&to).unwrap() == b"new"
        );
    }
}
