//! `isdb search`: which granules NASA has for a place and time, how large they are, and what a database of them would take.

use futures::TryStreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use isdb_cmr::{Cmr, GranuleDescription, Query, RetryPolicy, UnusableDescription, WorkList};
use isdb_region::Region;
use isdb_schema::ledger::GranuleState;
use isdb_schema::period::Period;
use isdb_store::{Database, Location};

use crate::cli::{Format, Search, Sought};
use crate::failure::{Failure, SOME_FAILED, SUCCESS};
use crate::progress;
use crate::settings::region_and_period;

mod listing;
mod totals;

pub(crate) async fn run(arguments: Search, database: Option<Location>) -> Result<u8, Failure> {
    let format = Format::choose(arguments.format, arguments.output.as_deref())?;
    let (region, period) = region_and_period(&arguments.place)?;
    let query = query(&arguments.sought, region.as_ref(), &period);
    let found = search(&arguments.sought, query, database.as_ref()).await?;
    let granules = &found.granules;
    listing::write(granules, format, arguments.output.as_deref()).await?;
    found.tell(true);
    Ok(if found.unusable.is_empty() { SUCCESS } else { SOME_FAILED })
}

/// What CMR has.
pub(crate) struct Found {
    /// By their start.
    pub(crate) granules: Vec<GranuleDescription>,
    left_out: (u64, u64),
    /// Descriptions that no granule can be made of.
    pub(crate) unusable: Vec<UnusableDescription>,
}

impl Found {
    /// The granules of a work list.
    pub(crate) fn of(mut list: WorkList) -> Found {
        let (left_out, unusable) = ((list.older_revisions, list.copies), std::mem::take(&mut list.unusable));
        Found { granules: list.into_granules(), left_out, unusable }
    }

    /// What it comes to, on standard error. An ingest reports granules with `problems` itself, as failures.
    pub(crate) fn tell(&self, problems: bool) {
        if problems {
            totals::tell_problems(&self.granules, &self.unusable);
        }
        totals::tell(&self.granules, self.left_out);
    }
}

/// The granules that `query` finds of the release that is sought.
pub(crate) async fn search(sought: &Sought, query: Query, database: Option<&Location>) -> Result<Found, Failure> {
    let cmr = Cmr::new(&sought.cmr_url, RetryPolicy::default())?;
    // A wait may take a minute: it is printed wherever logs go.
    let cmr = cmr.with_notices(|text| progress::aside(|| eprintln!("{text}")));
    let release = release(sought.release, database, &cmr).await?;
    Ok(Found::of(gather(&cmr, &Query { release, ..query }).await?))
}

/// The release to search for, told when nobody named it: a database holds one release, and the newest is best for a new one.
async fn release(asked: Option<u16>, database: Option<&Location>, cmr: &Cmr) -> Result<Option<u16>, Failure> {
    if asked.is_some() {
        return Ok(asked);
    }
    if let Some(release) = release_of(database).await? {
        eprintln!("release: {release:03}, that of the database");
        return Ok(Some(release));
    }
    let newest = cmr.releases().await?.last().copied();
    if let Some(release) = newest {
        eprintln!("release: {release:03}, the newest");
    }
    Ok(newest)
}

/// The newest release that was read into the database; None without database or granules.
async fn release_of(database: Option<&Location>) -> Result<Option<u16>, Failure> {
    let Some(location) = database else { return Ok(None) };
    let database = match Database::open(location).await {
        Ok(database) => database,
        Err(isdb_store::Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let ledger = database.snapshot().await?.ledger().await?;
    let read = ledger.iter().filter(|row| matches!(row.state, GranuleState::Ingested | GranuleState::Empty));
    Ok(read.filter_map(|row| row.release.as_deref()?.parse().ok()).max())
}

/// Everything that CMR has, with a line on a terminal that says how far we are.
async fn gather(cmr: &Cmr, query: &Query) -> Result<WorkList, Failure> {
    let style = ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner().with_style(style);
    progress::draw(&bar);
    let mut found = WorkList::default();
    let mut pages = std::pin::pin!(cmr.pages(query));
    while let Some(page) = pages.try_next().await? {
        let hits = page.hits;
        found.add(page);
        bar.set_message(format!("granules: {} of {hits}", found.len()));
        bar.tick();
    }
    bar.finish_and_clear();
    Ok(found)
}

/// Granules of that place, time and track.
pub(crate) fn query(sought: &Sought, region: Option<&Region>, period: &Period) -> Query {
    Query { rgt: sought.rgt, cycle: sought.cycle, orbit_region: sought.orbit_region, ..Query::new(region, period) }
}
