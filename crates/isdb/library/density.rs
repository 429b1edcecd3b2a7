//! How the segments of a database are distributed over the globe and over months, from what its commits record: no segment is read.

use std::collections::BTreeMap;

use isdb_schema::grid::chunk_box;
#[cfg(feature = "ingest")]
use isdb_store::{LedgerRow, current_attempts};

use crate::library::database::Database;
#[cfg(feature = "ingest")]
use crate::library::time::format_nanoseconds;

/// The number of segments in a part of the globe.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ChunkDensity {
    /// West, south, east and north of the part in degrees; 2.8125° of longitude by 1.40625° of latitude.
    pub bounds: [f64; 4],
    /// The number of segments, never 0. It includes segments that were replaced or removed, until a consolidation rewrites their fragments.
    pub segments: u64,
}

impl Database {
    /// Returns the number of segments in each part of the globe that has some, from the fragments that the commit log records. No file is read.
    #[must_use]
    pub fn density(&self) -> Vec<ChunkDensity> {
        let mut chunks: BTreeMap<u32, u64> = BTreeMap::new();
        for (chunk, rows) in self.snapshot().fragments().flat_map(|fragment| &fragment.chunks) {
            *chunks.entry(*chunk).or_default() += rows;
        }
        let density = chunks.into_iter().filter(|(_, segments)| *segments > 0);
        density.filter_map(|(chunk, segments)| Some(ChunkDensity { bounds: chunk_box(chunk)?, segments })).collect()
    }
}

/// Returns the number of segments of the current granules by the month of their start, such as `2020-06`, in UTC. Granules without a start
/// time are left out.
#[cfg(feature = "ingest")]
pub(crate) fn segments_by_month(ledger: &[LedgerRow]) -> BTreeMap<String, u64> {
    let mut months = BTreeMap::new();
    for row in current_attempts(ledger).filter(|row| row.rows_kept > 0) {
        let month = row.start_time.map(format_nanoseconds);
        if let Some(month) = month.as_ref().and_then(|time| time.get(..7)) {
            *months.entry(month.to_owned()).or_default() += row.rows_kept.unsigned_abs();
        }
    }
    months
}

#[cfg(all(test, feature = "ingest"))]
mod tests {
    use isdb_schema::ledger::GranuleState;
    use isdb_store::Id;

    use super::*;

    #[test]
    fn months_count_the_segments_of_current_granules() {
        let row = |id: i64, start: Option<i64>, kept: i64, replaces: &[i64]| LedgerRow {
            state: GranuleState::Ingested,
            start_time: start,
            rows_kept: kept,
            replaces: replaces.iter().copied().map(Id).collect(),
            ..LedgerRow::new(Id(id))
        };
        // The last second of May 2020, and the first of June.
        let (may, june) = (1_590_969_599_000_000_000, 1_590_969_600_000_000_000);
        let ledger = [
            row(1, Some(may), 5, &[]),
            row(2, Some(june), 7, &[]),
            row(3, Some(june), 2, &[]),
            row(4, Some(june), 100, &[]),
            row(5, None, 3, &[]),
            row(6, Some(june), 0, &[4]),
        ];
        let months = segments_by_month(&ledger);
        assert_eq!(months, BTreeMap::from([("2020-05".to_owned(), 5), ("2020-06".to_owned(), 9)]));
    }
}
