//! Records of downloaded files. Beside each downloaded file, a hidden file `.<name>.download` describes the file as it was
//! when it got its name. A file without a record, or one that has changed since, belongs to the user and is never replaced or
//! deleted.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The tolerance of modification times in seconds. File systems round them: FAT to two seconds, others when a file leaves the
/// cache.
const TIME_TOLERANCE: u64 = 2;

/// The description of a downloaded file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// Its URL, without query.
    url: Option<String>,
    /// Its length in bytes.
    length: u64,
    /// Its modification time, in seconds since 1970.
    modified: i64,
}

impl Record {
    /// Describes a file with this metadata that was downloaded from `url`.
    pub(super) fn new(file: &Metadata, url: Option<String>) -> Record {
        Record { url, length: file.len(), modified: file.mtime() }
    }
}

/// Writes the record of the file that will get the name `target`.
pub(super) fn write(target: &Path, record: &Record) -> std::io::Result<()> {
    let (path, json) = (record_path(target), serde_json::to_vec(record)?);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => std::fs::write(&path, json),
    }
}

/// Deletes the record of `target`.
pub(super) fn delete(target: &Path) {
    let _ = std::fs::remove_file(record_path(target));
}

/// Whether isdb downloaded the file at `target`, and it has not changed.
pub(super) fn is_downloaded(target: &Path) -> bool {
    let json = std::fs::read(record_path(target)).ok();
    let record = json.and_then(|json| serde_json::from_slice::<Record>(&json).ok());
    let file = std::fs::symlink_metadata(target).ok().filter(Metadata::is_file);
    record.zip(file).is_some_and(|(record, file)| {
        record.length == file.len() && record.modified.abs_diff(file.mtime()) <= TIME_TOLERANCE
    })
}

/// Deletes the file at `target`, its record and its own folder, if isdb downloaded it and it has not changed. Returns whether it
/// was deleted.
#[must_use]
pub fn delete_downloaded(target: &Path) -> bool {
    let is_deleted = is_downloaded(target) && std::fs::remove_file(target).is_ok();
    if is_deleted {
        delete(target);
        if let Some(folder) = target.parent() {
            let _ = std::fs::remove_dir(folder);
        }
    }
    is_deleted
}

/// Renames the file at `target` to `<name>.unreadable`, if isdb downloaded it and it has not changed, so that the next run downloads
/// it again. Returns the new path; None if it was not renamed.
#[must_use]
pub fn rename_unreadable(target: &Path) -> Option<PathBuf> {
    let mut name = target.file_name()?.to_owned();
    name.push(".unreadable");
    let new = target.with_file_name(name);
    if !is_downloaded(target) || std::fs::rename(target, &new).is_err() {
        return None;
    }
    delete(target);
    Some(new)
}

fn record_path(target: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(".download");
    target.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_record_or_changed_after_it_is_never_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a/a.h5");
        std::fs::create_dir(target.parent().unwrap()).unwrap();
        let download = |content: &str| {
            std::fs::write(&target, content).unwrap();
            write(&target, &Record::new(&std::fs::metadata(&target).unwrap(), Some("https://x/a.h5".to_owned())))
                .unwrap();
        };
        std::fs::write(&target, "mine").unwrap();
        assert!(
            !delete_downloaded(&target) && rename_unreadable(&target).is_none() && target.exists(),
            "without a record"
        );
        download("theirs");
        std::fs::write(&target, "my clip of it").unwrap();
        assert!(!delete_downloaded(&target) && rename_unreadable(&target).is_none() && target.exists(), "changed");
        download("theirs");
        let unreadable = rename_unreadable(&target).unwrap();
        assert!(!target.exists() && std::fs::read(&unreadable).unwrap() == b"theirs");
        std::fs::remove_file(unreadable).unwrap();
        download("theirs");
        assert!(delete_downloaded(&target));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "record and folder are deleted, too");
    }
}
