//! `isdb query`: statements from the command line, a file, a pipe or the prompt, over one state of the database. Their rows stream
//! to standard output or a file.

use std::io::{IsTerminal, Read};
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::program::cli::{DatabaseArgs, Format, Geometry, Query};
use crate::program::error::CliError;
use crate::program::exit_code::SUCCESS;
use crate::program::interrupt::Interrupts;
use crate::program::output::{self, FileOptions, GeometryChoice, SegmentShape, Target};
use crate::program::prompt;
use crate::program::session::{Session, Source, has_rows, statements};
use crate::program::settings::{Settings, array_location, query_options};

pub(crate) async fn run(arguments: Query, database: &DatabaseArgs, interrupts: &Interrupts) -> Result<u8, CliError> {
    let source = match &arguments.array {
        Some(array) => Source::Array(array_location(database, array)?),
        None => Source::Database(Settings::resolve(database)?.location),
    };
    let output = arguments.output.as_deref();
    let format = Format::choose(arguments.format, output)?;
    let options = Arc::new(query_options(source, &arguments.read)?);
    if has_prompt(&arguments) {
        if output.is_some() || format.is_binary() {
            return Err(CliError::OutputOfPrompt);
        }
        return prompt::run(&options, arguments.read.state.at.as_ref(), format, interrupts).await;
    }
    let (text, origin) = text(&arguments)?;
    let statements = statements(&text);
    let Some((first, others)) = statements.split_first() else { return Err(CliError::NoStatement { origin }) };
    let single = output.map(|path| path.display().to_string());
    let single = single.or_else(|| format.is_binary().then(|| "standard output".to_owned()));
    let count = statements.iter().filter(|statement| has_rows(statement)).count();
    if let (Some(target), true) = (single, count > 1) {
        return Err(CliError::OneStatementOnly { count, target });
    }
    let file_options = FileOptions { is_flat: arguments.flatten, is_compatible: arguments.compatible };
    let target = Target { format, file: output, geometry: geometry(&arguments), options: file_options };
    if let (0, Some(path)) = (count, output) {
        return Err(CliError::Message(format!("no statement has rows for {}", path.display())));
    }
    let engine = Handle::current();
    let start = async || {
        let session = Session::open(&options, arguments.read.state.at.as_ref()).await?;
        let started = session.start(first, &engine).await?;
        Ok((session, started))
    };
    let (session, started) = match start().await {
        // No row has been written yet, so the newest state can be opened instead.
        Err(error) if CliError::is_expired(&error) => start().await?,
        result => result?,
    };
    session.write(started, &target).await?;
    let mut is_written = has_rows(first);
    for statement in others {
        if format == Format::Table && is_written && has_rows(statement) {
            output::print("\n")?;
        }
        let started = session.start(statement, &engine).await?;
        session.write(started, &target).await?;
        is_written |= has_rows(statement);
    }
    Ok(SUCCESS)
}

/// The geometry of the rows.
fn geometry(arguments: &Query) -> GeometryChoice {
    match (arguments.geometry, &arguments.geometry_columns) {
        (_, Some((longitude, latitude))) => {
            GeometryChoice::Named { longitude: longitude.clone(), latitude: latitude.clone() }
        }
        (Geometry::Point, None) => GeometryChoice::Stored,
        (Geometry::Line, None) => GeometryChoice::Segments(SegmentShape::Line),
        (Geometry::Footprint, None) => GeometryChoice::Segments(SegmentShape::Footprint),
        (Geometry::None, None) => GeometryChoice::None,
    }
}

/// Whether statements are read from a prompt.
pub(crate) fn has_prompt(arguments: &Query) -> bool {
    arguments.sql.is_none() && arguments.file.is_none() && std::io::stdin().is_terminal()
}

/// Returns the text of the statements, and its origin.
fn text(arguments: &Query) -> Result<(String, String), CliError> {
    match (&arguments.sql, &arguments.file) {
        (Some(sql), _) => Ok((sql.clone(), "the command line".to_owned())),
        (None, Some(path)) => {
            let text =
                std::fs::read_to_string(path).map_err(|source| crate::Error::Read { path: path.clone(), source })?;
            Ok((text, path.display().to_string()))
        }
        (None, None) => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(CliError::Stdin)?;
            Ok((text, "standard input".to_owned()))
        }
    }
}
