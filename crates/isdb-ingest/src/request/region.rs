//! The region of a database: chosen when the database is created, kept by later ingests, and extended on request, so
//! that all granules have segments of the same area.

use isdb_region::Region;
use isdb_store::{Database, Location, current_attempts};

use crate::error::{Error, Result};

/// Which segments of a granule an ingest keeps, by their position.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum RegionRequest {
    /// The segments in the region of the database; all segments in a new database, or in one without a region.
    #[default]
    OfDatabase,
    /// All segments, even in a database with a region.
    Whole,
    /// The segments in this region, which must be the region of the database. A new or empty database gets it.
    Only(Region),
    /// The segments in the region of the database and in this one. The union becomes the region of the database.
    Added(Region),
}

impl RegionRequest {
    /// Returns the region in the request.
    fn requested(&self) -> Option<&Region> {
        match self {
            RegionRequest::Only(region) | RegionRequest::Added(region) => Some(region),
            RegionRequest::OfDatabase | RegionRequest::Whole => None,
        }
    }
}

/// The regions of an ingest, as [`Region::summary`] writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Regions {
    /// The region that segments are kept in; None for whole granules.
    pub kept: Option<String>,
    /// The region of the database before the ingest.
    pub before: Option<String>,
    /// The region of the database after the ingest.
    pub after: Option<String>,
}

/// A [`RegionRequest`] applied to one database.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ResolvedRegion {
    /// The region that segments are kept in; None for whole granules.
    pub(crate) kept: Option<Region>,
    /// The region of the database before the ingest.
    before: Option<Region>,
    /// The region of the database after the ingest.
    pub(crate) after: Option<Region>,
}

impl ResolvedRegion {
    /// Resolves `request` for a database at `uri` with the region `before`. A database that `is_empty`, without a
    /// segment, may get any other region.
    ///
    /// # Errors
    /// [`Error::OtherRegion`] and [`Error::WholeGranules`] when the database has segments of another area.
    pub(crate) fn new(
        request: &RegionRequest,
        before: Option<&Region>,
        is_empty: bool,
        uri: &str,
    ) -> Result<ResolvedRegion> {
        use RegionRequest::{Added, OfDatabase, Only, Whole};
        let (kept, after) = match (request, before) {
            (OfDatabase, before) => (before.cloned(), before.cloned()),
            (Whole, before) => (None, before.filter(|_| !is_empty).cloned()),
            (Only(region) | Added(region), None) if region.is_everything() => (None, None),
            (Added(region), Some(before)) if before.covers(region) => (Some(before.clone()), Some(before.clone())),
            (Added(region), Some(before)) => {
                let union = unless_everything(&before.union(region));
                (union.clone(), union)
            }
            (Only(region), Some(before)) if before.covers(region) && region.covers(before) => {
                (Some(before.clone()), Some(before.clone()))
            }
            (Only(region) | Added(region), _) if is_empty => (unless_everything(region), unless_everything(region)),
            (Only(region), Some(before)) => {
                let (stored, requested) = (before.summary(), region.summary());
                return Err(Error::OtherRegion { uri: uri.to_owned(), stored, requested });
            }
            (Only(region) | Added(region), None) => {
                return Err(Error::WholeGranules { uri: uri.to_owned(), requested: region.summary() });
            }
        };
        Ok(ResolvedRegion { kept, before: before.cloned(), after })
    }

    /// Resolves `request` for a database that does not exist yet.
    pub(crate) fn for_new_database(request: &RegionRequest) -> ResolvedRegion {
        let kept = request.requested().and_then(unless_everything);
        ResolvedRegion { before: kept.clone(), after: kept.clone(), kept }
    }

    /// Whether the region of the database changes.
    pub(crate) fn is_change(&self) -> bool {
        self.before != self.after
    }

    /// Describes the regions to the user.
    pub(crate) fn describe(&self) -> Regions {
        let summary = |region: &Option<Region>| region.as_ref().map(Region::summary);
        Regions { kept: summary(&self.kept), before: summary(&self.before), after: summary(&self.after) }
    }
}

/// Returns `region`; None for the whole Earth, which is the same as no region.
fn unless_everything(region: &Region) -> Option<Region> {
    Some(region.clone()).filter(|region| !region.is_everything())
}

/// Returns the region in which an ingest into the database at `location` has to search for granules: the one in
/// `request`, else the region of the database; None for the whole Earth.
///
/// # Errors
/// When the database has another region, as in the ingest itself, or cannot be read. It does not have to exist.
pub async fn region_to_search(location: &Location, request: &RegionRequest) -> Result<Option<Region>> {
    let requested = request.requested().cloned();
    let database = match Database::open(location).await {
        Err(isdb_store::Error::NotFound { .. }) => return Ok(requested),
        opened => opened?,
    };
    let snapshot = database.snapshot().await?;
    let stored = database.design(&snapshot).await?.region;
    // Only rows of replaced or removed attempts may be left; the ledger says whether that is so.
    let is_empty = snapshot.rows() == 0
        || (snapshot.has_dead_attempts() && !current_attempts(&snapshot.ledger().await?).any(|row| row.rows_kept > 0));
    ResolvedRegion::new(request, stored.as_ref(), is_empty, &location.uri())?;
    Ok(requested.or(stored))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(text: &str) -> Region {
        Region::parse(text).unwrap()
    }

    fn resolve(request: RegionRequest, before: Option<&str>, is_empty: bool) -> Result<ResolvedRegion> {
        ResolvedRegion::new(&request, before.map(region).as_ref(), is_empty, "db")
    }

    #[test]
    fn a_region_equal_to_the_stored_one_is_accepted_in_any_form() {
        let kept = resolve(RegionRequest::OfDatabase, Some("0,0,2,2"), false).unwrap();
        assert_eq!((kept.kept.clone(), kept.is_change()), (Some(region("0,0,2,2")), false));
        let square = r#"{"type":"Polygon","coordinates":[[[0,0],[2,0],[2,1],[2,2],[0,2],[0,0]]]}"#;
        assert_eq!(resolve(RegionRequest::Only(region(square)), Some("0,0,2,2"), false).unwrap(), kept);
        assert_eq!(
            resolve(RegionRequest::Added(region("1,1,2,2")), Some("0,0,2,2"), false).unwrap(),
            kept,
            "it is within the region"
        );
        let whole = resolve(RegionRequest::Whole, Some("0,0,2,2"), false).unwrap();
        assert_eq!((whole.kept.clone(), whole.is_change()), (None, false));
    }

    #[test]
    fn another_region_is_refused_unless_it_is_added_or_the_database_is_empty() {
        let other = || RegionRequest::Only(region("0,0,1,1"));
        assert!(matches!(resolve(other(), Some("0,0,2,2"), false), Err(Error::OtherRegion { .. })));
        assert!(matches!(resolve(other(), None, false), Err(Error::WholeGranules { .. })));
        assert!(matches!(
            resolve(RegionRequest::Added(region("0,0,1,1")), None, false),
            Err(Error::WholeGranules { .. })
        ));
        for before in [None, Some("0,0,2,2")] {
            let empty = resolve(other(), before, true).unwrap();
            assert_eq!((empty.after.clone(), empty.is_change()), (Some(region("0,0,1,1")), true));
        }
        let added = resolve(RegionRequest::Added(region("5,5,6,6")), Some("0,0,2,2"), false).unwrap();
        let both = added.after.clone().unwrap();
        assert!(both.covers(&region("0,0,2,2")) && both.covers(&region("5,5,6,6")) && added.is_change());
        assert_eq!(added.kept, added.after);
    }

    #[test]
    fn the_whole_earth_is_the_same_as_whole_granules() {
        let earth = || region("-180,-90,180,90");
        let whole = resolve(RegionRequest::Only(earth()), None, false).unwrap();
        assert_eq!((whole.kept.clone(), whole.is_change()), (None, false));
        let widened = resolve(RegionRequest::Added(earth()), Some("0,0,2,2"), false).unwrap();
        assert_eq!((widened.kept.clone(), widened.after.clone(), widened.is_change()), (None, None, true));
        assert_eq!(ResolvedRegion::for_new_database(&RegionRequest::Only(earth())).after, None);
    }
}
