//! `isdb add-variable`: adds variables of the product to an existing database.

use crate::{AddedVariables, Variable, add_variables};

use crate::program::cli::AddVariable;
use crate::program::error::CliError;
use crate::program::exit_code::SUCCESS;
use crate::program::settings::Settings;

pub(crate) async fn run(arguments: AddVariable, settings: Settings) -> Result<u8, CliError> {
    let AddedVariables { already_stored: had, added: new, .. } =
        add_variables(&settings.location, &arguments.names).await?;
    if !had.is_empty() {
        eprintln!("stored already: {}", names(&had));
    }
    if !new.is_empty() {
        eprintln!("added: {}", names(&new));
        eprintln!("segments stored before have NULL in them until their granules are ingested again");
    }
    Ok(SUCCESS)
}

fn names(variables: &[&Variable]) -> String {
    variables.iter().map(|variable| variable.name).collect::<Vec<_>>().join(", ")
}
