//! The error of a config.

use serde_yaml::Location;

/// An invalid config.
#[derive(Debug, thiserror::Error)]
#[error("{file}{}: {problem}", position(*.at))]
#[non_exhaustive]
pub struct ConfigError {
    /// The file, as the user named it.
    pub file: String,
    /// Line and column, both from 1, if the parser knows them.
    pub at: Option<(u64, u64)>,
    /// The reason, with what was expected.
    pub problem: String,
}

fn position(at: Option<(u64, u64)>) -> String {
    at.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default()
}

/// Line and column of a place, both from 1.
pub(super) fn line_and_column(at: Location) -> (u64, u64) {
    (at.line(), at.column())
}
