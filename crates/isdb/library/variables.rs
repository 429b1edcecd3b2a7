//! Looks up variables of the product: by name, by pattern, and as stored by a database.

use isdb_schema::catalogue::{self, Variable};
use isdb_schema::segments::LEADING_VARIABLES;
use isdb_store::Snapshot;

use crate::library::error::{Error, Result};

/// Returns the variable called `name`: the product's name, or the plain name in the view `atl08`.
///
/// # Errors
/// [`Error::UnknownVariable`], with similar names.
pub fn find_variable(name: &str) -> Result<&'static Variable> {
    catalogue::named(name).ok_or_else(|| Error::unknown_variable(name))
}

/// Returns the variables whose name or HDF5 path contains `pattern`, or matches it if it is a pattern such as `h_te_*`, in
/// catalogue order; all variables for None.
///
/// # Errors
/// [`Error::UnknownVariable`] when no variable matches, with similar names.
pub fn search_variables(pattern: Option<&str>) -> Result<Vec<&'static Variable>> {
    let Some(pattern) = pattern else { return Ok(catalogue::variables().iter().collect()) };
    let found = catalogue::matching(pattern);
    if found.is_empty() { Err(Error::unknown_variable(pattern)) } else { Ok(found) }
}

/// Returns the variables that `snapshot` stores, including those in its leading columns.
pub(crate) fn stored_variables(snapshot: &Snapshot) -> Vec<&'static Variable> {
    let leading = LEADING_VARIABLES.into_iter().filter_map(catalogue::variable);
    leading.chain(isdb_store::stored_variables(snapshot)).collect()
}
