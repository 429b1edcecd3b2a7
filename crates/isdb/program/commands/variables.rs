//! `isdb variables`: what the product holds and what it means; where a database is named, also what of it is stored.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use isdb_schema::catalogue::{Variable, matching, variables};
use isdb_schema::segments::LEADING_VARIABLES;
use isdb_store::{Database, Location, Snapshot, stored_variables};

use crate::cli::{Format, Variables};
use crate::failure::{Failure, SUCCESS};
use crate::output;

mod block;
mod leading;

pub(crate) async fn run(arguments: Variables, location: Option<Location>) -> Result<u8, Failure> {
    if let Some(column) = arguments.pattern.as_deref().and_then(leading::column) {
        return leading::tell(&column, location.is_some(), arguments.format).await;
    }
    let found = match &arguments.pattern {
        None => variables().iter().collect(),
        Some(pattern) => matching(pattern),
    };
    let of_release = |variable: &&Variable| arguments.release.is_none_or(|release| variable.releases.contains(release));
    let (found, others): (Vec<&Variable>, Vec<&Variable>) = found.into_iter().partition(of_release);
    if found.is_empty() && !others.is_empty() {
        let told = others.iter().map(|variable| {
            let releases = variable.releases.names().collect::<Vec<_>>().join(", ");
            format!("{} is of release {releases} only", variable.name)
        });
        return Err(Failure::Refused(told.collect::<Vec<_>>().join("; ")));
    }
    let stored = match &location {
        None => None,
        Some(location) => stored_in(location).await?,
    };
    match (found.as_slice(), arguments.pattern, arguments.format) {
        ([], Some(pattern), _) => Err(Failure::no_such_variable(&pattern)),
        ([variable], Some(_), None) => {
            let stored = stored.map(|stored| stored.contains(&variable.name));
            output::print(&block::of(variable, stored))?;
            Ok(SUCCESS)
        }
        (found, _, format) => {
            let batch = rows(found, stored.as_deref())?;
            let count = output::write_batch(batch, format.unwrap_or(Format::Table)).await?;
            eprintln!("variables: {count}");
            Ok(SUCCESS)
        }
    }
}

/// The names of all variables that `snapshot` stores, those in its leading columns included.
fn stored_names(snapshot: &Snapshot) -> Vec<&'static str> {
    LEADING_VARIABLES.into_iter().chain(stored_variables(snapshot).iter().map(|variable| variable.name)).collect()
}

/// The names of what the database stores; None, told, where there is no database yet.
async fn stored_in(location: &Location) -> Result<Option<Vec<&'static str>>, Failure> {
    match Database::open(location).await {
        Err(error @ isdb_store::Error::NotFound { .. }) => {
            eprintln!("note: {error}");
            Ok(None)
        }
        opened => Ok(Some(stored_names(&opened?.snapshot().await?))),
    }
}

/// One row per variable.
fn rows(found: &[&Variable], stored: Option<&[&str]>) -> Result<RecordBatch, Failure> {
    let column = |text: &dyn Fn(&Variable) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(found.iter().map(|variable| text(variable))))
    };
    let mut columns = vec![
        ("name", column(&|variable| variable.name.to_owned())),
        ("path", column(&|variable| variable.path.to_owned())),
        ("type", column(&type_of)),
        ("units", column(&|variable| variable.units.to_owned())),
        ("vertical_reference", column(&|variable| vertical_of(variable).to_owned())),
        ("releases", column(&releases_of)),
    ];
    if let Some(stored) = stored {
        let told = |variable: &Variable| if stored.contains(&variable.name) { "yes" } else { "no" };
        columns.push(("stored", column(&|variable| told(variable).to_owned())));
    }
    columns.push(("description", column(&|variable| variable.description.to_owned())));
    Ok(RecordBatch::try_from_iter(columns)?)
}

fn type_of(variable: &Variable) -> String {
    let element = variable.dtype.arrow().to_string().to_lowercase();
    if variable.width > 1 { format!("list of {} {element}", variable.width) } else { element }
}

fn vertical_of(variable: &Variable) -> &'static str {
    variable.vertical.map_or("none", |vertical| vertical.as_str())
}

fn releases_of(variable: &Variable) -> String {
    variable.releases.names().collect::<Vec<_>>().join(" ")
}
