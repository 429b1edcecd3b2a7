//! Access to NASA's archive that several commands share: the Earthdata session, and a search with its progress.

use std::time::Duration;

use isdb::{Location, Region, SearchRequest, SearchResult, earthdata, search};
use isdb_cmr::{Cmr, Earthdata, RetryPolicy};
use isdb_schema::period::Period;

use crate::cli::SearchArgs;
use crate::error::CliError;
use crate::progress::{SearchReporter, above_bar};

/// Returns a session with the credentials that are found, and prints warnings. A connection may receive no data for
/// `stall_timeout`.
pub(crate) fn earthdata_session(stall_timeout: Duration) -> Result<Earthdata, CliError> {
    Ok(earthdata::session(stall_timeout, |text| above_bar(|| eprintln!("warning: {text}")))?)
}

/// Searches CMR for the granules of a region, a period and the restrictions of `arguments`.
pub(crate) async fn search_archive(
    arguments: &SearchArgs,
    region: Option<Region>,
    period: Period,
    database: Option<Location>,
) -> Result<SearchResult, CliError> {
    let cmr = Cmr::new(&arguments.cmr_url, RetryPolicy::default())?;
    // A pause may last a minute, so it is printed even if the log goes to a file.
    let cmr = cmr.with_notices(|text| above_bar(|| eprintln!("{text}")));
    let SearchArgs { release, rgt, cycle, orbit_region, .. } = *arguments;
    let request = SearchRequest { region, period, release, rgt, cycle, orbit_region, database };
    let reporter = SearchReporter::new();
    let result = search(&cmr, &request, |progress| reporter.report(progress)).await;
    reporter.finish();
    Ok(result?)
}
