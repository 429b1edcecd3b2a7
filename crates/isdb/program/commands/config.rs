//! `isdb init` and `isdb config`: a config to start from, and whether one is right.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use isdb_schema::config::{SHIPPED, json_schema};
use isdb_schema::filters::describe;

use crate::failure::{self, Failure, SUCCESS};
use crate::output;
use crate::settings;

/// Writes the shipped config to `path`.
pub(crate) fn init(path: &Path) -> Result<u8, Failure> {
    let failed = |source| Failure::Write { path: path.to_path_buf(), source };
    let mut file = File::create_new(path).map_err(failed)?;
    file.write_all(SHIPPED.as_bytes()).map_err(failed)?;
    eprintln!("written: {}", path.display());
    eprintln!("change it, then: isdb ingest --config {} ...", path.display());
    Ok(SUCCESS)
}

/// Says whether the config at `path` is right, and what it asks for.
pub(crate) fn check(path: &Path) -> Result<u8, Failure> {
    let config = settings::read(path)?;
    let selection = settings::asked(&config).bind()?;
    selection.warnings().iter().for_each(failure::warn);
    let derived: Vec<String> =
        selection.derived().iter().map(|field| format!("{} ({})", field.name(), field.data_type())).collect();
    let derived = if derived.is_empty() { "none".to_owned() } else { derived.join(", ") };
    let (path, variables, filters) = (path.display(), selection.variables().len(), describe(&selection.filters()));
    output::print(&format!("{path}: right\nvariables  {variables}\nderived    {derived}\nfilters    {filters}\n"))?;
    Ok(SUCCESS)
}

/// Prints the JSON Schema of configs.
pub(crate) fn schema() -> Result<u8, Failure> {
    output::print(&json_schema())?;
    Ok(SUCCESS)
}
