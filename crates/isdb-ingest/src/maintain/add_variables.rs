//! Adds variables of the product to an existing database.

use isdb_schema::catalogue::Variable;
use isdb_schema::segments::LEADING_VARIABLES;
use isdb_store::{Database, Location, Writer, stored_variables};

use crate::clock::now_ms;
use crate::error::Result;

/// The requested variables, divided by whether the database stored them before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddedVariables {
    /// The variables that the database stored before.
    pub already_stored: Vec<&'static Variable>,
    /// The variables that were added. They are NULL in earlier segments.
    pub added: Vec<&'static Variable>,
}

/// Adds the `variables` that the database at `location` does not store yet.
///
/// # Errors
/// When the database does not exist, another process is writing, or it cannot be written.
pub async fn add_variables(location: &Location, variables: &[&'static Variable]) -> Result<AddedVariables> {
    let database = Database::open(location).await?;
    let stored = stored_variables(&database.snapshot().await?);
    let is_stored = |variable: &&'static Variable| {
        LEADING_VARIABLES.contains(&variable.name) || stored.iter().any(|stored| stored.name == variable.name)
    };
    let (already_stored, added): (Vec<_>, Vec<_>) = variables.iter().copied().partition(is_stored);
    if !added.is_empty() {
        let mut writer = Writer::take_over(&database, now_ms()).await?;
        writer.add_variables(&added, now_ms()).await?;
    }
    Ok(AddedVariables { already_stored, added })
}
