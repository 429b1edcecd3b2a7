//! HTTP helpers that searches, logins and downloads share.

pub(crate) mod body;
pub(crate) mod cause;
pub(crate) mod headers;
pub(crate) mod redirect;
pub(crate) mod url;

/// The `User-Agent` of every request.
pub(crate) const USER_AGENT: &str = concat!("isdb/", env!("CARGO_PKG_VERSION"));
