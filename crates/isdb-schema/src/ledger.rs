//! The ledger: the fields of the `granules` array, one row per attempt at a granule. The SQL table `granules` shows
//! these columns as they are.

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

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
}

impl GranuleState {
    /// The word stored in the ledger's `state` column.
    pub fn as_str(self) -> &'static str {
        match self {
            GranuleState::Ingested => "ingested",
            GranuleState::Empty => "empty",
            GranuleState::Failed => "failed",
        }
    }

    /// The state behind a stored word; None for a word this version does not know.
    pub fn parse(word: &str) -> Option<GranuleState> {
        [GranuleState::Ingested, GranuleState::Empty, GranuleState::Failed]
            .into_iter()
            .find(|state| state.as_str() == word)
    }

    /// True when the granule need not be read again.
    pub fn is_done(self) -> bool {
        self != GranuleState::Failed
    }
}

/// The columns of the `granules` array: the key first, then what is known about the granule, then what happened.
///
/// `granule`, `source`, `variables` and `state` are always known; what a file does not say about itself is NULL.
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
        Field::new("subset", DataType::Boolean, true),
        instant("start_time", true),
        text("source", false),
        count("size_bytes"),
        text("variables", false),
        count("rows_read"),
        count("rows_kept"),
        count("rows_rejected"),
        text("missing_variables", true),
        text("state", false),
        text("error", true),
        instant("finished_at", false),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_state_reads_back_as_itself() {
        for state in [GranuleState::Ingested, GranuleState::Empty, GranuleState::Failed] {
            assert_eq!(GranuleState::parse(state.as_str()), Some(state));
        }
        assert_eq!(GranuleState::parse("done"), None);
    }

    #[test]
    fn a_failed_granule_is_tried_again_and_an_empty_one_is_not() {
        assert!(!GranuleState::Failed.is_done());
        assert!(GranuleState::Empty.is_done());
    }
}
