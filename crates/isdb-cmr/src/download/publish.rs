//! Verification of a complete partial file, and the rename to its final name.

use std::fs::File;
use std::io::ErrorKind;

use crate::download::checksum::ChecksumAlgorithm;
use crate::download::filesystem::{blocking, rename_without_replacing, sync_parent_folder};
use crate::download::format::FileFormat;
use crate::download::partial::PartialFile;
use crate::download::record::{self, Record};
use crate::download::verify::find_defect;
use crate::error::{Error, Result};

/// The result of publishing a partial file.
pub(super) enum Publication {
    /// The file has its final name.
    Done,
    /// The bytes differ from the announced file, for this reason; they are still in the partial file.
    Defective(String),
}

/// Verifies `partial` and renames it to its target, which is replaced only if `may_replace` is true and isdb downloaded it.
///
/// # Errors
/// [`Error::Occupied`] if another file has got the name in the meantime, [`Error::Io`].
pub(super) async fn publish(
    partial: &mut PartialFile,
    format: FileFormat,
    length: Option<u64>,
    checksum: Option<&(ChecksumAlgorithm, String)>,
    may_replace: bool,
) -> Result<Publication> {
    partial.flush().await?;
    let (path, checksum) = (partial.path().to_path_buf(), checksum.cloned());
    let defect = blocking(partial.path(), move || find_defect(&path, &format, length, checksum.as_ref()));
    if let Some(defect) = defect.await? {
        return Ok(Publication::Defective(defect));
    }
    partial.sync().await?;
    let [path, target, sidecar] =
        [partial.path(), partial.target(), partial.sidecar()].map(std::path::Path::to_path_buf);
    let url = partial.version().map(|version| version.url.clone());
    let is_renamed = blocking(partial.path(), move || {
        // The user may have put another file there in the meantime.
        let may_replace = may_replace && record::is_downloaded(&target);
        // The record is written first, so that a killed process leaves no file that looks like the user's.
        record::write(&target, &Record::new(&File::open(&path)?.metadata()?, url))?;
        match may_replace {
            true => std::fs::rename(&path, &target)?,
            false if !rename_without_replacing(&path, &target)? => {
                record::delete(&target);
                return Ok(false);
            }
            false => {}
        }
        sync_parent_folder(&target)?;
        match std::fs::remove_file(&sidecar) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(true),
        }
    });
    match is_renamed.await? {
        true => Ok(Publication::Done),
        false => {
            let problem = "was created during the download".to_owned();
            Err(Error::Occupied { path: partial.target().to_path_buf(), problem })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::download::test_format::{FORMAT, file_of};
    use crate::download::version::Version;

    fn version(tag: &str, length: u64) -> Version {
        Version { url: "https://x/a.h5".to_owned(), etag: Some(tag.to_owned()), modified: None, length: Some(length) }
    }

    #[tokio::test]
    async fn a_defective_file_is_not_published() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a/a.h5");
        let mut partial = PartialFile::open(&target).unwrap();
        partial.restart(Some(version("\"2\"", 5))).await.unwrap();
        partial.append(b"other").await.unwrap();
        let publication = publish(&mut partial, FORMAT, Some(5), None, false).await.unwrap();
        assert!(matches!(publication, Publication::Defective(_)));
        assert_eq!(std::fs::read(partial.path()).unwrap(), b"other");
        assert!(!target.exists());
    }

    #[tokio::test]
    async fn a_verified_file_is_renamed_and_its_sidecar_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a/a.h5");
        let whole = file_of(36);
        let mut partial = PartialFile::open(&target).unwrap();
        partial.restart(Some(version("\"1\"", 36))).await.unwrap();
        partial.append(&whole).await.unwrap();
        assert!(matches!(publish(&mut partial, FORMAT, Some(36), None, false).await.unwrap(), Publication::Done));
        assert_eq!(std::fs::read(&target).unwrap(), whole);
        let visible = std::fs::read_dir(target.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
        let visible = visible.filter(|name| !name.to_string_lossy().starts_with('.'));
        assert_eq!(visible.collect::<Vec<_>>(), ["a.h5"]);
        // The published file is no longer locked, and a new partial file is a different one.
        let mut new = PartialFile::open(&target).unwrap();
        new.append(b"x").await.unwrap();
        new.flush().await.unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), whole);
    }

    #[tokio::test]
    async fn a_file_that_was_created_during_the_download_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a/a.h5");
        let whole = file_of(36);
        let mut partial = PartialFile::open(&target).unwrap();
        partial.restart(Some(version("\"1\"", 36))).await.unwrap();
        partial.append(&whole).await.unwrap();
        std::fs::write(&target, "mine").unwrap();
        assert!(matches!(publish(&mut partial, FORMAT, Some(36), None, false).await, Err(Error::Occupied { .. })));
        assert_eq!(std::fs::read(&target).unwrap(), b"mine");
        assert!(!record::is_downloaded(&target), "a file without a record is never deleted");
    }
}
