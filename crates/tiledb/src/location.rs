//! Where a URI points to.

use std::path::Path;

/// The folder that a URI without scheme, or of a file, names.
pub(crate) fn local_folder(uri: &str) -> Option<&Path> {
    match uri.strip_prefix("file://") {
        Some(path) => Some(Path::new(path)),
        None => (!uri.contains("://")).then_some(Path::new(uri)),
    }
}
