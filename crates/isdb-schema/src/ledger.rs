//! The ledger: the fields of the `granules` array, one row per attempt at a granule. The SQL table `granules` shows
//! these columns as they are.

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use serde::{Deserialize, Serialize};

use crate::segments::{FRAGMENT_ID, INGEST_ID};

/// What became of a granule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GranuleState {
    /// Rows of the granule are in the database.
    Ingested,
    /// The granule was read to its end and holds no row to keep: a success.
    Empty,
    /// The granule could not be read; the ledger keeps the error and nothing of it is in the database.
    Failed,
    /// The granule was taken out of the database on purpose, for example since NASA withdrew it.
    Removed,
}

impl GranuleState {
    /// Every state.
    pub const ALL: [GranuleState; 4] =
        [GranuleState::Ingested, GranuleState::Empty, GranuleState::Failed, GranuleState::Removed];

    /// The word stored in the ledger's `state` column.
    pub fn as_str(self) -> &'static str {
        match self {
            GranuleState::Ingested => "ingested",
            GranuleState::Empty => "empty",
            GranuleState::Failed => "failed",
            GranuleState::Removed => "removed",
        }
    }

    /// The state behind a stored word; None for a word this version does not know.
    pub fn parse(word: &str) -> Option<GranuleState> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// True when the granule was read to its end.
    pub fn is_done(self) -> bool {
        matches!(self, GranuleState::Ingested | GranuleState::Empty)
    }
}

/// The `stage` of an attempt that holds what a newer one has left of an earlier one: its rows were not read from a file.
pub const CARRIED: &str = "carried";

/// In `removed_by` the name for segments that were left out since another attempt has them.
pub const ALREADY_STORED: &str = "already stored";

/// What one filter removed of one granule. In the ledger a list of these is JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// The filter's name.
    pub filter: String,
    /// Segments for which it was the first filter that is not TRUE.
    pub removed: u64,
    /// Those of them for which it is NULL, since a value that it looks at is missing.
    pub null: u64,
    /// Segments for which it is not TRUE, whatever the filters before it say.
    pub alone: u64,
    /// The attempts that have these segments, where they were left out since others have them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_by: Vec<i64>,
}

impl Removed {
    /// A list as the ledger keeps it.
    #[must_use]
    pub fn to_json(list: &[Removed]) -> String {
        // Strings and numbers always have a JSON form.
        serde_json::to_string(list).unwrap_or_default()
    }

    /// The list that [`to_json`](Self::to_json) wrote; empty for anything else.
    #[must_use]
    pub fn from_json(text: &str) -> Vec<Removed> {
        serde_json::from_str(text).unwrap_or_default()
    }
}

/// The columns of the `granules` array: the key first, then what is known about the granule, then what happened.
///
/// `granule`, `source`, `variables`, `derived`, `filters` and `state` are always known; what a file does not say about itself is
/// NULL. `area` is NULL when the whole granule was asked for, else `W,S,E,N`, GeoJSON, or
/// the path in the database's folder of a file with GeoJSON. `replaces` names, separated by blanks, the earlier attempts
/// whose rows this one took out of the database.
/// `rows_read` = `rows_kept` + `rows_rejected` + `rows_removed`; `removed_by` is JSON, a list of [`Removed`].
pub fn ledger_schema() -> Schema {
    let text = |name: &str, nullable| Field::new(name, DataType::LargeUtf8, nullable);
    let count = |name: &str| Field::new(name, DataType::Int64, false);
    let instant = |name: &str, nullable| {
        Field::new(name, DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), nullable)
    };
    Schema::new(vec![
        count(INGEST_ID),
        count(FRAGMENT_ID),
        text("granule", false),
        text("product", false),
        Field::new("rgt", DataType::Int32, true),
        Field::new("cycle", DataType::Int32, true),
        Field::new("region", DataType::Int32, true),
        text("release", true),
        text("revision", true),
        Field::new("qa_granule_pass_fail", DataType::Int32, true),
        Field::new("subset", DataType::Boolean, true),
        instant("start_time", true),
        text("identity_source", true),
        text("source", false),
        count("size_bytes"),
        instant("modified_at", true),
        text("checksum", true),
        text("area", true),
        text("variables", false),
        text("derived", false),
        text("derived_hash", false),
        text("filters", false),
        text("filters_hash", false),
        count("rows_read"),
        count("rows_kept"),
        count("rows_rejected"),
        count("rows_removed"),
        text("removed_by", true),
        count("beams_read"),
        count("beams_empty"),
        count("beams_missing"),
        text("missing_variables", true),
        text("notes", true),
        text("replaces", true),
        text("state", false),
        text("stage", true),
        text("error", true),
        instant("finished_at", false),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_state_reads_back_as_itself() {
        for state in GranuleState::ALL {
            assert_eq!(GranuleState::parse(state.as_str()), Some(state));
        }
        assert_eq!(GranuleState::parse("done"), None);
    }

    #[test]
    fn what_filters_removed_reads_back_from_the_ledger() {
        let list = vec![
            Removed { filter: "boreal.strong".into(), removed: 5, null: 1, alone: 7, held_by: vec![3] },
            Removed::default(),
        ];
        assert_eq!(Removed::from_json(&Removed::to_json(&list)), list);
        assert_eq!(Removed::from_json("strong"), []);
    }

    #[test]
    fn a_failed_granule_is_tried_again_and_an_empty_one_is_not() {
        assert!(!GranuleState::Failed.is_done() && !GranuleState::Removed.is_done());
        assert!(GranuleState::Empty.is_done());
    }
}
