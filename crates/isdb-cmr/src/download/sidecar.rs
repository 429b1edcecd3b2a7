//! `<name>.part.json`: which version of a file a `.part` is the beginning of, and how much of it outlives a power cut.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::download::lacking::sync_folder_of;
use crate::download::names::with_ending;

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

/// What the sidecar holds.
#[derive(Serialize, Deserialize)]
pub(super) struct Sidecar {
    #[serde(flatten)]
    pub(super) version: Version,
    /// Bytes that a sync has confirmed.
    #[serde(default)]
    pub(super) synced: u64,
    /// The boot during which the other bytes were written: while it lasts, the operating system keeps them.
    #[serde(default)]
    pub(super) boot: Option<String>,
}

/// The id of this boot of the machine; None where it has none.
pub(super) fn boot() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|text| text.trim().to_owned())
}

/// Gives the file at `path` this text, in one step and before anything else is written to the disk. No link is followed.
pub(super) fn replace(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let new = with_ending(path, ".new");
    written_new(&new, text)?.sync_all()?;
    std::fs::rename(&new, path)?;
    sync_folder_of(path)
}

/// As [`replace`], but a power cut may leave what was there before, or nothing.
pub(super) fn replace_unsynced(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let new = with_ending(path, ".new");
    written_new(&new, text)?;
    std::fs::rename(&new, path)
}

/// A new file with this text.
fn written_new(path: &Path, text: &[u8]) -> std::io::Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text)?;
    Ok(file)
}
