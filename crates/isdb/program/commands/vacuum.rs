//! `isdb vacuum`: deletes files that no current state of the database needs.

use crate::vacuum;

use crate::program::cli::Vacuum;
use crate::program::error::CliError;
use crate::program::exit_code::SUCCESS;
use crate::program::settings::Settings;
use crate::program::units::megabytes;

pub(crate) async fn run(arguments: Vacuum, settings: Settings) -> Result<u8, CliError> {
    let older_than_ms = arguments.older_than.unwrap_or(settings.config.consolidate.keep_ms);
    let deleted = vacuum(&settings.location, older_than_ms).await?;
    eprintln!("removed: {} fragments, {} files, {:.1} MB", deleted.fragments, deleted.files, megabytes(deleted.bytes));
    Ok(SUCCESS)
}
