//! Checks before a commit: the fragments contain exactly the rows that the ledger counts, and all ids belong to the window. A batch
//! that was lost or duplicated on its way is detected here, and nothing is committed.

use std::collections::BTreeSet;

use isdb_schema::segments::{FRAGMENT_ID, INGEST_ID};
use tiledb::{DimensionRange, Literal, Predicate, ReadRequest};

use super::handle::Writer;
use super::window::{Changes, Window};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::log::array_state::FragmentRecord;
use crate::reader::snapshot::Snapshot;
use crate::reader::visibility::id_condition;

const BATCH_ROWS: usize = 65_536;

impl Writer {
    /// Checks the changes that a window is about to commit.
    ///
    /// # Errors
    /// [`Error::Mismatch`].
    pub(super) fn check_window(&self, window: &Window, changes: &Changes) -> Result<()> {
        let (mut attempts, mut replaced) = (BTreeSet::new(), BTreeSet::new());
        for row in &changes.ledger {
            let id = row.ingest_id;
            if !window.has_ingest(id) {
                return Err(
                    self.mismatch(format!("{} has ingest id {id}, which does not belong to this window", row.granule))
                );
            }
            if !attempts.insert(id) {
                return Err(self.mismatch(format!("two granules have ingest id {id}; one is {}", row.granule)));
            }
            // Both may have written the remaining segments of the attempt again.
            if let Some(twice) = row.replaces.iter().find(|id| !replaced.insert(**id)) {
                return Err(self.mismatch(format!("two granules replace attempt {twice}; one is {}", row.granule)));
            }
        }
        self.check_fragments(window, changes.fragments.iter().chain(&changes.abandoned))?;
        let kept = changes.ledger.iter().map(|row| i128::from(row.rows_kept)).sum::<i128>();
        let written = rows(&changes.fragments);
        if kept == i128::from(written) {
            return Ok(());
        }
        Err(self.mismatch(format!("expected {kept} segments as in the ledger rows, found {written} in the fragments")))
    }

    /// Checks that a compaction neither loses nor duplicates a segment. It drops the segments of dead attempts, which are counted.
    ///
    /// # Errors
    /// [`Error::Mismatch`].
    pub(super) async fn check_compaction(
        &self,
        window: &Window,
        inputs: &[FragmentRecord],
        outputs: &[FragmentRecord],
    ) -> Result<()> {
        self.check_fragments(window, outputs.iter())?;
        let (all, dead) = (rows(inputs), self.dead_rows(inputs).await?);
        let written = rows(outputs);
        if all.checked_sub(dead) == Some(written) {
            return Ok(());
        }
        Err(self.mismatch(format!("expected {all} segments less {dead} of replaced attempts, found {written}")))
    }

    fn check_fragments<'f>(&self, window: &Window, fragments: impl Iterator<Item = &'f FragmentRecord>) -> Result<()> {
        let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
        for FragmentRecord { id, name, .. } in fragments {
            if !window.has_fragment(*id) {
                return Err(self.mismatch(format!("fragment {name} has id {id}, which does not belong to this window")));
            }
            if !ids.insert(*id) || !names.insert(name) {
                return Err(self.mismatch(format!("two fragments have id {id} or name {name}")));
            }
        }
        Ok(())
    }

    /// Counts the rows of dead attempts in `fragments`. Reads two small columns within the bounds of the fragments, and nothing if none of
    /// their attempts is dead.
    async fn dead_rows(&self, fragments: &[FragmentRecord]) -> Result<u64> {
        let dead = self.head.dead_attempts.iter();
        let dead = dead.filter(|dead| fragments.iter().any(|fragment| dead.fragments.contains(&fragment.id)));
        let dead: BTreeSet<Id> = dead.map(|dead| dead.id).collect();
        if dead.is_empty() {
            return Ok(0);
        }
        let snapshot = self.database.open_snapshot(self.head.clone()).await?;
        let fragments = fragments.to_vec();
        blocking(move || count_rows(&snapshot, &fragments, &dead)).await
    }

    fn mismatch(&self, problem: String) -> Error {
        Error::Mismatch { uri: self.database.location().uri(), problem }
    }
}

fn rows(fragments: &[FragmentRecord]) -> u64 {
    fragments.iter().map(|fragment| fragment.rows).sum()
}

/// Counts the rows of `fragments` that belong to `attempts`.
fn count_rows(snapshot: &Snapshot, fragments: &[FragmentRecord], attempts: &BTreeSet<Id>) -> Result<u64> {
    let ids = id_condition(FRAGMENT_ID, fragments.iter().map(|fragment| fragment.id), false);
    let dead = id_condition(INGEST_ID, attempts.iter().copied(), false);
    let request = ReadRequest {
        columns: vec![INGEST_ID.to_owned()],
        ranges: bounds(snapshot, fragments),
        condition: Some(Predicate::And(ids.into_iter().chain(dead).collect())),
        batch_rows: BATCH_ROWS,
    };
    let mut rows = 0;
    for batch in snapshot.segments().read(&request)? {
        rows += batch?.num_rows() as u64;
    }
    Ok(rows)
}

/// The bounds of `fragments`, as ranges of the dimensions; no ranges where libtiledb does not know them.
fn bounds(snapshot: &Snapshot, fragments: &[FragmentRecord]) -> Vec<DimensionRange> {
    let array = snapshot.segments();
    let Ok(listed) = array.fragments() else { return Vec::new() };
    let names: BTreeSet<&str> = fragments.iter().map(|fragment| fragment.name.as_str()).collect();
    let domains: Vec<_> =
        listed.iter().filter(|listed| names.contains(listed.name.as_str())).map(|fragment| &fragment.domain).collect();
    if domains.len() < names.len() {
        return Vec::new();
    }
    let dimensions = array.layout().dimensions.iter().enumerate();
    let range = |(at, dimension): (usize, &tiledb::Dimension)| {
        let sides: Vec<&(Literal, Literal)> = domains.iter().filter_map(|domain| domain.get(at)).collect();
        let low = sides.iter().map(|side| &side.0).min_by(|a, b| compare(a, b))?;
        let high = sides.iter().map(|side| &side.1).max_by(|a, b| compare(a, b))?;
        Some(DimensionRange { dimension: dimension.name.clone(), low: low.clone(), high: high.clone() })
    };
    dimensions.filter_map(range).collect()
}

/// Compares two coordinates of one dimension, which have the same type.
fn compare(a: &Literal, b: &Literal) -> std::cmp::Ordering {
    match (a, b) {
        (Literal::Float(a), Literal::Float(b)) => a.total_cmp(b),
        (Literal::Int(a), Literal::Int(b)) | (Literal::TimestampNs(a), Literal::TimestampNs(b)) => a.cmp(b),
        _ => std::cmp::Ordering::Equal,
    }
}
