//! `isdb add-variable`: gives an existing database more of the product's variables.

use std::time::{SystemTime, UNIX_EPOCH};

use isdb_schema::catalogue::{self, Variable};
use isdb_store::{Database, Writer};

use super::variables::stored_names;
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
    let database = Database::open(&settings.location).await?;
    let stored = stored_names(&database.snapshot().await?);
    let (had, new): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|variable| stored.contains(&variable.name));
    if !had.is_empty() {
        eprintln!("stored already: {}", names(&had));
    }
    if !new.is_empty() {
        let mut writer = Writer::take_over(&database, now_ms()).await?;
        writer.add_variables(&new, now_ms()).await?;
        eprintln!("added: {}", names(&new));
        eprintln!("segments stored before hold NULL there; granules ingested from now on bring values");
    }
    Ok(SUCCESS)
}

fn names(variables: &[&Variable]) -> String {
    variables.iter().map(|variable| variable.name).collect::<Vec<_>>().join(", ")
}

fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}
