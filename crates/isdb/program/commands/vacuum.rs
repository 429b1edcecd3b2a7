//! `isdb vacuum`: removes from disk what nobody can see any more.

use isdb_ingest::vacuum;

use crate::cli::Vacuum;
use crate::failure::{Failure, SUCCESS};
use crate::settings::Settings;

pub(crate) async fn run(arguments: Vacuum, settings: Settings) -> Result<u8, Failure> {
    let older_than_ms = arguments.older_than.unwrap_or(settings.config.consolidate.keep_ms);
    let gone = vacuum(&settings.location, older_than_ms).await?;
    eprintln!("removed: {} fragments, {} files, {:.1} MB", gone.fragments, gone.files, gone.bytes as f64 / 1e6);
    Ok(SUCCESS)
}
