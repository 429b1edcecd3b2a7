//! Free disk space, checked before a download starts.

use std::path::Path;

use crate::download::paths::{PARTIAL_SUFFIX, download_path, with_suffix};
use crate::download::request::DownloadRequest;
use crate::error::{Error, Result};

/// Returns approximately how many bytes of `requests` are still to be downloaded into `folder`, as far as sizes are known. Existing
/// and partial files are subtracted.
#[must_use]
pub fn bytes_to_download<'a>(folder: &Path, requests: impl IntoIterator<Item = &'a DownloadRequest>) -> u64 {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let missing = |request: &DownloadRequest| {
        let (expected, target) = (request.expected_bytes()?, download_path(folder, &request.name).ok()?);
        // An estimate does not prove that an existing file is incomplete.
        if request.size.is_none() && target.exists() {
            return Some(0);
        }
        Some(expected.saturating_sub(length(&target).max(length(&with_suffix(&target, PARTIAL_SUFFIX)))))
    };
    requests.into_iter().filter_map(missing).fold(0, u64::saturating_add)
}

/// Whether `folder` contains a partial download of the file with this name, which the next download resumes.
#[must_use]
pub fn has_partial_download(folder: &Path, name: &str) -> bool {
    download_path(folder, name).is_ok_and(|target| with_suffix(&target, PARTIAL_SUFFIX).exists())
}

/// Checks that `bytes` more fit into `folder`, which is created if necessary.
///
/// # Errors
/// [`Error::NoSpace`], or [`Error::Io`] if the folder cannot be created or read.
pub fn check_free_space(bytes: u64, folder: &Path) -> Result<()> {
    let free = free_bytes(folder)?;
    match bytes <= free {
        true => Ok(()),
        false => Err(Error::NoSpace { path: folder.to_path_buf(), needed: bytes, free }),
    }
}

/// Returns the number of free bytes on the disk of `folder`, which is created if necessary.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be created or read.
pub fn free_bytes(folder: &Path) -> Result<u64> {
    std::fs::create_dir_all(folder).map_err(|source| Error::folder(folder, source))?;
    free_bytes_at(folder)
}

/// Returns the number of free bytes on the disk of the existing file or folder at `path`.
pub(super) fn free_bytes_at(path: &Path) -> Result<u64> {
    let disk = rustix::fs::statvfs(path).map_err(|source| Error::io(path, source.into()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn existing_bytes_are_subtracted_and_too_large_downloads_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let request = |name: &str, size| DownloadRequest {
            name: name.to_owned(),
            url: "https://x.example/a".parse().unwrap(),
            size,
            estimate: None,
            checksum: None,
        };
        let estimated = |name: &str, bytes| DownloadRequest { estimate: Some(bytes), ..request(name, None) };
        let all = [
            request("a.h5", Some(100)),
            request("b.h5", Some(50)),
            request("c.h5", None),
            request("d.h5", Some(7)),
            estimated("e.h5", 1000),
            estimated("f.h5", 500),
        ];
        for (path, length) in [("a/a.h5", 100), ("b/b.h5.part", 20), ("f/f.h5", 490)] {
            let path = folder.path().join(path);
            std::fs::create_dir(path.parent().unwrap()).unwrap();
            std::fs::write(path, vec![0; length]).unwrap();
        }
        assert_eq!(bytes_to_download(folder.path(), &all), 37 + 1000);
        check_free_space(37, &folder.path().join("new/folder")).unwrap();
        assert!(matches!(check_free_space(u64::MAX, folder.path()), Err(Error::NoSpace { .. })));
    }
}
