//! What makes files survive a power cut, and what to do on file systems that lack part of what that takes.
//!
//! A file is durable when its content is synced and the folder that names it is synced, too: a folder's entries are content of
//! the folder. libtiledb syncs the files it writes and no folder.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::error::{Error, Result};

/// How file systems say that they lack an operation: FAT has no hard links (EPERM), NFS renames without flags only (EINVAL) and
/// locks with a lock daemon only (ENOLCK), CIFS and some FUSE sync no folders (EINVAL), others answer ENOSYS or EOPNOTSUPP.
const LACKING: [Errno; 6] = [Errno::PERM, Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP, Errno::NOTSUP, Errno::NOLCK];

/// Whether `error` says that the file system lacks the operation.
pub(crate) fn is_lacking(error: &io::Error) -> bool {
    Errno::from_io_error(error).is_some_and(|errno| LACKING.contains(&errno))
}

/// Makes the content of a file durable.
pub(crate) fn sync_file(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|source| failed(path, source))
}

/// Makes the entries of a folder durable. A file system that syncs no folders makes them durable by itself, or nothing does, so
/// that its refusal is passed over, as LevelDB and RocksDB do.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    let folder = File::open(path).map_err(|source| failed(path, source))?;
    match folder.sync_all() {
        Err(source) if is_lacking(&source) => {
            tracing::debug!(folder = %path.display(), error = %source, "this file system syncs no folders");
            Ok(())
        }
        synced => synced.map_err(|source| failed(path, source)),
    }
}

/// Makes a folder durable with everything below it, but not its own entry in its parent.
pub(crate) fn sync_tree(path: &Path) -> Result<()> {
    let io = |source| failed(path, source);
    for entry in fs::read_dir(path).map_err(io)? {
        let entry = entry.map_err(io)?;
        match entry.file_type().map_err(io)?.is_dir() {
            true => sync_tree(&entry.path())?,
            false => sync_file(&entry.path())?,
        }
    }
    sync_folder(path)
}

/// Gives the file `from` the name `to`, at once and only if nothing has that name. By a hard link, else by a rename that replaces
/// nothing; `from` may be gone afterwards.
///
/// # Errors
/// `AlreadyExists`, or `Unsupported` where the file system can do neither: then it cannot hold a commit log, in which of two
/// writers exactly one must get a number.
pub(crate) fn publish(from: &Path, to: &Path) -> io::Result<()> {
    let refused = match fs::hard_link(from, to) {
        Err(refused) if is_lacking(&refused) => refused,
        linked => return linked,
    };
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE).map_err(io::Error::from) {
        Err(error) if is_lacking(&error) => {
            let both = format!("hard link: {refused}; rename without replacing: {error}");
            Err(io::Error::new(io::ErrorKind::Unsupported, both))
        }
        renamed => renamed,
    }
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::Io { path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_once() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second, name] = ["a", "b", "commit"].map(|name| folder.path().join(name));
        fs::write(&first, "first").unwrap();
        fs::write(&second, "second").unwrap();
        publish(&first, &name).unwrap();
        assert_eq!(publish(&second, &name).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&name).unwrap(), "first");
    }

    #[test]
    fn a_full_disk_or_a_missing_file_is_not_taken_for_a_lacking_operation() {
        for errno in [Errno::NOSPC, Errno::NOENT, Errno::ACCESS, Errno::EXIST, Errno::IO, Errno::ROFS] {
            assert!(!is_lacking(&errno.into()), "{errno}");
        }
        for errno in LACKING {
            assert!(is_lacking(&errno.into()), "{errno}");
        }
    }
}
