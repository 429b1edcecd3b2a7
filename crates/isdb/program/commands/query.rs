//! `isdb query`: statements over a snapshot of the database, from the command line, a file, a pipe or a prompt; their rows
//! stream to standard output or a file.

use std::io::{IsTerminal, Read};
use std::sync::Arc;

use isdb_query::ViewOptions;
use isdb_schema::filters::{NONE, choose, describe};
use tokio::runtime::Handle;

use crate::cli::{Format, Query};
use crate::failure::{Failure, SUCCESS};
use crate::interrupt::Interrupts;
use crate::output;
use crate::prompt;
use crate::session::{Session, has_rows, statements};
use crate::settings::{Settings, region_and_period};

pub(crate) async fn run(arguments: Query, settings: Settings, interrupts: &Interrupts) -> Result<u8, Failure> {
    let output = arguments.output.as_deref();
    let format = Format::choose(arguments.format, output)?;
    let filters = choose(arguments.filters.as_deref().unwrap_or(NONE))?;
    let (region, period) = region_and_period(&arguments.place)?;
    if !filters.is_empty() {
        eprintln!("filters: {} (in atl08)", describe(&filters));
    }
    if !period.is_everything() {
        eprintln!("period: {period} (in atl08)");
    }
    let shown = Arc::new(ViewOptions { filters, region, period });
    let resources = arguments.resources();
    if !resources.temp.is_dir() {
        let (path, source) = (resources.temp, std::io::ErrorKind::NotADirectory.into());
        return Err(Failure::Temp { path, source });
    }
    if has_prompt(&arguments) {
        if output.is_some() || format.is_binary() {
            return Err(Failure::OutputOfPrompt);
        }
        return prompt::run(&settings.location, arguments.at, &shown, &resources, format, interrupts).await;
    }
    let (text, whence) = text(&arguments)?;
    let statements = statements(&text);
    let Some((first, others)) = statements.split_first() else { return Err(Failure::NoStatement { whence }) };
    let place = output.map(|path| path.display().to_string());
    let place = place.or_else(|| format.is_binary().then(|| "standard output".to_owned()));
    let count = statements.iter().filter(|statement| has_rows(statement)).count();
    if let (Some(place), true) = (place, count > 1) {
        return Err(Failure::OneStatementOnly { count, place });
    }
    if let (0, Some(path)) = (count, output) {
        return Err(Failure::Refused(format!("no statement has rows for {}", path.display())));
    }
    let engine = Handle::current();
    let begin = async || {
        let session = Session::open(&settings.location, arguments.at, &shown, &resources).await?;
        let started = session.start(first, &engine).await?;
        Ok((session, started))
    };
    let (session, started) = match begin().await {
        // Nothing was given out: the state of now does as well.
        Err(failure) if Failure::is_expired(&failure) => begin().await?,
        begun => begun?,
    };
    session.write(started, format, output).await?;
    let mut written = has_rows(first);
    for statement in others {
        if format == Format::Table && written && has_rows(statement) {
            output::print("\n")?;
        }
        let started = session.start(statement, &engine).await?;
        session.write(started, format, output).await?;
        written |= has_rows(statement);
    }
    Ok(SUCCESS)
}

/// Whether a person is asked for statements.
pub(crate) fn has_prompt(arguments: &Query) -> bool {
    arguments.sql.is_none() && arguments.file.is_none() && std::io::stdin().is_terminal()
}

/// The statements to run, and where they are from.
fn text(arguments: &Query) -> Result<(String, String), Failure> {
    match (&arguments.sql, &arguments.file) {
        (Some(sql), _) => Ok((sql.clone(), "the command line".to_owned())),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path).map_err(|source| Failure::Read { path: path.clone(), source })?;
            Ok((text, path.display().to_string()))
        }
        (None, None) => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(Failure::Stdin)?;
            Ok((text, "standard input".to_owned()))
        }
    }
}
