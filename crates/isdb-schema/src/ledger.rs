//! The columns of the ledger, which are those of the SQL table `granules`: one row for each attempt at a granule.

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use serde::{Deserialize, Serialize};

use crate::segments::INGEST_ID;

/// The outcome of an attempt at a granule, written in lower case in the ledger's column `state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum GranuleState {
    /// Rows of the granule are in the database.
    Ingested,
    /// The granule was read to its end and has no rows to keep: a success.
    Empty,
    /// The granule could not be read: the ledger has the error, and the database has no rows of the granule.
    Failed,
    /// The granule was removed from the database on purpose, for example because NASA withdrew it.
    Removed,
}

impl GranuleState {
    /// Every state.
    pub const ALL: [GranuleState; 4] =
        [GranuleState::Ingested, GranuleState::Empty, GranuleState::Failed, GranuleState::Removed];

    /// The word in the column `state`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether the granule was read to its end.
    pub fn is_done(self) -> bool {
        matches!(self, GranuleState::Ingested | GranuleState::Empty)
    }
}

/// The `stage` of a carried attempt: its rows were read from the database, not from a file, because a newer attempt
/// replaced the other rows of an earlier attempt.
pub const CARRIED: &str = "carried";

/// The name in `removed_by` for segments that were skipped because another attempt stores them.
pub const ALREADY_STORED: &str = "already stored";

/// The number of segments of one granule that one filter removed. The ledger stores a list of these as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// The filter's name.
    pub filter: String,
    /// Segments for which it is the first filter that is not TRUE.
    pub removed: u64,
    /// The part of `removed` for which the filter is NULL, because a value that it needs is missing.
    pub null: u64,
    /// Segments for which it is not TRUE, regardless of the filters before it.
    pub alone: u64,
    /// The attempts that store these segments, for the filter [`ALREADY_STORED`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stored_by: Vec<i64>,
}

impl Removed {
    /// A list in the form that the ledger stores.
    #[must_use]
    pub fn to_json(list: &[Removed]) -> String {
        // Strings and numbers always have a JSON form.
        serde_json::to_string(list).unwrap_or_default()
    }

    /// The list written by [`to_json`](Self::to_json); empty for any other text.
    #[must_use]
    pub fn from_json(text: &str) -> Vec<Removed> {
        serde_json::from_str(text).unwrap_or_default()
    }
}

/// The columns of the ledger: the key, the granule and its file, the request, the counts, the outcome.
///
/// A column is NULL if the file does not have its value. `area` is NULL if the whole granule was requested, otherwise
/// `W,S,E,N`, GeoJSON, or the path of a GeoJSON file in the database's folder. `replaces` lists, separated by blanks,
/// the earlier attempts whose rows this attempt removed from the database. `rows_read` = `rows_kept` + `rows_rejected`
/// + `rows_removed`; `removed_by` is JSON, a list of [`Removed`].
pub fn ledger_schema() -> Schema {
    let text = |name: &str, nullable| Field::new(name, DataType::LargeUtf8, nullable);
    let count = |name: &str| Field::new(name, DataType::Int64, false);
    let instant = |name: &str, nullable| {
        Field::new(name, DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), nullable)
    };
    Schema::new(vec![
        count(INGEST_ID),
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
    fn a_stored_state_is_read_back() {
        for state in GranuleState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert_eq!(GranuleState::Ingested.as_str(), "ingested");
        assert!("done".parse::<GranuleState>().is_err());
    }

    #[test]
    fn counts_of_filters_are_read_back_from_the_ledger() {
        let list = vec![
            Removed { filter: "boreal.strong".into(), removed: 5, null: 1, alone: 7, stored_by: vec![3] },
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
