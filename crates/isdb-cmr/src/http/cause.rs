//! The root cause of an error of the HTTP client.

use std::error::Error;

use isdb_schema::printable::Printable;

/// Returns the message of the innermost cause: the outer errors only name the layers that it passed through. The message may
/// quote the server, for example a name in its certificate, so its control characters are escaped.
pub(crate) fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    Printable(&cause.to_string()).to_string()
}
