//! More of the product's variables for an existing database.

use isdb_schema::catalogue::Variable;
use isdb_schema::segments::LEADING_VARIABLES;
use isdb_store::{Database, Location, Writer, stored_variables};

use crate::clock::now_ms;
use crate::error::Result;

/// What became of the variables that were asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Added {
    /// Those that the database stored already.
    pub had: Vec<&'static Variable>,
    /// Those that it stores from now on; NULL in the segments from before.
    pub new: Vec<&'static Variable>,
}

/// Adds to the database at `location` those of the `wanted` variables that it does not store.
///
/// # Errors
/// When there is no database, another writer holds it, or it cannot be written.
pub async fn add_variables(location: &Location, wanted: &[&'static Variable]) -> Result<Added> {
    let database = Database::open(location).await?;
    let stored = stored_variables(&database.snapshot().await?);
    let is_stored = |variable: &&'static Variable| {
        LEADING_VARIABLES.contains(&variable.name) || stored.iter().any(|stored| stored.name == variable.name)
    };
    let (had, new): (Vec<_>, Vec<_>) = wanted.iter().copied().partition(is_stored);
    if !new.is_empty() {
        let mut writer = Writer::take_over(&database, now_ms()).await?;
        writer.add_variables(&new, now_ms()).await?;
    }
    Ok(Added { had, new })
}
