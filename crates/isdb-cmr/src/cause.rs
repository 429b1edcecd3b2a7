//! What stands behind an error of the HTTP client, in the words of whoever noticed it first.

use std::error::Error;

/// The innermost cause of `error`: the layers above it say only where it passed through.
pub(crate) fn root(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
