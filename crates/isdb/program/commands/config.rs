//! `isdb init` and `isdb config`: writes a config to start from, and validates one.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::filters::describe;
use crate::selection_request;
use isdb_schema::config::{FromIcesat2db, SHIPPED, json_schema};

use crate::program::error::{CliError, print_warning};
use crate::program::exit_code::SUCCESS;
use crate::program::output;
use crate::program::settings::{read, read_config};

/// Writes the shipped config to `path`, or the one that is made of `from`, a config of icesat2db.
pub(crate) fn init(path: &Path, from: Option<&Path>) -> Result<u8, CliError> {
    let failed = |source| CliError::Write { path: path.to_path_buf(), source };
    let (text, notes) = match from {
        None => (SHIPPED.to_owned(), Vec::new()),
        Some(from) => {
            let converted = FromIcesat2db::parse(&from.to_string_lossy(), &read(from)?)?;
            (converted.text, converted.notes)
        }
    };
    let mut file = File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    notes.iter().for_each(|note| eprintln!("note: {note}"));
    eprintln!("written: {}", path.display());
    eprintln!("edit it, then: isdb ingest --config {} ...", path.display());
    Ok(SUCCESS)
}

/// Validates the config at `path`, and prints what it selects.
pub(crate) fn check(path: &Path) -> Result<u8, CliError> {
    let config = read_config(path)?;
    let selection = selection_request(&config).bind()?;
    selection.warnings().iter().for_each(print_warning);
    let derived: Vec<String> =
        selection.derived().iter().map(|field| format!("{} ({})", field.name(), field.data_type())).collect();
    let derived = if derived.is_empty() { "none".to_owned() } else { derived.join(", ") };
    let (path, variables, filters) = (path.display(), selection.variables().len(), describe(&selection.filters()));
    output::print(&format!("{path}: OK\nvariables  {variables}\nderived    {derived}\nfilters    {filters}\n"))?;
    Ok(SUCCESS)
}

/// Prints the JSON Schema of configs.
pub(crate) fn schema() -> Result<u8, CliError> {
    output::print(&json_schema())?;
    Ok(SUCCESS)
}
