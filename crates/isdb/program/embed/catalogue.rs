//! What is known without a database: the variables of the product, the filters, and which events may be logged.

use arrow::array::RecordBatch;
use tracing::Metadata;

use crate::program::commands::{filters, variables};
use crate::program::embed::failure::Failure;
use crate::program::logs::is_safe;
use crate::{Variable, search_variables};

/// Returns a row for each variable of the product: name, HDF5 path, type, units, vertical reference, releases and description; with `stored`
/// also whether it is among these.
///
/// # Errors
/// Never, for the built-in catalogue.
pub fn variable_rows(stored: Option<&[&Variable]>) -> Result<RecordBatch, Failure> {
    Ok(variables::rows(&search_variables(None)?, stored)?)
}

/// Returns a row for each filter: name, releases, parameters and what it keeps.
///
/// # Errors
/// Never, for the built-in filters.
pub fn filter_rows() -> Result<RecordBatch, Failure> {
    Ok(filters::rows()?)
}

/// Whether an event of the log cannot contain credentials: below WARN only events of isdb are logged.
#[must_use]
pub fn is_safe_event(event: &Metadata<'_>) -> bool {
    is_safe(event)
}
