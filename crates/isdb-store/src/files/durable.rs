//! Durable files: syncing files and folders, and creating a file under a name that must be free.
//!
//! A file survives a power cut when its content and the folder that names it are synced: the entries of a folder are its
//! content. libtiledb syncs the files that it writes, but not their folders. File systems that lack one of the operations are
//! handled here.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::error::{Error, Result};

/// Errors with which file systems report an operation that they do not support: FAT has no hard links (EPERM), NFS supports
/// renames without flags only (EINVAL) and locks with a lock daemon only (ENOLCK), CIFS and some FUSE sync no folders (EINVAL),
/// others return ENOSYS or EOPNOTSUPP.
const UNSUPPORTED: [Errno; 6] =
    [Errno::PERM, Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP, Errno::NOTSUP, Errno::NOLCK];

/// Whether `error` means that the file system does not support the operation.
pub(crate) fn is_unsupported(error: &io::Error) -> bool {
    Errno::from_io_error(error).is_some_and(|errno| UNSUPPORTED.contains(&errno))
}

/// Makes the content of a file durable.
pub(crate) fn sync_file(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|source| io_error(path, source))
}

/// Makes the entries of a folder durable. A file system that cannot sync folders either makes entries durable by itself or cannot
/// do so at all; its refusal is ignored, as LevelDB and RocksDB do.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    let folder = File::open(path).map_err(|source| io_error(path, source))?;
    match folder.sync_all() {
        Err(source) if is_unsupported(&source) => {
            tracing::debug!(folder = %path.display(), error = %source, "this file system cannot sync folders");
            Ok(())
        }
        synced => synced.map_err(|source| io_error(path, source)),
    }
}

/// Makes a folder and everything below it durable, but not the folder's own entry in its parent.
pub(crate) fn sync_tree(path: &Path) -> Result<()> {
    let failed = |source| io_error(path, source);
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        match entry.file_type().map_err(failed)?.is_dir() {
            true => sync_tree(&entry.path())?,
            false => sync_file(&entry.path())?,
        }
    }
    sync_folder(path)
}

/// Gives the file `from` the name `to`, atomically and only if that name is free: by a hard link, else by a rename that replaces
/// nothing. `from` may no longer exist afterwards.
///
/// # Errors
/// `AlreadyExists`, or `Unsupported` where the file system can do neither. Such a file system cannot hold a commit log, in which
/// exactly one of two writers must get a number.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    let link_error = match fs::hard_link(from, to) {
        Err(error) if is_unsupported(&error) => error,
        linked => return linked,
    };
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE).map_err(io::Error::from) {
        Err(error) if is_unsupported(&error) => {
            let both = format!("hard link: {link_error}; rename without replacing: {error}");
            Err(io::Error::new(io::ErrorKind::Unsupported, both))
        }
        renamed => renamed,
    }
}

/// An [`Error::Io`] that names `path`.
pub(crate) fn io_error(path: &Path, source: io::Error) -> Error {
    Error::Io { path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_to_one_file_only() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second, name] = ["a", "b", "commit"].map(|name| folder.path().join(name));
        fs::write(&first, "first").unwrap();
        fs::write(&second, "second").unwrap();
        rename_new(&first, &name).unwrap();
        assert_eq!(rename_new(&second, &name).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&name).unwrap(), "first");
    }

    #[test]
    fn a_full_disk_or_a_missing_file_is_not_an_unsupported_operation() {
        for errno in [Errno::NOSPC, Errno::NOENT, Errno::ACCESS, Errno::EXIST, Errno::IO, Errno::ROFS] {
            assert!(!is_unsupported(&errno.into()), "{errno}");
        }
        for errno in UNSUPPORTED {
            assert!(is_unsupported(&errno.into()), "{errno}");
        }
    }
}
