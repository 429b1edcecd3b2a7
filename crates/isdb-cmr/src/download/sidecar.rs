//! The sidecar `<name>.part.json` of a partial file: the version that its bytes belong to, and how many of them survive a power
//! failure.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::download::filesystem::sync_parent_folder;
use crate::download::paths::with_suffix;
use crate::download::version::Version;

/// The content of a sidecar.
#[derive(Serialize, Deserialize)]
pub(super) struct Sidecar {
    #[serde(flatten)]
    pub(super) version: Version,
    /// The number of bytes that were synced to disk.
    #[serde(default)]
    pub(super) synced: u64,
    /// The boot during which the other bytes were written: until the next one, the operating system keeps them.
    #[serde(default)]
    pub(super) boot: Option<String>,
}

/// Returns the id of the current boot; None if the operating system has none.
pub(super) fn boot_id() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|text| text.trim().to_owned())
}

/// Replaces the file at `path` in one step, and syncs it. Symbolic links are not followed.
///
/// The temporary file has a fixed name, unlike those of the `tempfile` crate, so that a killed process leaves at most one of
/// them, which the next process replaces.
pub(super) fn replace_synced(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let new = with_suffix(path, ".new");
    create_new(&new, content)?.sync_all()?;
    std::fs::rename(&new, path)?;
    sync_parent_folder(path)
}

/// Replaces the file at `path` like [`replace_synced`], except that a power failure may leave the old content, or none.
pub(super) fn replace_unsynced(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let new = with_suffix(path, ".new");
    create_new(&new, content)?;
    std::fs::rename(&new, path)
}

/// Creates a file with this content, after deleting an existing one.
fn create_new(path: &Path, content: &[u8]) -> std::io::Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(content)?;
    Ok(file)
}
