//! Paths of downloaded files, and of the files beside them.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The suffix of a partial file.
pub(super) const PARTIAL_SUFFIX: &str = ".part";

/// Returns where a file is downloaded to: `<folder>/<name without extension>/<name>`.
///
/// # Errors
/// [`Error::InvalidFileName`] if `name` is not a plain file name.
pub fn download_path(folder: &Path, name: &str) -> Result<PathBuf> {
    let is_plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    let stem = Path::new(name).file_stem().filter(|_| is_plain && !name.ends_with(PARTIAL_SUFFIX));
    Ok(folder.join(stem.ok_or_else(|| Error::InvalidFileName { name: name.to_owned() })?).join(name))
}

/// Returns `path` with `suffix` appended to its name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_outside_the_folder() {
        let folder = Path::new("data");
        assert_eq!(download_path(folder, "ATL08_x.h5").unwrap(), Path::new("data/ATL08_x/ATL08_x.h5"));
        for name in ["", ".", "..", "../x.h5", "/etc/passwd", "a/b.h5", ".h5", "a\\b.h5", "x.h5.part"] {
            assert!(matches!(download_path(folder, name), Err(Error::InvalidFileName { .. })), "{name}");
        }
    }
}
