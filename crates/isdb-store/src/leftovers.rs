//! Databases that a process was creating when it died: `.NAME.creating-UUID` beside the database. The creator holds the lock in
//! that folder until the folder has its final name, so that one without a holder is nobody's.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use crate::location::{GRANULES, Location, SEGMENTS, STAGING};
use crate::lock::{LOCK, Lock};

/// How old a folder must be where locks cannot tell whether its creator lives. A creation takes less than a second.
const STALE: Duration = Duration::from_secs(3_600);

/// What a database that is being created may hold. A folder with anything else is not ours.
const PARTS: [&str; 8] = [SEGMENTS, GRANULES, STAGING, "commits", LOCK, "__group", "__meta", "__tiledb_group.tdb"];

/// A new name for the database at `root` while it is created; None where `root` has no name.
pub(crate) fn staged_name(root: &Path) -> Option<PathBuf> {
    let name = root.file_name()?.to_string_lossy();
    Some(root.with_file_name(format!("{}{}", prefix(&name), Uuid::new_v4())))
}

/// Removes what dead creators of the database at `location` left. Nothing depends on it: what cannot be removed stays.
pub(crate) fn sweep(location: &Location) {
    let root = location.root();
    let (Some(name), Some(parent)) = (root.file_name(), root.parent()) else { return };
    let prefix = prefix(&name.to_string_lossy());
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_named = name.to_str().and_then(|name| name.strip_prefix(&prefix)).is_some_and(is_uuid);
        if is_named && entry.file_type().is_ok_and(|kind| kind.is_dir()) && is_ours(&entry.path()) {
            remove_if_stale(&entry.path());
        }
    }
}

fn prefix(name: &str) -> String {
    format!(".{name}.creating-")
}

fn is_uuid(text: &str) -> bool {
    Uuid::try_parse(text).is_ok_and(|uuid| uuid.hyphenated().to_string() == text)
}

fn is_ours(path: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(path) else { return false };
    entries.flatten().all(|entry| entry.file_name().to_str().is_some_and(|name| PARTS.contains(&name)))
}

/// Removes `path` if its creator is dead. It is locked meanwhile, so that a creator that has just begun sees that it goes.
fn remove_if_stale(path: &Path) {
    let is_old = || {
        let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified());
        modified.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > STALE))
    };
    let (is_stale, lock) = match Lock::take_over(path) {
        Ok(lock) => (lock.is_some(), lock),
        Err(_) => (is_old(), None),
    };
    if is_stale {
        let removed = std::fs::remove_dir_all(path);
        tracing::info!(folder = %path.display(), ?removed, "left by a creation that was interrupted");
    }
    drop(lock);
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_a_dead_creator_left_goes_and_what_a_live_one_or_a_user_has_stays() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::parse(folder.path().join("db").to_str().unwrap()).unwrap();
        let staged = || staged_name(location.root()).unwrap();
        let [dead, alive, unlocked, foreign, other] = [staged(), staged(), staged(), staged(), staged()];
        let other = other.with_file_name(".other.creating-6f1f6a06-6ad3-4ea2-8c29-8c9c8a2b7d1e");
        let named_by_hand = folder.path().join(".db.creating-notes");
        for path in [&dead, &alive, &unlocked, &foreign, &other, &named_by_hand] {
            fs::create_dir_all(path.join("segments/__commits")).unwrap();
        }
        for path in [&dead, &alive, &foreign, &other] {
            fs::write(path.join("lock"), "").unwrap();
        }
        fs::write(foreign.join("thesis.tex"), "").unwrap();
        let _held = Lock::take(&Location::parse(alive.to_str().unwrap()).unwrap()).unwrap();
        sweep(&location);
        assert!(!dead.exists(), "its creator is dead");
        for path in [&alive, &unlocked, &foreign, &other, &named_by_hand] {
            assert!(path.exists(), "{}", path.display());
        }
        // A creator that died before it had its lock.
        let long_ago = SystemTime::now() - 2 * STALE;
        fs::File::open(&unlocked).unwrap().set_modified(long_ago).unwrap();
        sweep(&location);
        assert!(!unlocked.exists());
    }
}
