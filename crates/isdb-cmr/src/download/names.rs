//! Names of the files beside a wanted one.

use std::path::{Path, PathBuf};

/// What an unfinished file's name ends in.
pub(super) const ENDING: &str = ".part";

/// `target` with `ending` behind its name.
pub(super) fn with_ending(target: &Path, ending: &str) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    target.with_file_name(name)
}
