//! `isdb vacuum`: deletes files that no current state of the database needs.

use isdb::vacuum;

use crate::cli::Vacuum;
use crate::error::CliError;
use crate::exit_code::SUCCESS;
use crate::settings::Settings;
use crate::units::megabytes;

pub(crate) async fn run(arguments: Vacuum, settings: Settings) -> Result<u8, CliError> {
    let older_than_ms = arguments.older_than.unwrap_or(settings.config.consolidate.keep_ms);
    let deleted = vacuum(&settings.location, older_than_ms).await?;
    eprintln!("removed: {} fragments, {} files, {:.1} MB", deleted.fragments, deleted.files, megabytes(deleted.bytes));
    Ok(SUCCESS)
}
