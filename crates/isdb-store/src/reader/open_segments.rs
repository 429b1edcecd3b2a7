//! The array of segments, opened at a snapshot's timestamp, and the condition under which its rows belong to the snapshot.

use std::collections::HashSet;
use std::path::Path;

use tiledb::{Array, Context, Predicate};

use super::visibility::{VisibleFragments, segments_condition};
use crate::error::{Error, Result};
use crate::files::array_files::{end_timestamp, list_finished};
use crate::log::state::LogState;

/// The most fragments that an error names.
const MAX_NAMES: usize = 3;

/// The array of segments at one state of the database.
#[derive(Clone, Debug)]
pub struct OpenSegments {
    array: Array,
    visible: Option<Predicate>,
}

impl OpenSegments {
    /// The array. Reads must add the condition [`visible`](Self::visible).
    pub fn array(&self) -> &Array {
        &self.array
    }

    /// The condition under which rows of the array are visible; None when all are.
    pub fn visible(&self) -> Option<Predicate> {
        self.visible.clone()
    }

    /// Opens the array at `uri` in `state`, and then compares the fragments on disk with the live ones by name. Blocks.
    ///
    /// # Errors
    /// [`Error::Damaged`] when a live fragment has no commit file.
    pub(super) fn open(context: &Context, uri: &str, state: &LogState) -> Result<OpenSegments> {
        let array = Array::open_at(context, uri, state.timestamp)?;
        check_columns(&array, state)?;
        let finished = list_finished(Path::new(uri))?;
        let is_in_time = |name: &&str| end_timestamp(name).is_some_and(|timestamp| timestamp <= state.timestamp);
        let mut listed: HashSet<&str> = finished.iter().map(String::as_str).filter(is_in_time).collect();
        let live = state.segments.live.into_iter().map(|(_, fragment)| fragment.record.name.as_str());
        let missing: Vec<&str> = live.filter(|name| !listed.remove(name)).collect();
        if !missing.is_empty() {
            return Err(Error::Damaged { object: uri.to_owned(), problem: describe_missing(&missing) });
        }
        // A dead fragment without an id cannot be hidden by its id, and a fragment that is no longer listed may still have been opened.
        let has_unrecorded = state.segments.dead.into_iter().any(|(_, dead)| dead.id.is_none())
            || listed.iter().any(|name| state.segments.dead.get(*name).is_none());
        let fragments = if has_unrecorded { VisibleFragments::Live } else { VisibleFragments::NotDead };
        Ok(OpenSegments { array, visible: segments_condition(state, fragments) })
    }

    /// The same array with a condition that names the live fragments.
    pub(super) fn with_live_only(self, state: &LogState) -> OpenSegments {
        OpenSegments { visible: segments_condition(state, VisibleFragments::Live), ..self }
    }
}

/// Checks that the array has every column that the log records, with its metadata: without the marker of a missing element, NULL would
/// be read as a number. A column more is that of a replaced writer, and is NULL.
fn check_columns(array: &Array, state: &LogState) -> Result<()> {
    let schema = array.schema();
    let recorded = state.schema.iter().flat_map(|recorded| recorded.arrow.fields());
    for field in recorded {
        if schema.field_with_name(field.name()).ok() != Some(field.as_ref()) {
            let problem = format!("expected the column {} as the log records it, found another or none", field.name());
            let object = format!("{uri}/__schema or {uri}/__meta", uri = array.uri());
            return Err(Error::Damaged { object, problem });
        }
    }
    Ok(())
}

fn describe_missing(names: &[&str]) -> String {
    let listed = names.iter().take(MAX_NAMES).copied().collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(MAX_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("expected commit files of all live fragments, found none of {listed}{more}")
}
