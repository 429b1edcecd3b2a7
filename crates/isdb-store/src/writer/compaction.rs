//! Compaction: fragments that are read fast in place of many small ones. Nothing becomes visible or invisible by it.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use isdb_schema::ledger::ledger_schema;
use tiledb::ReadRequest;

use super::{Window, Writer};
use crate::blocking::blocking;
use crate::commit::{Commit, FragmentRecord, Kind, is_in};
use crate::error::{Error, Result};
use crate::fault;
use crate::footers;
use crate::ids::{FRAGMENT_ID, Id};
use crate::snapshot::Snapshot;

/// A fragment of the ledger with fewer rows is small …
const SMALL_ROWS: u64 = 10_000;
/// … and more small ones than this are worth one of their own. Every window leaves one, and every open reads their footers.
const SMALL_FRAGMENTS: usize = 32;

impl Writer {
    /// Puts `outputs` in place of the live fragments `inputs` of `segments`: they must hold the visible rows of the inputs,
    /// written in the window with their ingest ids, and are visible from this commit on, the inputs no longer.
    ///
    /// # Errors
    /// [`Error::Damaged`] when an input is not live, [`Error::Mismatch`] when the outputs have another number of rows than are
    /// visible of the inputs; else as for [`commit`](Self::commit).
    pub async fn compact(
        &mut self,
        window: Window,
        inputs: &BTreeSet<Id>,
        outputs: Vec<FragmentRecord>,
    ) -> Result<&Commit> {
        let mut commit = self.ending(&window, Kind::Compact)?;
        let dead = |id: &Id| Error::Damaged {
            object: self.database.location().segments(),
            problem: format!("fragment {id} was to be compacted and is not live"),
        };
        let live = &self.recorded.segments.live;
        let inputs: Vec<FragmentRecord> =
            inputs.iter().map(|id| live.get(id).cloned().ok_or_else(|| dead(id))).collect::<Result<_>>()?;
        self.check_compaction(&window, &inputs, &outputs).await?;
        commit.segments.bury(&inputs, commit.number, window.now_ms());
        commit.segments.add(outputs);
        self.end_compaction(&window, commit).await
    }

    /// Writes the small fragments of `granules` as one, when there are many.
    ///
    /// # Errors
    /// As for [`commit`](Self::commit).
    pub async fn compact_ledger(&mut self, now_ms: u64) -> Result<Option<&Commit>> {
        let live = self.recorded.granules.live.values();
        let inputs: Vec<FragmentRecord> = live.filter(|fragment| fragment.rows < SMALL_ROWS).cloned().collect();
        if inputs.len() <= SMALL_FRAGMENTS {
            return Ok(None);
        }
        let window = self.window(0, now_ms)?;
        let snapshot = self.database.snapshot().await?;
        let (context, id, timestamp) = (self.database.context().clone(), window.ledger_id(), window.timestamp);
        let read_from = inputs.clone();
        let output = blocking(move || {
            let batches = ledger_of(&snapshot, &read_from, id)?;
            let rows = batches.iter().map(RecordBatch::num_rows).sum::<usize>() as u64;
            let recorded: u64 = read_from.iter().map(|fragment| fragment.rows).sum();
            if rows != recorded {
                let problem = format!("{recorded} attempts are recorded and {rows} are there");
                return Err(Error::Damaged { object: snapshot.granules().uri().to_owned(), problem });
            }
            let name = tiledb::write_fragment(&context, snapshot.granules().uri(), timestamp, batches)?;
            Ok(FragmentRecord { id, name, rows })
        });
        let output = output.await?;
        let mut commit = self.ending(&window, Kind::Compact)?;
        commit.granules.bury(&inputs, commit.number, window.now_ms());
        commit.granules.add(vec![output]);
        self.end_compaction(&window, commit).await.map(Some)
    }

    async fn end_compaction(&mut self, window: &Window, commit: Commit) -> Result<&Commit> {
        fault::reached("compact-before-commit");
        let commit = self.end(window, commit).await?;
        fault::reached("compact-after-commit");
        Ok(commit)
    }

    /// Gathers the footers of each array's fragments in one file, which an open then reads instead of many. Cells are not
    /// touched, and nothing depends on it.
    ///
    /// # Errors
    /// [`Error::TileDb`] or [`Error::Io`] when it cannot be written.
    pub async fn consolidate_metadata(&self) -> Result<()> {
        let (context, location) = (self.database.context().clone(), self.database.location().clone());
        blocking(move || location.arrays().iter().try_for_each(|array| footers::gather(&context, &location, array)))
            .await
    }
}

/// The visible rows of these fragments of the ledger, as rows of the fragment `id`.
fn ledger_of(snapshot: &Snapshot, fragments: &[FragmentRecord], id: Id) -> Result<Vec<RecordBatch>> {
    let schema = Arc::new(ledger_schema());
    let request = ReadRequest {
        columns: schema.fields().iter().map(|field| field.name().clone()).collect(),
        ranges: Vec::new(),
        condition: is_in(FRAGMENT_ID, fragments.iter().map(|fragment| fragment.id), false),
        batch_rows: 8192,
    };
    let mut batches = Vec::new();
    for batch in snapshot.granules().read(&request)? {
        let batch = batch?;
        let of_new = |(field, column): (&Arc<arrow::datatypes::Field>, &ArrayRef)| -> ArrayRef {
            match field.name() == FRAGMENT_ID {
                true => Arc::new(Int64Array::from_value(id.0, column.len())),
                false => Arc::clone(column),
            }
        };
        let columns = schema.fields().iter().zip(batch.columns()).map(of_new).collect();
        batches.push(RecordBatch::try_new(batch.schema(), columns)?);
    }
    Ok(batches)
}
