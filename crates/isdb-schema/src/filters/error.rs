//! The error of a list of filters.

/// A list of filters that cannot be parsed; the text gives the reason and a correction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FilterError(pub(crate) String);
