//! Whether what is wanted fits on the disk, asked before the first byte is.

use std::path::Path;

use crate::download::names::{ENDING, with_ending};
use crate::download::{Wanted, file_of};
use crate::error::{Error, Result};

/// About how many bytes of `wanted` are not in `folder` yet, as far as sizes are known; unfinished files count for what they
/// hold, and whole files of about the expected size for all of it.
#[must_use]
pub fn missing_bytes<'a>(folder: &Path, wanted: impl IntoIterator<Item = &'a Wanted>) -> u64 {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let missing = |wanted: &Wanted| {
        let (about, target) = (wanted.about()?, file_of(folder, &wanted.name).ok()?);
        // An estimate cannot show that a whole file is short.
        if wanted.size.is_none() && target.exists() {
            return Some(0);
        }
        Some(about.saturating_sub(length(&target).max(length(&with_ending(&target, ENDING)))))
    };
    wanted.into_iter().filter_map(missing).fold(0, u64::saturating_add)
}

/// Whether bytes of a file of this name wait in `folder` for the rest.
#[must_use]
pub fn is_unfinished(folder: &Path, name: &str) -> bool {
    file_of(folder, name).is_ok_and(|target| with_ending(&target, ENDING).exists())
}

/// Fails when `bytes` more do not fit into `folder`, which is created if need be.
///
/// # Errors
/// [`Error::NoSpace`], or [`Error::Io`] when the folder cannot be created or looked at.
pub fn room_for(bytes: u64, folder: &Path) -> Result<()> {
    let free = free_bytes(folder)?;
    match bytes <= free {
        true => Ok(()),
        false => Err(Error::NoSpace { path: folder.to_path_buf(), needed: bytes, free }),
    }
}

/// How many bytes are free where `folder` is, which is created if need be.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be created or looked at.
pub fn free_bytes(folder: &Path) -> Result<u64> {
    std::fs::create_dir_all(folder).map_err(|source| Error::folder(folder, source))?;
    free(folder)
}

/// How many bytes fit beside the file or folder at `path`.
pub(super) fn free(path: &Path) -> Result<u64> {
    let disk = rustix::fs::statvfs(path).map_err(|source| Error::io(path, source.into()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_needs_no_room_and_what_does_not_fit_is_told_before_it_is_fetched() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = |name: &str, size| Wanted {
            name: name.to_owned(),
            url: "https://x.example/a".parse().unwrap(),
            size,
            estimate: None,
            checksum: None,
        };
        let about = |name: &str, bytes| Wanted { estimate: Some(bytes), ..wanted(name, None) };
        let all = [
            wanted("a.h5", Some(100)),
            wanted("b.h5", Some(50)),
            wanted("c.h5", None),
            wanted("d.h5", Some(7)),
            about("e.h5", 1000),
            about("f.h5", 500),
        ];
        for (path, length) in [("a/a.h5", 100), ("b/b.h5.part", 20), ("f/f.h5", 490)] {
            let path = folder.path().join(path);
            std::fs::create_dir(path.parent().unwrap()).unwrap();
            std::fs::write(path, vec![0; length]).unwrap();
        }
        assert_eq!(missing_bytes(folder.path(), &all), 37 + 1000);
        room_for(37, &folder.path().join("new/folder")).unwrap();
        assert!(matches!(room_for(u64::MAX, folder.path()), Err(Error::NoSpace { .. })));
    }
}
