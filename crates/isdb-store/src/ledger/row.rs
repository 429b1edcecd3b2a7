//! A ledger row: what the database records of one attempt at a granule.

use isdb_schema::ledger::{ALREADY_STORED, CARRIED, GranuleState, Removed};
use serde::{Deserialize, Serialize};

use crate::id::Id;

/// One attempt at one granule. The fields are the columns of [`ledger_schema`](isdb_schema::ledger::ledger_schema) by name. Times are nanoseconds since 1970, UTC; a value that the file does not contain is None.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// The attempt's id, which is in every segment that the attempt wrote.
    pub ingest_id: Id,
    /// The granule's id, `ATL08_20200821122613_08730802_004_01`.
    pub granule: String,
    /// The product, `ATL08`.
    pub product: String,
    /// Reference ground track, 1 to 1387.
    pub rgt: Option<i32>,
    /// Cycle of the mission.
    pub cycle: Option<i32>,
    /// Region along the orbit, 1 to 14.
    pub region: Option<i32>,
    /// Release, `007`.
    pub release: Option<String>,
    /// Revision, `01`.
    pub revision: Option<String>,
    /// The product's own quality assessment of the granule: 0 pass, 1 fail.
    pub qa_granule_pass_fail: Option<i32>,
    /// True for a spatial or variable subset of the granule.
    pub subset: Option<bool>,
    /// The granule's start.
    pub start_time: Option<i64>,
    /// The source of the granule's identity: `metadata`, `ancillary`, `rows`, `file_name`, or `content` where none of these names it.
    pub identity_source: Option<String>,
    /// The path or URL that the granule was read from.
    pub source: String,
    /// Size of the file.
    pub size_bytes: i64,
    /// When the file was last changed.
    pub modified_at: Option<i64>,
    /// The checksum of the file's content with the name of the algorithm, `xxh64:9f2c…`.
    pub checksum: Option<String>,
    /// The name of the area that the attempt was restricted to; None for the whole granule.
    pub area: Option<String>,
    /// The names of the requested variables, separated by blanks.
    pub variables: String,
    /// The derived columns as a JSON list of names and SQL; `none` without any.
    pub derived: String,
    /// Equal for two attempts that derived the same columns.
    pub derived_hash: String,
    /// The names of the filters that the segments passed; `none` without any.
    pub filters: String,
    /// Equal for two attempts with the same filters: the same SQL in the same order.
    pub filters_hash: String,
    /// Segments in the file.
    pub rows_read: i64,
    /// Segments stored.
    pub rows_kept: i64,
    /// Segments without position or time, which cannot be stored.
    pub rows_rejected: i64,
    /// Segments that a filter removed.
    pub rows_removed: i64,
    /// The segments that each filter removed, in the order of the filters. JSON in the column; NULL when empty.
    #[serde(with = "removed_as_json")]
    pub removed_by: Vec<Removed>,
    /// Beams with rows.
    pub beams_read: i64,
    /// Beams without rows.
    pub beams_empty: i64,
    /// Beams without a group or without `land_segments`.
    pub beams_missing: i64,
    /// The names of requested variables that the granule lacks although its release has them, separated by blanks.
    pub missing_variables: Option<String>,
    /// Remarks about the file, for people.
    pub notes: Option<String>,
    /// The earlier attempts that this one replaced or removed. Separated by blanks in the column; NULL when empty.
    #[serde(with = "ids_as_text")]
    pub replaces: Vec<Id>,
    /// The outcome of the attempt.
    #[serde(with = "state_as_text")]
    pub state: GranuleState,
    /// The stage at which the attempt failed: `search`, `download`, `read` (the bytes could not be fetched, which is retried),
    /// `identify`, `decode`, `filter`, `replace` (too few segments to replace the stored ones), `again` (a file that has to be
    /// read again no longer exists) or `window`. [`CARRIED`] for an attempt that was written again from the database because a
    /// newer one replaced part of it.
    pub stage: Option<String>,
    /// The reason for the failure.
    pub error: Option<String>,
    /// The time at which the attempt ended.
    pub finished_at: i64,
}

impl LedgerRow {
    /// A row of the attempt `ingest_id` without an outcome: the state is `failed` until another one is set, counts are 0, texts are
    /// empty and optional values None. Meant for struct update syntax.
    #[must_use]
    pub fn new(ingest_id: Id) -> LedgerRow {
        LedgerRow {
            ingest_id,
            granule: String::new(),
            product: String::new(),
            rgt: None,
            cycle: None,
            region: None,
            release: None,
            revision: None,
            qa_granule_pass_fail: None,
            subset: None,
            start_time: None,
            identity_source: None,
            source: String::new(),
            size_bytes: 0,
            modified_at: None,
            checksum: None,
            area: None,
            variables: String::new(),
            derived: String::new(),
            derived_hash: String::new(),
            filters: String::new(),
            filters_hash: String::new(),
            rows_read: 0,
            rows_kept: 0,
            rows_rejected: 0,
            rows_removed: 0,
            removed_by: Vec::new(),
            beams_read: 0,
            beams_empty: 0,
            beams_missing: 0,
            missing_variables: None,
            notes: None,
            replaces: Vec::new(),
            state: GranuleState::Failed,
            stage: None,
            error: None,
            finished_at: 0,
        }
    }

    /// The row of an attempt that removes this row's granule from the database, and with it the attempts `replaces`.
    #[must_use]
    pub fn removal(&self, ingest_id: Id, replaces: Vec<Id>, finished_at: i64) -> LedgerRow {
        LedgerRow {
            rows_read: 0,
            rows_kept: 0,
            rows_rejected: 0,
            rows_removed: 0,
            removed_by: Vec::new(),
            beams_read: 0,
            beams_empty: 0,
            beams_missing: 0,
            missing_variables: None,
            notes: None,
            state: GranuleState::Removed,
            stage: None,
            error: None,
            ingest_id,
            replaces,
            finished_at,
            ..self.clone()
        }
    }

    /// Whether its segments were written again from the database because a newer attempt replaced part of an earlier one.
    #[must_use]
    pub fn is_carried(&self) -> bool {
        self.stage.as_deref() == Some(CARRIED)
    }

    /// How many segments of its file were not stored because other attempts have them.
    #[must_use]
    pub fn rows_already_stored(&self) -> i64 {
        let rows = self.already_stored().map(|removed| i64::try_from(removed.removed).unwrap_or(i64::MAX));
        rows.fold(0, i64::saturating_add)
    }

    /// The attempts that have those [segments](Self::rows_already_stored).
    pub fn stored_by(&self) -> impl Iterator<Item = Id> {
        self.already_stored().flat_map(|removed| removed.stored_by.iter().copied().map(Id))
    }

    fn already_stored(&self) -> impl Iterator<Item = &Removed> {
        self.removed_by.iter().filter(|removed| removed.filter == ALREADY_STORED)
    }
}

/// `removed_by` in its column: JSON, or NULL for an empty list.
mod removed_as_json {
    use isdb_schema::ledger::Removed;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(list: &[Removed], serializer: S) -> Result<S::Ok, S::Error> {
        (!list.is_empty()).then(|| Removed::to_json(list)).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Removed>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        Ok(text.map(|text| Removed::from_json(&text)).unwrap_or_default())
    }
}

/// `replaces` in its column: ids separated by blanks, or NULL for an empty list.
mod ids_as_text {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::id::Id;

    pub(super) fn serialize<S: Serializer>(ids: &[Id], serializer: S) -> Result<S::Ok, S::Error> {
        let ids: Vec<String> = ids.iter().map(Id::to_string).collect();
        (!ids.is_empty()).then(|| ids.join(" ")).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Id>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
        let ids: Option<Vec<Id>> = text.split_whitespace().map(|id| id.parse().ok().map(Id)).collect();
        ids.ok_or_else(|| D::Error::custom(format!("replaces: expected ids separated by blanks, found {text:?}")))
    }
}

/// `state` in its column: one word.
mod state_as_text {
    use isdb_schema::ledger::GranuleState;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(state: &GranuleState, serializer: S) -> Result<S::Ok, S::Error> {
        state.as_str().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<GranuleState, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom(format!("state: unknown value {text:?}")))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn row(ingest_id: Id, granule: &str) -> LedgerRow {
        LedgerRow {
            ingest_id,
            granule: granule.to_owned(),
            product: "ATL08".to_owned(),
            rgt: Some(873),
            cycle: None,
            region: Some(2),
            release: Some("004".to_owned()),
            revision: None,
            qa_granule_pass_fail: Some(0),
            subset: Some(true),
            start_time: Some(1),
            identity_source: None,
            source: "a.h5".to_owned(),
            size_bytes: 5,
            modified_at: Some(3),
            checksum: Some("xxh64:05".to_owned()),
            area: None,
            variables: "h_canopy".to_owned(),
            derived: "none".to_owned(),
            derived_hash: "0".to_owned(),
            filters: "night".to_owned(),
            filters_hash: "1".to_owned(),
            rows_read: 5,
            rows_kept: 2,
            rows_rejected: 1,
            rows_removed: 2,
            removed_by: vec![Removed { filter: "night".to_owned(), removed: 2, null: 1, alone: 2, stored_by: vec![9] }],
            beams_read: 4,
            beams_empty: 1,
            beams_missing: 1,
            missing_variables: None,
            notes: Some("odd".to_owned()),
            replaces: vec![Id(3), Id(4)],
            state: GranuleState::Ingested,
            stage: None,
            error: None,
            finished_at: 2,
        }
    }

    #[test]
    fn a_removal_keeps_the_granule_and_has_no_segments() {
        let removed = row(Id(1), "a").removal(Id(5), vec![Id(1)], 9);
        assert_eq!((removed.ingest_id, &*removed.replaces, removed.finished_at), (Id(5), &[Id(1)][..], 9));
        assert_eq!((removed.state, removed.rows_kept, removed.rows_read), (GranuleState::Removed, 0, 0));
        assert_eq!((&*removed.granule, removed.rgt, &*removed.filters), ("a", Some(873), "night"));
        assert!(removed.removed_by.is_empty() && removed.notes.is_none());
    }

    #[test]
    fn only_segments_that_other_attempts_have_count_as_already_stored() {
        let stored = |removed, stored_by| Removed {
            filter: ALREADY_STORED.to_owned(),
            removed,
            stored_by,
            ..Removed::default()
        };
        let mut row = row(Id(1), "a");
        assert_eq!((row.rows_already_stored(), row.stored_by().count()), (0, 0));
        row.removed_by.extend([stored(3, vec![7, 8]), stored(4, vec![9])]);
        assert_eq!(row.rows_already_stored(), 7);
        assert_eq!(row.stored_by().collect::<Vec<_>>(), [Id(7), Id(8), Id(9)]);
    }
}
