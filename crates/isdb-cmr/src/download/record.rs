//! Which files this program has fetched: beside each, a hidden `.<name>.download` says what it was when it got its name. A file
//! without one, or changed since, belongs to the user and is never replaced or deleted.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// File systems round times: FAT to two seconds, others when a file leaves the cache.
const ROUNDED: u64 = 2;

/// What a fetched file was when it got its name.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// Where it came from, without a query.
    url: Option<String>,
    /// Its length in bytes.
    length: u64,
    /// When it was last changed, in seconds since 1970.
    modified: i64,
}

impl Record {
    /// That of a file with this metadata, fetched from `url`.
    pub(super) fn of(file: &Metadata, url: Option<String>) -> Record {
        Record { url, length: file.len(), modified: file.mtime() }
    }
}

/// Writes the record of `target`, which gets its name next.
pub(super) fn write(target: &Path, record: &Record) -> std::io::Result<()> {
    let (place, text) = (place(target), serde_json::to_vec(record)?);
    match std::fs::remove_file(&place) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => std::fs::write(&place, text),
    }
}

/// Deletes the record of `target`.
pub(super) fn forget(target: &Path) {
    let _ = std::fs::remove_file(place(target));
}

/// Whether this program has fetched the file at `target`, and it is unchanged since.
pub(crate) fn is_ours(target: &Path) -> bool {
    let record = std::fs::read(place(target)).ok().and_then(|text| serde_json::from_slice::<Record>(&text).ok());
    let file = std::fs::symlink_metadata(target).ok().filter(Metadata::is_file);
    record
        .zip(file)
        .is_some_and(|(record, file)| record.length == file.len() && record.modified.abs_diff(file.mtime()) <= ROUNDED)
}

/// Deletes the file at `target` and the folder that was made for it, if this program has fetched it. Returns whether it did.
#[must_use]
pub fn remove_fetched(target: &Path) -> bool {
    let is_removed = is_ours(target) && std::fs::remove_file(target).is_ok();
    if is_removed {
        forget(target);
        if let Some(folder) = target.parent() {
            let _ = std::fs::remove_dir(folder);
        }
    }
    is_removed
}

/// Gives the file at `target` the name `<name>.unreadable`, if this program has fetched it, so that the next run fetches it
/// again. Returns the new path.
#[must_use]
pub fn set_aside(target: &Path) -> Option<PathBuf> {
    let mut name = target.file_name()?.to_owned();
    name.push(".unreadable");
    let aside = target.with_file_name(name);
    if !is_ours(target) || std::fs::rename(target, &aside).is_err() {
        return None;
    }
    forget(target);
    Some(aside)
}

/// Renames `from` to `to` unless there is a file of that name. Returns whether it did.
pub(super) fn rename_new(from: &Path, to: &Path) -> std::io::Result<bool> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        // File systems that do not know the flag.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => match std::fs::hard_link(from, to) {
            Ok(()) => std::fs::remove_file(from).map(|()| true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            // Nor links: what remains is to look first.
            Err(_) if std::fs::symlink_metadata(to).is_ok() => Ok(false),
            Err(_) => std::fs::rename(from, to).map(|()| true),
        },
        Err(error) => Err(error.into()),
    }
}

/// Where the record of `target` is.
fn place(target: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(".download");
    target.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_user_has_put_there_or_changed_is_never_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a/a.h5");
        std::fs::create_dir(target.parent().unwrap()).unwrap();
        let fetched = |content: &str| {
            std::fs::write(&target, content).unwrap();
            write(&target, &Record::of(&std::fs::metadata(&target).unwrap(), Some("https://x/a.h5".to_owned())))
                .unwrap();
        };
        std::fs::write(&target, "mine").unwrap();
        assert!(!remove_fetched(&target) && set_aside(&target).is_none() && target.exists(), "without a record");
        fetched("theirs");
        std::fs::write(&target, "my clip of it").unwrap();
        assert!(!remove_fetched(&target) && set_aside(&target).is_none() && target.exists(), "changed since");
        fetched("theirs");
        let aside = set_aside(&target).unwrap();
        assert!(!target.exists() && std::fs::read(&aside).unwrap() == b"theirs");
        std::fs::remove_file(aside).unwrap();
        fetched("theirs");
        assert!(remove_fetched(&target));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "with all that was made for it");
    }

    #[test]
    fn a_name_that_is_in_use_stays_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
        std::fs::write(&from, "new").unwrap();
        std::fs::write(&to, "old").unwrap();
        assert!(!rename_new(&from, &to).unwrap() && std::fs::read(&to).unwrap() == b"old");
        std::fs::remove_file(&to).unwrap();
        assert!(rename_new(&from, &to).unwrap() && !from.exists() && std::fs::read(&to).unwrap() == b"new");
    }
}
