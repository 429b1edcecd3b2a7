//! What is checked before a commit: that the fragments hold exactly the rows that the ledger counts, under ids that this window
//! alone gives out. A batch that is lost or doubled on its way ends here, with nothing committed.

use std::collections::BTreeSet;

use tiledb::{Condition, DimensionRange, Literal, ReadRequest};

use super::{Changes, Window, Writer};
use crate::blocking::blocking;
use crate::commit::{FragmentRecord, is_in};
use crate::error::{Error, Result};
use crate::ids::{FRAGMENT_ID, INGEST_ID, Id};
use crate::snapshot::Snapshot;

const BATCH_ROWS: usize = 65_536;

impl Writer {
    /// Checks what a window is about to commit.
    ///
    /// # Errors
    /// [`Error::Mismatch`].
    pub(super) fn check_window(&self, window: &Window, changes: &Changes) -> Result<()> {
        let (mut attempts, mut gone) = (BTreeSet::new(), BTreeSet::new());
        for row in &changes.ledger {
            let id = row.ingest_id;
            if !window.has_ingest(id) {
                return Err(
                    self.mismatch(format!("{} has the ingest id {id}, which is not of this window", row.granule))
                );
            }
            if !attempts.insert(id) {
                return Err(self.mismatch(format!("two granules have the ingest id {id}; one is {}", row.granule)));
            }
            // Both may have written again what is left of it.
            if let Some(twice) = row.replaces.iter().find(|replaced| !gone.insert(**replaced)) {
                return Err(self.mismatch(format!("two granules replace the attempt {twice}; one is {}", row.granule)));
            }
        }
        self.check_fragments(window, changes.fragments.iter().chain(&changes.abandoned))?;
        let kept = changes.ledger.iter().map(|row| i128::from(row.rows_kept)).sum::<i128>();
        let written = rows(&changes.fragments);
        if kept == i128::from(written) {
            return Ok(());
        }
        Err(self
            .mismatch(format!("expected the {kept} segments that its granules have, found {written} in its fragments")))
    }

    /// Checks that a compaction loses no segment and doubles none. Those of dead attempts stay behind, and are counted.
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
        let expected = format!("{all} segments less {dead} that were replaced");
        Err(self.mismatch(format!("expected {expected} to be written again, found {written}")))
    }

    fn check_fragments<'f>(&self, window: &Window, fragments: impl Iterator<Item = &'f FragmentRecord>) -> Result<()> {
        let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
        for FragmentRecord { id, name, .. } in fragments {
            if !window.has_fragment(*id) {
                return Err(self.mismatch(format!("the fragment {name} has the id {id}, which is not of this window")));
            }
            if !ids.insert(*id) || !names.insert(name) {
                return Err(self.mismatch(format!("two fragments have the id {id} or the name {name}")));
            }
        }
        Ok(())
    }

    /// How many rows of dead attempts `fragments` hold: reads two small columns within the fragments' box, and nothing where no
    /// attempt in them is dead.
    async fn dead_rows(&self, fragments: &[FragmentRecord]) -> Result<u64> {
        let holds =
            |ingest: &Id, of: &BTreeSet<Id>| fragments.iter().any(|held| of.contains(&held.id)).then_some(*ingest);
        let dead = &self.head.dead_ingests;
        let dead: BTreeSet<Id> = dead.iter().filter_map(|dead| holds(&dead.id, &dead.fragments)).collect();
        if dead.is_empty() {
            return Ok(0);
        }
        let snapshot = Snapshot::open(&self.database, self.head.clone()).await?;
        let fragments = fragments.to_vec();
        blocking(move || count(&snapshot, &fragments, &dead)).await
    }

    fn mismatch(&self, problem: String) -> Error {
        Error::Mismatch { uri: self.database.location().uri(), problem }
    }
}

fn rows(fragments: &[FragmentRecord]) -> u64 {
    fragments.iter().map(|fragment| fragment.rows).sum()
}

/// The rows of `fragments` that belong to `attempts`.
fn count(snapshot: &Snapshot, fragments: &[FragmentRecord], attempts: &BTreeSet<Id>) -> Result<u64> {
    let ids = is_in(FRAGMENT_ID, fragments.iter().map(|fragment| fragment.id), false);
    let dead = is_in(INGEST_ID, attempts.iter().copied(), false);
    let request = ReadRequest {
        columns: vec![INGEST_ID.to_owned()],
        ranges: extent(snapshot, fragments),
        condition: Some(Condition::And(ids.into_iter().chain(dead).collect())),
        batch_rows: BATCH_ROWS,
    };
    let mut rows = 0;
    for batch in snapshot.segments().read(&request)? {
        rows += batch?.num_rows() as u64;
    }
    Ok(rows)
}

/// The box around `fragments`; everything, where libtiledb cannot say where they lie.
fn extent(snapshot: &Snapshot, fragments: &[FragmentRecord]) -> Vec<DimensionRange> {
    let array = snapshot.segments();
    let Ok(listed) = array.fragments() else { return Vec::new() };
    let names: BTreeSet<&str> = fragments.iter().map(|fragment| fragment.name.as_str()).collect();
    let boxes: Vec<_> =
        listed.iter().filter(|listed| names.contains(listed.name.as_str())).map(|it| &it.domain).collect();
    if boxes.len() < names.len() {
        return Vec::new();
    }
    let dimensions = array.layout().dimensions.iter().enumerate();
    let range = |(at, dimension): (usize, &tiledb::Dimension)| {
        let sides: Vec<&(Literal, Literal)> = boxes.iter().filter_map(|sides| sides.get(at)).collect();
        let low = sides.iter().map(|side| &side.0).min_by(|a, b| order(a, b))?;
        let high = sides.iter().map(|side| &side.1).max_by(|a, b| order(a, b))?;
        Some(DimensionRange { dimension: dimension.name.clone(), low: low.clone(), high: high.clone() })
    };
    dimensions.filter_map(range).collect()
}

/// Coordinates of one dimension are of one type.
fn order(a: &Literal, b: &Literal) -> std::cmp::Ordering {
    match (a, b) {
        (Literal::Float(a), Literal::Float(b)) => a.total_cmp(b),
        (Literal::Int(a), Literal::Int(b)) | (Literal::TimestampNs(a), Literal::TimestampNs(b)) => a.cmp(b),
        _ => std::cmp::Ordering::Equal,
    }
}
