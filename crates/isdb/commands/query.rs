//! `isdb query`: one SQL statement over a snapshot of the database, its rows streamed to standard output or a file.

use std::path::PathBuf;
use std::time::Instant;

use crate::cli::{Format, Query};
use crate::failure::{Failure, SUCCESS};
use crate::output;
use crate::settings::Settings;

pub(crate) async fn run(arguments: Query, settings: Settings) -> Result<u8, Failure> {
    let sql = match (&arguments.sql, &arguments.file) {
        (Some(sql), _) => sql.clone(),
        (None, Some(path)) => read(path)?,
        (None, None) => String::new(),
    };
    let format = format_of(&arguments)?;
    let started = Instant::now();
    let context = isdb_datafusion::open(&settings.location, arguments.at).await?;
    let rows = context.sql(&sql).await?.execute_stream().await?;
    let count = output::write(rows, format, arguments.output).await?;
    eprintln!("rows: {count}, seconds: {:.3}", started.elapsed().as_secs_f64());
    Ok(SUCCESS)
}

fn read(path: &PathBuf) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|source| Failure::Read { path: path.clone(), source })
}

/// The format asked for, else the one that the output file's ending says.
fn format_of(arguments: &Query) -> Result<Format, Failure> {
    if let Some(format) = arguments.format {
        return Ok(format);
    }
    let Some(path) = &arguments.output else { return Ok(Format::Table) };
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => Ok(Format::Csv),
        Some("json") => Ok(Format::Json),
        Some("txt") => Ok(Format::Table),
        _ => Err(Failure::UnknownEnding { path: path.clone() }),
    }
}
