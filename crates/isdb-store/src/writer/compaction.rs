//! Compaction: few large fragments in place of many small ones. It changes no visible row.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::FieldRef;
use isdb_schema::ledger::ledger_schema;
use isdb_schema::segments::FRAGMENT_ID;
use tiledb::ReadRequest;

use super::footers::consolidate_footers;
use super::handle::Writer;
use super::window::Window;
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::fault;
use crate::id::Id;
use crate::log::array_state::FragmentRecord;
use crate::log::commit::{Commit, CommitKind};
use crate::reader::snapshot::Snapshot;
use crate::reader::visibility::id_condition;

/// A ledger fragment with fewer rows than this counts as small.
const SMALL_ROWS: u64 = 10_000;
/// More small fragments than this are rewritten as one. Every window adds one, and every open reads their footers.
const MAX_SMALL_FRAGMENTS: usize = 32;

impl Writer {
    /// Replaces the live fragments `inputs` of `segments` by `outputs`. The outputs must contain the visible rows of the inputs with
    /// their ingest ids, written in the window. From this commit on the outputs are visible and the inputs are not.
    ///
    /// # Errors
    /// [`Error::Damaged`] when an input is not live, [`Error::Mismatch`] when the number of rows in the outputs differs from the
    /// visible rows of the inputs; else as for [`commit`](Self::commit).
    pub async fn compact(
        &mut self,
        window: Window,
        inputs: &BTreeSet<Id>,
        outputs: Vec<FragmentRecord>,
    ) -> Result<&Commit> {
        let mut commit = self.window_commit(&window, CommitKind::Compact)?;
        let not_live = |id: &Id| Error::Damaged {
            object: self.database.location().segments(),
            problem: format!("fragment {id} to be compacted is not live"),
        };
        let live = &self.state.segments.live;
        let inputs: Vec<FragmentRecord> =
            inputs.iter().map(|id| live.get(id).cloned().ok_or_else(|| not_live(id))).collect::<Result<_>>()?;
        self.check_compaction(&window, &inputs, &outputs).await?;
        commit.segments.remove(&inputs, commit.number, window.now_ms());
        commit.segments.add(outputs);
        self.finish_compaction(&window, commit).await
    }

    /// Rewrites the small fragments of `granules` as one if there are more than 32. Returns None if there are not.
    ///
    /// # Errors
    /// As for [`commit`](Self::commit).
    pub async fn compact_ledger(&mut self, now_ms: u64) -> Result<Option<&Commit>> {
        let live = self.state.granules.live.values();
        let inputs: Vec<FragmentRecord> = live.filter(|fragment| fragment.rows < SMALL_ROWS).cloned().collect();
        if inputs.len() <= MAX_SMALL_FRAGMENTS {
            return Ok(None);
        }
        let window = self.begin_window(0, now_ms)?;
        let snapshot = self.database.snapshot().await?;
        let (context, id, timestamp) = (self.database.context().clone(), window.ledger_id(), window.timestamp);
        let fragments = inputs.clone();
        let output = blocking(move || {
            let batches = read_ledger_fragments(&snapshot, &fragments, id)?;
            let rows = batches.iter().map(RecordBatch::num_rows).sum::<usize>() as u64;
            let recorded: u64 = fragments.iter().map(|fragment| fragment.rows).sum();
            if rows != recorded {
                let problem = format!("expected {recorded} ledger rows, found {rows}");
                return Err(Error::Damaged { object: snapshot.granules().uri().to_owned(), problem });
            }
            let name = tiledb::write_fragment(&context, snapshot.granules().uri(), timestamp, batches)?;
            Ok(FragmentRecord { id, name, rows })
        });
        let output = output.await?;
        let mut commit = self.window_commit(&window, CommitKind::Compact)?;
        commit.granules.remove(&inputs, commit.number, window.now_ms());
        commit.granules.add(vec![output]);
        self.finish_compaction(&window, commit).await.map(Some)
    }

    async fn finish_compaction(&mut self, window: &Window, commit: Commit) -> Result<&Commit> {
        fault::reached("compact-before-commit");
        let commit = self.finish_window(window, commit).await?;
        fault::reached("compact-after-commit");
        Ok(commit)
    }

    /// Consolidates the footers of each array's fragments into one file, which an open then reads instead of many. Cells do not
    /// change, and nothing depends on it.
    ///
    /// # Errors
    /// [`Error::TileDb`] or [`Error::Io`] when it cannot be written.
    pub async fn consolidate_metadata(&self) -> Result<()> {
        let (context, location) = (self.database.context().clone(), self.database.location().clone());
        blocking(move || location.arrays().iter().try_for_each(|array| consolidate_footers(&context, &location, array)))
            .await
    }
}

/// Reads the rows of these ledger fragments, as rows of the fragment `id`.
fn read_ledger_fragments(snapshot: &Snapshot, fragments: &[FragmentRecord], id: Id) -> Result<Vec<RecordBatch>> {
    let schema = Arc::new(ledger_schema());
    let request = ReadRequest {
        columns: schema.fields().iter().map(|field| field.name().clone()).collect(),
        ranges: Vec::new(),
        condition: id_condition(FRAGMENT_ID, fragments.iter().map(|fragment| fragment.id), false),
        batch_rows: 8192,
    };
    let mut batches = Vec::new();
    for batch in snapshot.granules().read(&request)? {
        let batch = batch?;
        let with_new_id = |(field, column): (&FieldRef, &ArrayRef)| -> ArrayRef {
            match field.name() == FRAGMENT_ID {
                true => Arc::new(Int64Array::from_value(id.0, column.len())),
                false => Arc::clone(column),
            }
        };
        let columns = schema.fields().iter().zip(batch.columns()).map(with_new_id).collect();
        batches.push(RecordBatch::try_new(batch.schema(), columns)?);
    }
    Ok(batches)
}
