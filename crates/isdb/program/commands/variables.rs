//! `isdb variables`: the variables of the product, their meaning, and which ones a database stores.

use std::sync::Arc;

use crate::{Database, Location, Variable, search_variables};
use arrow::array::{ArrayRef, RecordBatch, StringArray};

use crate::program::cli::{Format, Variables};
use crate::program::error::CliError;
use crate::program::exit_code::SUCCESS;
use crate::program::output;

mod columns;
mod details;
mod leading;

pub(crate) async fn run(arguments: Variables, location: Option<Location>) -> Result<u8, CliError> {
    if let Some(column) = arguments.pattern.as_deref().and_then(leading::find_column) {
        return leading::print(&column, location.is_some(), arguments.format).await;
    }
    let found = search_variables(arguments.pattern.as_deref())?;
    let is_of_release =
        |variable: &&Variable| arguments.release.is_none_or(|release| variable.releases.contains(release));
    let (found, others): (Vec<&Variable>, Vec<&Variable>) = found.into_iter().partition(is_of_release);
    if found.is_empty() && !others.is_empty() {
        let releases = others.iter().map(|variable| {
            let releases = variable.releases.names().collect::<Vec<_>>().join(", ");
            format!("{} is of release {releases} only", variable.name)
        });
        return Err(CliError::Message(releases.collect::<Vec<_>>().join("; ")));
    }
    let stored = stored_variables(location.as_ref()).await?;
    match (found.as_slice(), arguments.pattern, arguments.format) {
        ([variable], Some(_), None) => {
            let is_stored = stored.map(|stored| stored.contains(variable));
            output::print(&details::describe(variable, is_stored))?;
        }
        (found, _, format) => {
            let batch = rows(found, stored.as_deref())?;
            let count = output::write_batch(batch, format.unwrap_or(Format::Table)).await?;
            eprintln!("variables: {count}");
        }
    }
    Ok(SUCCESS)
}

/// Returns the variables that the database stores; None, with a note, if it does not exist yet.
async fn stored_variables(location: Option<&Location>) -> Result<Option<Vec<&'static Variable>>, CliError> {
    let Some(location) = location else { return Ok(None) };
    match Database::open_location(location).await {
        Err(crate::Error::Store(error @ isdb_store::Error::NotFound { .. })) => {
            eprintln!("note: {error}");
            Ok(None)
        }
        opened => Ok(Some(opened?.variables())),
    }
}

/// Returns a row for each variable.
pub(crate) fn rows(found: &[&Variable], stored: Option<&[&Variable]>) -> Result<RecordBatch, CliError> {
    let column = |text: &dyn Fn(&Variable) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(found.iter().map(|variable| text(variable))))
    };
    let mut cells = vec![
        ("name", column(&|variable| variable.name.to_owned())),
        ("path", column(&|variable| variable.path.to_owned())),
        ("type", column(&columns::type_name)),
        ("units", column(&|variable| variable.units.to_owned())),
        ("vertical_reference", column(&|variable| columns::vertical_reference(variable).to_owned())),
        ("releases", column(&columns::releases)),
    ];
    if let Some(stored) = stored {
        let is_stored = |variable: &Variable| stored.iter().any(|stored| stored.name == variable.name);
        let text = |variable: &Variable| if is_stored(variable) { "yes" } else { "no" };
        cells.push(("stored", column(&|variable| text(variable).to_owned())));
    }
    cells.push(("description", column(&|variable| variable.description.to_owned())));
    Ok(RecordBatch::try_from_iter(cells)?)
}
