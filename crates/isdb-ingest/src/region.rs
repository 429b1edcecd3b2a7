//! The region of a database: chosen when it is created, kept by later ingests, and widened on request, so that all its granules
//! hold segments of the same area.

use isdb_region::Region;
use isdb_store::{Database, Location};

use crate::error::{Error, Result};
use crate::standing::Standing;

/// Which segments of a granule an ingest keeps, by their position.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Area {
    /// Those in the region of the database; all of them in a database without a region, or in a new one.
    #[default]
    OfDatabase,
    /// All of them, also in a database with a region.
    Whole,
    /// Those in this region, which must be that of the database. A new or empty database gets it.
    Only(Region),
    /// Those in the region of the database together with this one, which is the database's region from now on.
    Added(Region),
}

/// The regions of an ingest, as [`Region::summary`] writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Regions {
    /// The region that segments are kept in; None for whole granules.
    pub kept: Option<String>,
    /// That of the database before the ingest, and after it.
    pub before: Option<String>,
    /// That of the database after the ingest.
    pub after: Option<String>,
}

/// What an [`Area`] comes to in one database.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settled {
    /// The region that segments are kept in; None for whole granules.
    pub(crate) kept: Option<Region>,
    /// That of the database before the ingest.
    before: Option<Region>,
    /// That of the database after the ingest.
    pub(crate) after: Option<Region>,
}

impl Settled {
    /// For a database at `uri` with the region `before`; `is_empty` if it holds no segment, so that it may get any other.
    ///
    /// # Errors
    /// [`Error::OtherRegion`] and [`Error::WholeGranules`] when the database holds segments of another area.
    pub(crate) fn of(area: &Area, before: Option<&Region>, is_empty: bool, uri: &str) -> Result<Settled> {
        let whole = |asked: &Region| Error::WholeGranules { uri: uri.to_owned(), asked: asked.summary() };
        let (kept, after) = match (area, before) {
            (Area::OfDatabase, before) => (before.cloned(), before.cloned()),
            (Area::Whole, before) => (None, before.filter(|_| !is_empty).cloned()),
            (Area::Only(asked) | Area::Added(asked), _) if asked.is_everything() && before.is_none() => (None, None),
            (Area::Added(asked), Some(before)) if before.covers(asked) => (Some(before.clone()), Some(before.clone())),
            (Area::Added(asked), Some(before)) => {
                let united = Some(before.union(asked)).filter(|region| !region.is_everything());
                (united.clone(), united)
            }
            (Area::Only(asked), Some(before)) if before.covers(asked) && asked.covers(before) => {
                (Some(before.clone()), Some(before.clone()))
            }
            (Area::Only(asked) | Area::Added(asked), _) if is_empty => {
                let asked = Some(asked.clone()).filter(|region| !region.is_everything());
                (asked.clone(), asked)
            }
            (Area::Only(asked), Some(before)) => {
                let (stored, asked) = (before.summary(), asked.summary());
                return Err(Error::OtherRegion { uri: uri.to_owned(), stored, asked });
            }
            (Area::Only(asked) | Area::Added(asked), None) => return Err(whole(asked)),
        };
        Ok(Settled { kept, before: before.cloned(), after })
    }

    /// For a database that does not exist yet.
    pub(crate) fn of_new(area: &Area) -> Settled {
        let kept = match area {
            Area::OfDatabase | Area::Whole => None,
            Area::Only(asked) | Area::Added(asked) => Some(asked.clone()).filter(|region| !region.is_everything()),
        };
        Settled { before: kept.clone(), after: kept.clone(), kept }
    }

    /// Whether the region of the database changes.
    pub(crate) fn is_change(&self) -> bool {
        self.before != self.after
    }

    /// In words.
    pub(crate) fn told(&self) -> Regions {
        let summary = |region: &Option<Region>| region.as_ref().map(Region::summary);
        Regions { kept: summary(&self.kept), before: summary(&self.before), after: summary(&self.after) }
    }
}

/// The region in which an ingest of `area` into the database at `location` has to search for granules: that asked for, else the
/// one of the database; None for the whole Earth.
///
/// # Errors
/// When the database holds another region, as the ingest would refuse it, or cannot be read. It need not exist.
pub async fn region_to_search(location: &Location, area: &Area) -> Result<Option<Region>> {
    let asked = match area {
        Area::Only(asked) | Area::Added(asked) => Some(asked.clone()),
        Area::OfDatabase | Area::Whole => None,
    };
    let database = match Database::open(location).await {
        Err(isdb_store::Error::NotFound { .. }) => return Ok(asked),
        opened => opened?,
    };
    let snapshot = database.snapshot().await?;
    let stored = database.design(&snapshot).await?.region;
    let is_empty = !Standing::of(&snapshot.ledger().await?).has_segments();
    Settled::of(area, stored.as_ref(), is_empty, &location.uri())?;
    Ok(asked.or(stored))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(text: &str) -> Region {
        Region::parse(text).unwrap()
    }

    fn settled(area: Area, before: Option<&str>, is_empty: bool) -> Result<Settled> {
        Settled::of(&area, before.map(region).as_ref(), is_empty, "db")
    }

    #[test]
    fn a_database_keeps_its_region_whatever_form_it_is_given_in() {
        let kept = settled(Area::OfDatabase, Some("0,0,2,2"), false).unwrap();
        assert_eq!((kept.kept.clone(), kept.is_change()), (Some(region("0,0,2,2")), false));
        let square = r#"{"type":"Polygon","coordinates":[[[0,0],[2,0],[2,1],[2,2],[0,2],[0,0]]]}"#;
        assert_eq!(settled(Area::Only(region(square)), Some("0,0,2,2"), false).unwrap(), kept);
        assert_eq!(settled(Area::Added(region("1,1,2,2")), Some("0,0,2,2"), false).unwrap(), kept, "it is in there");
        let whole = settled(Area::Whole, Some("0,0,2,2"), false).unwrap();
        assert_eq!((whole.kept.clone(), whole.is_change()), (None, false));
    }

    #[test]
    fn another_region_is_refused_unless_it_is_added_or_nothing_is_stored() {
        let other = || Area::Only(region("0,0,1,1"));
        assert!(matches!(settled(other(), Some("0,0,2,2"), false), Err(Error::OtherRegion { .. })));
        assert!(matches!(settled(other(), None, false), Err(Error::WholeGranules { .. })));
        assert!(matches!(settled(Area::Added(region("0,0,1,1")), None, false), Err(Error::WholeGranules { .. })));
        for before in [None, Some("0,0,2,2")] {
            let empty = settled(other(), before, true).unwrap();
            assert_eq!((empty.after.clone(), empty.is_change()), (Some(region("0,0,1,1")), true));
        }
        let added = settled(Area::Added(region("5,5,6,6")), Some("0,0,2,2"), false).unwrap();
        let both = added.after.clone().unwrap();
        assert!(both.covers(&region("0,0,2,2")) && both.covers(&region("5,5,6,6")) && added.is_change());
        assert_eq!(added.kept, added.after);
    }

    #[test]
    fn the_whole_earth_is_the_same_as_whole_granules() {
        let earth = || region("-180,-90,180,90");
        let whole = settled(Area::Only(earth()), None, false).unwrap();
        assert_eq!((whole.kept.clone(), whole.is_change()), (None, false));
        let widened = settled(Area::Added(earth()), Some("0,0,2,2"), false).unwrap();
        assert_eq!((widened.kept.clone(), widened.after.clone(), widened.is_change()), (None, None, true));
        assert_eq!(Settled::of_new(&Area::Only(earth())).after, None);
    }
}
