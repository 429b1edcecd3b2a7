//! `isdb search`: the granules of NASA's archive in a region and period, with their total size and the estimated size of a
//! database.

use crate::Location;

use crate::program::archive::search_archive;
use crate::program::cli::{Format, Search};
use crate::program::error::CliError;
use crate::program::exit_code::{SOME_FAILED, SUCCESS};
use crate::program::settings::region_and_period;

pub(crate) mod listing;
pub(crate) mod totals;

pub(crate) async fn run(arguments: Search, database: Option<Location>) -> Result<u8, CliError> {
    let format = Format::choose(arguments.format, arguments.output.as_deref())?;
    let (region, period) = region_and_period(&arguments.region)?;
    let found = search_archive(&arguments.search, region, period, database).await?;
    listing::write(&found.granules, format, arguments.output.as_deref()).await?;
    totals::print_problems(&found);
    totals::print_totals(&found);
    Ok(if found.unusable.is_empty() { SUCCESS } else { SOME_FAILED })
}
