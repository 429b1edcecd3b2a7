//! The summary of the rows that a fragment is about to store, computed from their columns.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{ArrowPrimitiveType, Float64Type, Int64Type, TimestampNanosecondType};
use isdb_schema::grid::chunk;
use isdb_schema::segments::INGEST_ID;
use tiledb::Rows;

use super::record::Bounds;
use crate::error::{Error, Result};
use crate::id::Id;

/// Rows, bounds, rows by chunk, and rows by attempt.
pub(crate) struct Summary {
    pub(crate) rows: u64,
    pub(crate) bounds: Bounds,
    pub(crate) chunks: BTreeMap<u32, u64>,
    pub(crate) attempts: BTreeMap<Id, u64>,
}

impl Summary {
    /// Summarises `rows` for the fragment of the array at `uri`. At least one row is needed.
    ///
    /// # Errors
    /// [`Error::Damaged`] without rows, or when a column is missing or has another type; [`Error::TileDb`] when the rows cannot be read.
    pub(crate) fn new(rows: &dyn Rows, uri: &str) -> Result<Summary> {
        let column = |name: &str| {
            let failed = |source| tiledb::Error::Rows { column: name.to_owned(), source };
            Ok::<_, Error>(rows.column(name).map_err(failed)?)
        };
        let (latitude, longitude, time) = (column("latitude")?, column("longitude")?, column("time")?);
        let ingest_id = column(INGEST_ID)?;
        let mut count = 0;
        let (mut chunks, mut attempts) = (BTreeMap::new(), BTreeMap::new());
        let mut bounds = Vec::new();
        for (((latitude, longitude), time), ingest_id) in latitude.iter().zip(&longitude).zip(&time).zip(&ingest_id) {
            if latitude.is_empty() {
                continue;
            }
            let latitude = values::<Float64Type>(latitude, "latitude", uri)?;
            let longitude = values::<Float64Type>(longitude, "longitude", uri)?;
            let time = values::<TimestampNanosecondType>(time, "time", uri)?;
            let ingest_id = values::<Int64Type>(ingest_id, INGEST_ID, uri)?;
            count += latitude.len() as u64;
            bounds.push(Bounds {
                latitude: degrees(latitude),
                longitude: degrees(longitude),
                time: time.iter().fold((i64::MAX, i64::MIN), |(low, high), at| (low.min(*at), high.max(*at))),
            });
            count_runs(
                latitude.iter().zip(longitude).map(|(latitude, longitude)| chunk(*latitude, *longitude)),
                &mut chunks,
            );
            count_runs(ingest_id.iter().copied().map(Id), &mut attempts);
        }
        let Some(bounds) = Bounds::around(bounds) else {
            return Err(Error::Damaged { object: uri.to_owned(), problem: "expected rows, found none".to_owned() });
        };
        Ok(Summary { rows: count, bounds, chunks, attempts })
    }
}

fn degrees(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| (low.min(*at), high.max(*at)))
}

/// Adds the number of times that each key occurs. Rows are sorted, so equal keys mostly follow each other, and the map is updated
/// once for each run of them.
fn count_runs<K: Ord + Copy>(keys: impl Iterator<Item = K>, counts: &mut BTreeMap<K, u64>) {
    let mut run: Option<(K, u64)> = None;
    for key in keys {
        match &mut run {
            Some((same, length)) if *same == key => *length += 1,
            _ => {
                if let Some((key, length)) = run.replace((key, 1)) {
                    *counts.entry(key).or_default() += length;
                }
            }
        }
    }
    if let Some((key, length)) = run {
        *counts.entry(key).or_default() += length;
    }
}

fn values<'a, T: ArrowPrimitiveType>(column: &'a ArrayRef, name: &str, uri: &str) -> Result<&'a [T::Native]> {
    let column = column.as_primitive_opt::<T>().filter(|column| column.null_count() == 0);
    column.map(|column| column.values().as_ref()).ok_or_else(|| Error::Damaged {
        object: uri.to_owned(),
        problem: format!("column {name} has NULL or has another type"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_counted_whether_or_not_they_follow_each_other() {
        let mut counts = BTreeMap::new();
        count_runs([1, 1, 2, 1, 3, 3, 3].into_iter(), &mut counts);
        count_runs([3].into_iter(), &mut counts);
        assert_eq!(counts, BTreeMap::from([(1, 3), (2, 1), (3, 4)]));
    }
}
