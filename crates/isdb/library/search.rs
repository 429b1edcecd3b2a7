//! Search of NASA's CMR for granules.

use futures::TryStreamExt;
use isdb_cmr::{Cmr, GranuleDescription, Query, UnusableDescription, WorkList};
use isdb_region::Region;
use isdb_schema::ledger::GranuleState;
use isdb_schema::period::Period;
use isdb_store::{Database, Location};

use crate::library::error::Result;

/// A search for granules. The default finds every granule of the newest release.
#[derive(Clone, Debug, Default)]
pub struct SearchRequest {
    /// Granules that may have segments in this region.
    pub region: Option<Region>,
    /// Granules that may have segments of this period.
    pub period: Period,
    /// Granules of this release, such as 7; by default the release of [`database`](Self::database), or without a database the
    /// newest.
    pub release: Option<u16>,
    /// Granules of this reference ground track, 1 to 1387.
    pub rgt: Option<u16>,
    /// Granules of this cycle of 91 days, from 1.
    pub cycle: Option<u8>,
    /// Granules of this region along the orbit, 1 to 14.
    pub orbit_region: Option<u8>,
    /// The database that the granules are for. It need not exist.
    pub database: Option<Location>,
}

/// Progress of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SearchProgress {
    /// The request names no release; this is the release of the database.
    DatabaseRelease(u16),
    /// The request names no release; this is the newest.
    NewestRelease(u16),
    /// A page of results was received.
    Page {
        /// Granules found so far, each counted once.
        granules: usize,
        /// Total number of descriptions that match the search.
        hits: u64,
    },
}

/// The granules of a search, each once and in its newest revision.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SearchResult {
    /// The granules, by their start.
    pub granules: Vec<GranuleDescription>,
    /// The number of descriptions that were dropped in favour of a newer revision of the granule.
    pub older_revisions: u64,
    /// The number of descriptions that were dropped because another one describes the same file.
    pub copies: u64,
    /// Descriptions that do not identify a granule.
    pub unusable: Vec<UnusableDescription>,
}

impl SearchResult {
    /// Returns the given granules as a result, such as those of a work list. Of several descriptions of a granule the newest stays.
    #[must_use]
    pub fn from_granules(granules: impl IntoIterator<Item = GranuleDescription>) -> SearchResult {
        let mut list = WorkList::default();
        granules.into_iter().for_each(|granule| list.insert(granule));
        list.into()
    }
}

impl From<WorkList> for SearchResult {
    fn from(mut list: WorkList) -> SearchResult {
        SearchResult {
            older_revisions: list.older_revisions,
            copies: list.copies,
            unusable: std::mem::take(&mut list.unusable),
            granules: list.into_granules(),
        }
    }
}

/// Searches `cmr` for the granules of `request`, page by page; nothing is downloaded.
///
/// # Errors
/// [`Error::Archive`](crate::Error::Archive) when CMR cannot be reached or gives an unexpected response;
/// [`Error::Store`](crate::Error::Store) when the database exists and cannot be read.
pub async fn search(
    cmr: &Cmr,
    request: &SearchRequest,
    mut progress: impl FnMut(SearchProgress),
) -> Result<SearchResult> {
    let release = release(cmr, request, &mut progress).await?;
    let query = Query {
        release,
        rgt: request.rgt,
        cycle: request.cycle,
        orbit_region: request.orbit_region,
        ..Query::new(request.region.as_ref(), &request.period)
    };
    let mut found = WorkList::default();
    let mut pages = std::pin::pin!(cmr.pages(&query));
    while let Some(page) = pages.try_next().await? {
        let hits = page.hits;
        found.add(page);
        progress(SearchProgress::Page { granules: found.len(), hits });
    }
    Ok(found.into())
}

/// Returns the release to search for: a database holds one release, and the newest is best for a new database.
async fn release(cmr: &Cmr, request: &SearchRequest, progress: &mut impl FnMut(SearchProgress)) -> Result<Option<u16>> {
    if request.release.is_some() {
        return Ok(request.release);
    }
    if let Some(release) = release_of(request.database.as_ref()).await? {
        progress(SearchProgress::DatabaseRelease(release));
        return Ok(Some(release));
    }
    let newest = cmr.releases().await?.last().copied();
    if let Some(release) = newest {
        progress(SearchProgress::NewestRelease(release));
    }
    Ok(newest)
}

/// Returns the newest release that was ingested into the database; None without database or granules.
async fn release_of(location: Option<&Location>) -> Result<Option<u16>> {
    let Some(location) = location else { return Ok(None) };
    let database = match Database::open(location).await {
        Ok(database) => database,
        Err(isdb_store::Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let ledger = database.snapshot().await?.ledger().await?;
    let read = ledger.iter().filter(|row| matches!(row.state, GranuleState::Ingested | GranuleState::Empty));
    Ok(read.filter_map(|row| row.release.as_deref()?.parse().ok()).max())
}
