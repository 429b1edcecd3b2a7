//! Folders of interrupted creations: `.NAME.creating-UUID` beside the database. The creator holds the lock in that folder until the
//! folder gets its final name, so a folder with a free lock belongs to a dead process and can be removed.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use super::location::{LOCK, SEGMENTS, STAGING};
use super::lock::FileLock;

/// The age at which a folder is removed where locks cannot show whether its creator is alive. A creation takes less than a
/// second.
const MIN_AGE: Duration = Duration::from_secs(3_600);

/// The entries that a database may contain while it is being created. A folder with anything else is not removed.
pub(crate) const EXPECTED: [&str; 9] =
    [SEGMENTS, STAGING, "areas", "ledger", "commits", LOCK, "__group", "__meta", "__tiledb_group.tdb"];

/// Returns a new folder beside `root` to create a database in; None where `root` has no name.
pub(crate) fn creation_folder(root: &Path) -> Option<PathBuf> {
    let name = root.file_name()?.to_string_lossy();
    Some(root.with_file_name(format!("{}{}", prefix(&name), Uuid::new_v4())))
}

/// Removes the folders of interrupted creations of the database in the folder `root`. Errors are ignored: nothing depends on it.
pub(crate) fn remove_interrupted_creations(root: &Path) {
    let (Some(name), Some(parent)) = (root.file_name(), root.parent()) else { return };
    let prefix = prefix(&name.to_string_lossy());
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let has_name = name.to_str().and_then(|name| name.strip_prefix(&prefix)).is_some_and(is_uuid);
        if has_name && entry.file_type().is_ok_and(|kind| kind.is_dir()) && has_expected_entries(&entry.path()) {
            remove_if_abandoned(&entry.path());
        }
    }
}

fn prefix(name: &str) -> String {
    format!(".{name}.creating-")
}

fn is_uuid(text: &str) -> bool {
    Uuid::try_parse(text).is_ok_and(|uuid| uuid.hyphenated().to_string() == text)
}

fn has_expected_entries(path: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(path) else { return false };
    entries.flatten().all(|entry| entry.file_name().to_str().is_some_and(|name| EXPECTED.contains(&name)))
}

/// Removes `path` if its creator is dead. The folder is locked meanwhile, so that a creator that has just started notices the removal.
fn remove_if_abandoned(path: &Path) {
    let is_old = || {
        let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified());
        modified.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > MIN_AGE))
    };
    let (is_abandoned, lock) = match FileLock::acquire_existing(path) {
        Ok(lock) => (lock.is_some(), lock),
        Err(_) => (is_old(), None),
    };
    if is_abandoned {
        let removed = std::fs::remove_dir_all(path);
        tracing::info!(folder = %path.display(), ?removed, "removed the folder of an interrupted creation");
    }
    drop(lock);
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_folders_of_dead_creators_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("db");
        let new = || creation_folder(&root).unwrap();
        let [dead, alive, unlocked, foreign, other] = [new(), new(), new(), new(), new()];
        let other = other.with_file_name(".other.creating-6f1f6a06-6ad3-4ea2-8c29-8c9c8a2b7d1e");
        let named_by_hand = folder.path().join(".db.creating-notes");
        for path in [&dead, &alive, &unlocked, &foreign, &other, &named_by_hand] {
            fs::create_dir_all(path.join("segments/__commits")).unwrap();
        }
        for path in [&dead, &alive, &foreign, &other] {
            fs::write(path.join("lock"), "").unwrap();
        }
        fs::write(foreign.join("thesis.tex"), "").unwrap();
        let _held = FileLock::acquire(&alive).unwrap();
        remove_interrupted_creations(&root);
        assert!(!dead.exists(), "its creator is dead");
        for path in [&alive, &unlocked, &foreign, &other, &named_by_hand] {
            assert!(path.exists(), "{}", path.display());
        }
        // A creator that died before it had its lock.
        let long_ago = SystemTime::now() - 2 * MIN_AGE;
        fs::File::open(&unlocked).unwrap().set_modified(long_ago).unwrap();
        remove_interrupted_creations(&root);
        assert!(!unlocked.exists());
    }
}
