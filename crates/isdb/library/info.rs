//! Statistics on the content of a database.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Field, Float64Type, Int64Type, TimestampNanosecondType};
use isdb_region::Region;
use isdb_schema::catalogue::Variable;
use isdb_schema::filters::Rule;
use isdb_schema::ledger::GranuleState;
use isdb_store::{Bounds, Snapshot, Tag, TagCosts, current_attempts, run_blocking};

use crate::library::database::Database;
use crate::library::density::{ChunkDensity, segments_by_month};
use crate::library::error::Result;
use crate::library::ingest_types::LedgerSummary;

const EXTENT: &str = "SELECT count(*), min(latitude), max(latitude), min(longitude), max(longitude), min(time), max(time) \
                      FROM segments";

/// Statistics on one state of a database.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Info {
    /// The location.
    pub uri: String,
    /// The URI of the array of segments, for other TileDB programs, which read this state at [`timestamp`](Self::timestamp).
    pub segments_uri: String,
    /// Whether other TileDB programs see rows in the array that are not part of this state: replaced, removed, or never committed.
    pub has_hidden_rows: bool,
    /// The number of the commit.
    pub commit: u64,
    /// The time of the commit, in milliseconds since 1970 UTC.
    pub timestamp: u64,
    /// The number of granules in each state of the ledger.
    pub granules: Vec<(GranuleState, usize)>,
    /// The releases of the current granules, such as `007`.
    pub releases: BTreeSet<String>,
    /// The number of granules of each release, if there is more than one release; otherwise empty.
    pub mixed_releases: Vec<(String, i64)>,
    /// The number of granules that lack segments after a repair, until the next ingest reads their files again.
    pub incomplete: usize,
    /// The number of segments.
    pub segments: u64,
    /// The number of TileDB fragments that hold the segments.
    pub fragments: u64,
    /// The extent of the segments; None without segments.
    pub extent: Option<Extent>,
    /// The number of segments in each part of the globe, as [`Database::density`] returns it.
    pub density: Vec<ChunkDensity>,
    /// The number of segments by the month in which their granule starts, such as `2020-06`, in UTC.
    pub months: BTreeMap<String, u64>,
    /// The variables that are stored, in addition to the leading columns.
    pub variables: Vec<&'static Variable>,
    /// The derived columns.
    pub derived: Vec<Field>,
    /// The filters that segments have passed.
    pub filters: Vec<Rule>,
    /// The number of granules that were ingested with other filters, by their names.
    pub other_filters: BTreeMap<String, usize>,
    /// The region that the database is filled for; None for whole granules.
    pub region: Option<Region>,
    /// The number of granules that were ingested for another area, by its name in the ledger; None for whole granules.
    pub other_areas: BTreeMap<Option<String>, usize>,
    /// The tags of the database, with those that were set after this state.
    pub tags: BTreeMap<String, Tag>,
    /// What exists on disk for tags only.
    pub tag_costs: TagCosts,
}

/// The smallest and the largest coordinates of segments.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Extent {
    /// Latitude in degrees.
    pub latitude: (f64, f64),
    /// Longitude in degrees.
    pub longitude: (f64, f64),
    /// Time in nanoseconds since 1970 UTC.
    pub time: (i64, i64),
}

impl From<Bounds> for Extent {
    fn from(bounds: Bounds) -> Extent {
        Extent { latitude: bounds.latitude, longitude: bounds.longitude, time: bounds.time }
    }
}

impl Database {
    /// Summarises the ledger and the segments.
    ///
    /// # Errors
    /// When an array cannot be read.
    pub async fn info(&self) -> Result<Info> {
        let (snapshot, location) = (self.snapshot(), self.location());
        let ledger = snapshot.ledger().await?;
        let design = self.handle().design(snapshot).await?;
        let summary = LedgerSummary::new(&ledger, &design.filters, design.region.as_ref());
        let (segments, extent) = self.extent().await?;
        Ok(Info {
            uri: location.uri(),
            segments_uri: location.segments(),
            has_hidden_rows: has_hidden_rows(snapshot).await?,
            commit: self.commit(),
            timestamp: self.timestamp(),
            granules: summary.granules,
            releases: current_attempts(&ledger).filter_map(|row| row.release.clone()).collect(),
            mixed_releases: self.mixed_releases().await?,
            incomplete: snapshot.attempts_to_reread().len(),
            segments,
            fragments: snapshot.fragment_count() as u64,
            extent,
            density: self.density(),
            months: segments_by_month(&ledger),
            variables: design.variables,
            derived: design.derived,
            filters: design.filters,
            other_filters: summary.other_filters,
            region: design.region,
            other_areas: summary.other_areas,
            tags: self.tags(),
            tag_costs: self.tag_costs().await?,
        })
    }

    /// Returns the number of segments, and their extent.
    async fn extent(&self) -> Result<(u64, Option<Extent>)> {
        let snapshot = self.snapshot();
        if !snapshot.has_dead_attempts() {
            let bounds = Bounds::around(snapshot.fragments().map(|fragment| fragment.bounds));
            return Ok((snapshot.rows(), bounds.map(Extent::from)));
        }
        let batches = self.session().sql(EXTENT).await?.collect().await?;
        let Some(row) = batches.iter().find(|batch| batch.num_rows() > 0) else { return Ok((0, None)) };
        let count = row.column(0).as_primitive::<Int64Type>().values().first().copied().unwrap_or(0);
        let degrees = |index: usize| {
            let column = row.column(index).as_primitive::<Float64Type>();
            column.is_valid(0).then(|| column.value(0))
        };
        let time = |index: usize| {
            let column = row.column(index).as_primitive::<TimestampNanosecondType>();
            column.is_valid(0).then(|| column.value(0))
        };
        let extent = degrees(1).zip(degrees(2)).zip(degrees(3).zip(degrees(4))).zip(time(5).zip(time(6)));
        let extent = extent.map(|((latitude, longitude), time)| Extent { latitude, longitude, time });
        Ok((u64::try_from(count).unwrap_or(0), extent))
    }
}

/// Whether a read of the array of segments alone shows more than `snapshot`.
async fn has_hidden_rows(snapshot: &Snapshot) -> Result<bool> {
    let snapshot = snapshot.clone();
    Ok(run_blocking(move || snapshot.has_hidden_rows()).await??)
}
