//! `isdb init` and `isdb config`: writes a config to start from, and validates one.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use isdb::filters::describe;
use isdb::selection_request;
use isdb_schema::config::{SHIPPED, json_schema};

use crate::error::{CliError, print_warning};
use crate::exit_code::SUCCESS;
use crate::output;
use crate::settings::read_config;

/// Writes the shipped config to `path`.
pub(crate) fn init(path: &Path) -> Result<u8, CliError> {
    let failed = |source| CliError::Write { path: path.to_path_buf(), source };
    let mut file = File::create_new(path).map_err(failed)?;
    file.write_all(SHIPPED.as_bytes()).map_err(failed)?;
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
