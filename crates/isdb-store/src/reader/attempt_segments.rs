//! The visible segments of chosen attempts, without a scan of the whole array where the ledger's start times allow it.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{AsArray, BooleanArray, Int64Array, RecordBatch, TimestampNanosecondArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int64Type, TimestampNanosecondType};
use isdb_schema::segments::INGEST_ID;
use tiledb::{DimensionRange, Literal, Predicate, ReadRequest, Reader};

use super::snapshot::Snapshot;
use super::visibility::id_condition;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::ledger::rows::{AttemptEntry, attempt_entries};

/// Segments are searched within an hour of the granule's start. A granule takes a tenth of that.
const AROUND_START_NS: i64 = 3_600 * 1_000_000_000;

const BATCH_ROWS: usize = 65_536;

const TIME: &str = "time";

/// An iterator over the segments of some attempts in one snapshot: [`Snapshot::segments_of`].
///
/// Segments within an hour of the granules' start times are read first. The ledger knows how many segments each attempt has; if
/// the first pass found fewer, the times of the segments differ from the granule's, and a second pass reads the rest from the
/// whole array. No segment is returned twice.
pub struct AttemptSegments {
    snapshot: Snapshot,
    columns: Vec<String>,
    ledger: BTreeMap<Id, AttemptEntry>,
    found: BTreeMap<Id, u64>,
    /// The attempts that may have segments.
    ids: BTreeSet<Id>,
    /// The times of the first pass, both ends included.
    around_starts: Vec<(i64, i64)>,
    pass: Pass,
}

enum Pass {
    AroundStarts(Reader),
    ElsewhereInTime(Reader),
    Done,
}

impl Snapshot {
    /// Reads `columns` of the visible segments of the attempts `ids`, in no particular order. `ingest_id` comes first if it is not
    /// requested. Blocks.
    ///
    /// # Errors
    /// [`Error::TileDb`] when an array cannot be read, [`Error::Damaged`] when the ledger lacks a column.
    pub fn segments_of(&self, ids: &BTreeSet<Id>, columns: &[&str]) -> Result<AttemptSegments> {
        let ledger = attempt_entries(self.database().location(), &self.ledger_files(), ids)?;
        let has_rows = |id: &&Id| ledger.get(id).is_none_or(|entry| entry.rows_kept > 0);
        let ids: BTreeSet<Id> = ids.iter().filter(has_rows).copied().collect();
        let starts = ledger.iter().filter(|(id, _)| ids.contains(id)).filter_map(|(_, entry)| entry.start_time);
        let around = |start: i64| (start.saturating_sub(AROUND_START_NS), start.saturating_add(AROUND_START_NS));
        let around_starts: Vec<(i64, i64)> = starts.map(around).collect();
        let added = (!columns.contains(&INGEST_ID)).then_some(INGEST_ID);
        let columns: Vec<String> = added.into_iter().chain(columns.iter().copied()).map(str::to_owned).collect();
        let snapshot = self.clone();
        let mut segments =
            AttemptSegments { snapshot, columns, ledger, found: BTreeMap::new(), ids, around_starts, pass: Pass::Done };
        segments.pass = match segments.around_starts.is_empty() {
            true => segments.second_pass()?,
            false => segments.first_pass()?,
        };
        Ok(segments)
    }
}

impl AttemptSegments {
    /// Checks, after the last batch, that every attempt has as many segments as the ledger records, unless a repair dropped some of them.
    ///
    /// # Errors
    /// [`Error::Damaged`] when an attempt has more or fewer.
    pub fn check_complete(&self) -> Result<()> {
        let is_known = |id: &&Id| self.snapshot.state().reread.contains(id);
        for id in self.ledger.keys().chain(self.found.keys()).filter(|id| !is_known(id)) {
            let expected = self.ledger.get(id).map_or(0, |entry| entry.rows_kept);
            let found = self.found.get(id).copied().unwrap_or(0);
            if found != expected {
                let problem = format!("expected {expected} segments of attempt {id}, found {found}");
                return Err(Error::Damaged { object: self.snapshot.database().location().segments(), problem });
            }
        }
        Ok(())
    }

    fn first_pass(&self) -> Result<Pass> {
        let range = |(low, high): &(i64, i64)| DimensionRange {
            dimension: TIME.to_owned(),
            low: Literal::TimestampNs(*low),
            high: Literal::TimestampNs(*high),
        };
        let ranges = self.around_starts.iter().map(range).collect();
        Ok(Pass::AroundStarts(self.read(self.columns.clone(), ranges, &self.ids)?))
    }

    /// Reads the segments that the first pass did not find: `columns` and the time, by which [`next`](Self::next) skips the
    /// segments that the first pass found.
    fn second_pass(&self) -> Result<Pass> {
        let is_complete = |id: &Id| {
            let found = self.found.get(id).copied().unwrap_or(0);
            self.ledger.get(id).is_some_and(|entry| entry.rows_kept == found)
        };
        let incomplete: BTreeSet<Id> = self.ids.iter().filter(|id| !is_complete(id)).copied().collect();
        if incomplete.is_empty() {
            return Ok(Pass::Done);
        }
        let mut columns = self.columns.clone();
        if !columns.iter().any(|column| column == TIME) {
            columns.push(TIME.to_owned());
        }
        Ok(Pass::ElsewhereInTime(self.read(columns, Vec::new(), &incomplete)?))
    }

    fn read(&self, columns: Vec<String>, ranges: Vec<DimensionRange>, ids: &BTreeSet<Id>) -> Result<Reader> {
        let segments = self.snapshot.segments()?;
        let visible = segments.visible().into_iter();
        let attempts = id_condition(INGEST_ID, ids.iter().copied(), false);
        let condition = Some(Predicate::And(visible.chain(attempts).collect()));
        Ok(segments.array().read(&ReadRequest {
            columns,
            ranges,
            condition,
            tiles: None,
            order: None,
            batch_rows: BATCH_ROWS,
        })?)
    }

    /// The rows of `batch` that the first pass did not read, with the requested columns.
    fn elsewhere_in_time(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let times = instants(batch, TIME).ok_or_else(|| self.damaged(TIME))?;
        let is_elsewhere = |time: &i64| !self.around_starts.iter().any(|(low, high)| (*low..=*high).contains(time));
        let is_elsewhere = BooleanArray::from_iter(times.values().iter().map(|time| Some(is_elsewhere(time))));
        let requested: Vec<usize> = (0..self.columns.len()).collect();
        Ok(filter_record_batch(batch, &is_elsewhere)?.project(&requested)?)
    }

    fn count(&mut self, batch: &RecordBatch) -> Result<()> {
        let ids = integers(batch, INGEST_ID).ok_or_else(|| self.damaged(INGEST_ID))?;
        for id in ids.values() {
            *self.found.entry(Id(*id)).or_default() += 1;
        }
        Ok(())
    }

    fn damaged(&self, column: &str) -> Error {
        wrong_column(&self.snapshot.database().location().segments(), column)
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let batch = match &mut self.pass {
                Pass::Done => return Ok(None),
                Pass::AroundStarts(reader) => match reader.next() {
                    Some(batch) => batch?,
                    None => {
                        self.pass = self.second_pass()?;
                        continue;
                    }
                },
                Pass::ElsewhereInTime(reader) => match reader.next() {
                    Some(batch) => {
                        let batch = batch?;
                        self.elsewhere_in_time(&batch)?
                    }
                    None => {
                        self.pass = Pass::Done;
                        continue;
                    }
                },
            };
            if batch.num_rows() > 0 {
                self.count(&batch)?;
                return Ok(Some(batch));
            }
        }
    }
}

impl Iterator for AttemptSegments {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        let next = self.next_batch().transpose();
        if matches!(next, Some(Err(_))) {
            self.pass = Pass::Done;
        }
        next
    }
}

fn wrong_column(uri: &str, column: &str) -> Error {
    Error::Damaged { object: uri.to_owned(), problem: format!("column {column} is missing or has another type") }
}

fn integers<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a Int64Array> {
    batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()
}

fn instants<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a TimestampNanosecondArray> {
    batch.column_by_name(name)?.as_primitive_opt::<TimestampNanosecondType>()
}
