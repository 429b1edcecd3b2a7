//! An attempt of the ledger, reduced to what decisions depend on: a run keeps every attempt of the database in memory.

use std::collections::HashSet;
use std::sync::Arc;

use isdb_schema::ledger::GranuleState;
use isdb_store::{Id, LedgerRow};

use crate::decide::rank::Rank;
use crate::find::granule_key::GranuleKey;

/// One attempt at one granule: the columns of its ledger row that decisions depend on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredAttempt {
    pub(crate) ingest_id: Id,
    pub(crate) key: GranuleKey,
    /// The granule's id.
    pub(crate) granule: Box<str>,
    pub(crate) rank: Rank,
    /// Whether the file is a subset of its granule.
    pub(crate) is_subset: bool,
    /// When the granule begins, in nanoseconds since 1970.
    pub(crate) start_time: Option<i64>,
    /// The path or URL of the file.
    pub(crate) source: Box<str>,
    pub(crate) size_bytes: i64,
    /// When the file was last changed, in nanoseconds since 1970.
    pub(crate) modified_at: Option<i64>,
    pub(crate) checksum: Option<Box<str>>,
    pub(crate) selection: Arc<StoredSelection>,
    /// Segments in the file.
    pub(crate) rows_read: i64,
    /// Segments stored.
    pub(crate) rows_kept: i64,
    /// Segments that were not stored because other attempts have them.
    pub(crate) rows_already_stored: i64,
    /// The attempts that have those segments.
    pub(crate) stored_by: Box<[Id]>,
    /// The attempts that this one replaced or removed.
    pub(crate) replaces: Box<[Id]>,
    pub(crate) state: GranuleState,
    /// Whether its segments come from an earlier attempt that was replaced in part.
    pub(crate) is_carried: bool,
    /// Why it failed.
    pub(crate) failure: Option<Box<Failure>>,
    /// The whole row of a subset or an extract, because another attempt may carry the rest of its segments; None for a
    /// whole granule, and when nothing is stored.
    pub(crate) part: Option<Arc<LedgerRow>>,
}

/// What an attempt was to store. Equal for most attempts of a database, which share it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct StoredSelection {
    /// The name of the area that the attempt was restricted to; None for the whole granule.
    pub(crate) area: Option<String>,
    /// The names of the requested variables, separated by blanks.
    pub(crate) variables: String,
    /// The names of requested variables that the granule lacks although its release has them, separated by blanks.
    pub(crate) missing_variables: Option<String>,
    pub(crate) derived_hash: String,
    pub(crate) filters_hash: String,
}

/// Why an attempt failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The stage at which it failed.
    pub(crate) stage: String,
    /// The error.
    pub(crate) error: String,
}

/// The selections that the attempts of a ledger share.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedSelections(HashSet<Arc<StoredSelection>>);

impl SharedSelections {
    /// Returns the one copy of `selection`.
    fn share(&mut self, selection: StoredSelection) -> Arc<StoredSelection> {
        if let Some(known) = self.0.get(&selection) {
            return Arc::clone(known);
        }
        let selection = Arc::new(selection);
        self.0.insert(Arc::clone(&selection));
        selection
    }
}

impl StoredAttempt {
    /// Reduces `row`, and shares its selection with the attempts in `selections`.
    pub(crate) fn new(row: LedgerRow, selections: &mut SharedSelections) -> StoredAttempt {
        let rank = Rank::from_row(&row);
        let selection = selections.share(StoredSelection {
            area: row.area.clone(),
            variables: row.variables.clone(),
            missing_variables: row.missing_variables.clone(),
            derived_hash: row.derived_hash.clone(),
            filters_hash: row.filters_hash.clone(),
        });
        let is_failed = row.state == GranuleState::Failed;
        let failure =
            || Failure { stage: row.stage.clone().unwrap_or_default(), error: row.error.clone().unwrap_or_default() };
        StoredAttempt {
            ingest_id: row.ingest_id,
            key: GranuleKey::from_row(&row),
            granule: row.granule.as_str().into(),
            rank,
            is_subset: row.subset == Some(true),
            start_time: row.start_time,
            source: row.source.as_str().into(),
            size_bytes: row.size_bytes,
            modified_at: row.modified_at,
            checksum: row.checksum.as_deref().map(Into::into),
            selection,
            rows_read: row.rows_read,
            rows_kept: row.rows_kept,
            rows_already_stored: row.rows_already_stored(),
            stored_by: row.stored_by().collect(),
            replaces: row.replaces.as_slice().into(),
            state: row.state,
            is_carried: row.is_carried(),
            failure: is_failed.then(|| Box::new(failure())),
            part: (row.state.is_done() && !rank.is_whole).then(|| Arc::new(row)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    #[test]
    fn the_attempts_of_a_mission_fit_in_memory() {
        // 400,000 granules take less than 250 MB with their texts and the indexes.
        assert!(size_of::<StoredAttempt>() <= 256, "{}", size_of::<StoredAttempt>());
        let mut selections = SharedSelections::default();
        let mut attempts = (0..9).map(|id| StoredAttempt::new(row(id, "a"), &mut selections));
        let first = attempts.next().unwrap();
        assert!(attempts.all(|other| Arc::ptr_eq(&first.selection, &other.selection)));
        assert_eq!(first.part, None, "a whole granule does not keep its row");
    }

    #[test]
    fn a_subset_keeps_its_row_as_long_as_its_segments_may_be_carried() {
        let subset = |state| LedgerRow { subset: Some(true), state, ..row(1, "a") };
        let part = |row: LedgerRow| StoredAttempt::new(row, &mut SharedSelections::default()).part;
        assert_eq!(part(subset(GranuleState::Ingested)).as_deref(), Some(&subset(GranuleState::Ingested)));
        assert_eq!(part(subset(GranuleState::Failed)), None);
    }
}
