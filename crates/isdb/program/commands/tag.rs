//! `isdb tag`: keeps a state of the database under a name, deletes a name, or lists the names.

use std::sync::Arc;

use crate::time::format_milliseconds;
use crate::{Database, Location, Tag, delete_tag, tag};
use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};

use crate::program::cli::{Format, TagArgs};
use crate::program::error::CliError;
use crate::program::exit_code::SUCCESS;
use crate::program::output;
use crate::program::settings::Settings;

pub(crate) async fn run(arguments: TagArgs, settings: Settings) -> Result<u8, CliError> {
    let location = &settings.location;
    match arguments.name {
        None => list(location, arguments.format.unwrap_or(Format::Table)).await?,
        Some(name) if arguments.delete => {
            delete_tag(location, &name).await?;
            eprintln!("deleted: {name}; `isdb vacuum` deletes the files that only this tag kept");
        }
        Some(name) => {
            let Tag { commit, timestamp } = tag(location, &name, arguments.at.as_ref()).await?;
            eprintln!("{name}: commit {commit} at {timestamp} ({})", format_milliseconds(timestamp));
        }
    }
    Ok(SUCCESS)
}

/// Prints a row for each tag.
async fn list(location: &Location, format: Format) -> Result<(), CliError> {
    let database = Database::open_location(location).await?;
    let (tags, costs) = (database.tags(), database.tag_costs().await?);
    let numbers = |number: &dyn Fn(&Tag) -> u64| -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(tags.values().map(number)))
    };
    let times = tags.values().map(|tag| format_milliseconds(tag.timestamp));
    let bytes = tags.keys().map(|name| costs.by_tag.get(name).copied().unwrap_or(0));
    let rows = RecordBatch::try_from_iter([
        ("tag", Arc::new(StringArray::from_iter_values(tags.keys())) as ArrayRef),
        ("time", Arc::new(StringArray::from_iter_values(times))),
        ("at", numbers(&|tag| tag.timestamp)),
        ("commit", numbers(&|tag| tag.commit)),
        ("kept_bytes", Arc::new(UInt64Array::from_iter_values(bytes))),
    ])?;
    let count = output::write_batch(rows, format).await?;
    eprintln!("tags: {count}; `isdb tag NAME` keeps the newest state");
    Ok(())
}
