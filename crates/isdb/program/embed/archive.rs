//! Searches of NASA's archive.

use arrow::array::RecordBatch;
use isdb_cmr::{Cmr, GranuleDescription, RetryPolicy};

use crate::program::commands::search::listing;
use crate::program::embed::failure::Failure;
use crate::program::embed::options::Restrictions;
use crate::{Location, SearchProgress, SearchRequest, SearchResult, search};

/// The variable that names another CMR, for tests and mirrors.
const CMR_URL: &str = "ISDB_CMR_URL";

/// Restrictions of a search, beside region and period.
#[derive(Clone, Copy, Debug, Default)]
pub struct ArchiveSearch {
    /// Release of the product, such as 7; None for that of the database, else the newest.
    pub release: Option<u16>,
    /// Reference ground track, 1 to 1387.
    pub rgt: Option<u16>,
    /// Cycle of 91 days, from 1.
    pub cycle: Option<u8>,
    /// Region along the orbit, 1 to 14.
    pub orbit_region: Option<u8>,
}

impl ArchiveSearch {
    /// Whether it restricts anything.
    pub(super) fn is_given(&self) -> bool {
        self.release.is_some() || self.rgt.is_some() || self.cycle.is_some() || self.orbit_region.is_some()
    }

    fn check(&self) -> Result<(), Failure> {
        let ranges = [
            ("rgt", self.rgt.map(u32::from), 1387),
            ("cycle", self.cycle.map(u32::from), 99),
            ("orbit_region", self.orbit_region.map(u32::from), 14),
        ];
        for (name, number, last) in ranges {
            if let Some(number) = number.filter(|number| !(1..=last).contains(number)) {
                return Err(Failure::invalid(&format!("expected {name} from 1 to {last}, found {number}")));
            }
        }
        Ok(())
    }
}

/// Searches CMR for granules, as `isdb search` does; nothing is downloaded. `notice` is called when CMR asks for a pause.
///
/// # Errors
/// For invalid restrictions, and when CMR cannot be reached.
pub async fn search_archive(
    options: &ArchiveSearch,
    restrictions: &Restrictions,
    database: Option<Location>,
    progress: impl FnMut(SearchProgress),
    notice: impl Fn(&str) + Send + Sync + 'static,
) -> Result<SearchResult, Failure> {
    let (region, period) = restrictions.region_and_period()?;
    find(options, SearchRequest { region, period, database, ..SearchRequest::default() }, progress, notice).await
}

/// Searches CMR for the granules of `request`, restricted by `options`.
pub(super) async fn find(
    options: &ArchiveSearch,
    request: SearchRequest,
    progress: impl FnMut(SearchProgress),
    notice: impl Fn(&str) + Send + Sync + 'static,
) -> Result<SearchResult, Failure> {
    options.check()?;
    let url = std::env::var(CMR_URL).unwrap_or_else(|_| isdb_cmr::CMR_URL.to_owned());
    let cmr = Cmr::new(&url, RetryPolicy::default())?.with_notices(notice);
    let ArchiveSearch { release, rgt, cycle, orbit_region } = *options;
    let request = SearchRequest { release, rgt, cycle, orbit_region, ..request };
    Ok(search(&cmr, &request, progress).await?)
}

/// Returns granules as rows: name, start and end in UTC, bytes, checksum, URLs, and their description in CMR.
///
/// # Errors
/// Never, for valid descriptions.
pub fn granule_rows(granules: &[GranuleDescription]) -> Result<RecordBatch, Failure> {
    Ok(listing::rows(granules)?)
}
