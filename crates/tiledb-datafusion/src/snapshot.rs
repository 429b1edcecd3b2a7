//! Metadata of one opened array for planning: schema, layout, fragment rectangles, visible rows. Loaded once and shared by all
//! scans of a `TileDbTable`.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use tiledb::{Array, Predicate};

use crate::error::{Error, Result};
use crate::error_hook::ErrorHook;
use crate::fragment::TableFragment;
use crate::partition::Rectangle;

/// One array at one timestamp.
#[derive(Clone)]
pub(crate) struct ArraySnapshot {
    pub(crate) array: Array,
    pub(crate) schema: SchemaRef,
    /// Condition of the rows to return; all rows for None.
    pub(crate) visible: Option<Predicate>,
    pub(crate) rectangles: Vec<Rectangle>,
    /// Cells of all rectangles.
    pub(crate) cells: u64,
    /// Lowest and highest key of all rectangles per dimension; None without rectangles.
    pub(crate) sides: Vec<Option<(i64, i64)>>,
    /// Replaces errors of reads.
    pub(crate) error_hook: Option<ErrorHook>,
    /// Whether every cell of the fragments is exactly one row for a reader.
    pub(crate) countable: bool,
}

impl ArraySnapshot {
    /// Creates the snapshot of an array that was opened with a list of fragments. No I/O.
    pub(crate) fn of_fragments(array: Array, visible: Option<Predicate>, are_exact: bool) -> Self {
        let fragments = array.live_fragments().iter();
        let fragments = fragments.map(|live| TableFragment { rows: live.cells, domain: live.domain.clone() }).collect();
        Self::new(array, visible, fragments, are_exact)
    }

    fn new(array: Array, visible: Option<Predicate>, fragments: Vec<TableFragment>, countable: bool) -> Self {
        let layout = array.layout();
        let rectangles: Vec<Rectangle> = fragments.iter().map(|fragment| Rectangle::new(fragment, layout)).collect();
        let side = |dimension: usize| {
            let sides = rectangles.iter().filter_map(|rectangle| rectangle.side(dimension));
            sides.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
        };
        let sides = (0..layout.dimensions.len()).map(side).collect();
        let cells = rectangles.iter().map(Rectangle::cells).sum();
        Self { schema: array.schema(), array, visible, rectangles, cells, sides, error_hook: None, countable }
    }

    /// Lists the fragments of `array`; the only I/O before execution.
    ///
    /// # Errors
    /// When the array was opened without a timestamp and its fragments cannot be listed.
    pub(crate) fn load(array: Array, visible: Option<Predicate>) -> Result<Self> {
        // Read by tile: its fragments are known, and visible as a whole.
        if !array.live_fragments().is_empty() {
            let are_exact = visible.is_none();
            return Ok(Self::of_fragments(array, visible, are_exact));
        }
        let (fragments, is_complete) = match array.fragments() {
            Ok(fragments) => (fragments, true),
            // Written with a clock that was ahead of ours: TileDB reads such fragments but returns no metadata of them.
            Err(tiledb::Error::FutureFragment { .. }) => (Vec::new(), false),
            // libtiledb also loads fragments that are newer than the snapshot. One that was never committed may be incomplete
            // after a power cut, until the next writer removes it; the snapshot does not need it.
            Err(error) if array.timestamp().is_some() => {
                tracing::debug!(%error, "cannot list the fragments, so one partition reads them all");
                (Vec::new(), false)
            }
            Err(source) => return Err(Error::Read { uri: array.uri().to_owned(), source }),
        };
        // Without duplicates a later fragment may replace cells of an earlier one, and a fragment that extends beyond the
        // snapshot is read in part: such rows can be counted only by reading.
        let whole = fragments.iter().all(|fragment| array.timestamp().is_none_or(|end| fragment.timestamps.1 <= end));
        let distinct = array.layout().allows_duplicates || fragments.len() <= 1;
        let are_exact = is_complete && visible.is_none() && whole && distinct;
        let fragments = fragments.into_iter().map(|found| TableFragment { rows: found.cells, domain: found.domain });
        let fragments = fragments.collect();
        Ok(Self::new(array, visible, fragments, are_exact))
    }

    /// Returns the last part of the array's URI, its name in plans.
    pub(crate) fn name(&self) -> &str {
        let uri = self.array.uri().trim_end_matches('/');
        uri.rsplit('/').next().unwrap_or(uri)
    }
}

impl std::fmt::Debug for ArraySnapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArraySnapshot").field("uri", &self.array.uri()).finish_non_exhaustive()
    }
}

/// Snapshots are shared between scans.
pub(crate) type SharedSnapshot = Arc<ArraySnapshot>;
