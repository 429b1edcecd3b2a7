//! `isdb add-variable`: gives an existing database more of the product's variables.

use isdb_ingest::{AddedVariables, add_variables};
use isdb_schema::catalogue::{self, Variable};

use crate::cli::AddVariable;
use crate::failure::{Failure, SUCCESS};
use crate::settings::Settings;

pub(crate) async fn run(arguments: AddVariable, settings: Settings) -> Result<u8, Failure> {
    let mut wanted: Vec<&'static Variable> = Vec::new();
    for name in &arguments.names {
        let variable = catalogue::named(name).ok_or_else(|| Failure::no_such_variable(name))?;
        if !wanted.contains(&variable) {
            wanted.push(variable);
        }
    }
    let AddedVariables { already_stored: had, added: new } = add_variables(&settings.location, &wanted).await?;
    if !had.is_empty() {
        eprintln!("stored already: {}", names(&had));
    }
    if !new.is_empty() {
        eprintln!("added: {}", names(&new));
        eprintln!("segments stored before hold NULL there; a granule brings values when it is ingested, also again");
    }
    Ok(SUCCESS)
}

fn names(variables: &[&Variable]) -> String {
    variables.iter().map(|variable| variable.name).collect::<Vec<_>>().join(", ")
}
