//! What is known of one opened array before anything is read: schema, layout, fragment rectangles, hidden rows.
//! Loaded once; every scan of a `TileDbTable` is planned from it and shares it.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use tiledb::{Array, Predicate};

use crate::error::{Error, Result};
use crate::error_hook::ErrorHook;
use crate::partition::Rectangle;

/// One array at one timestamp.
pub(crate) struct ArraySnapshot {
    pub(crate) array: Array,
    pub(crate) schema: SchemaRef,
    /// The rows that may be seen, where not all may.
    pub(crate) visible: Option<Predicate>,
    pub(crate) rectangles: Vec<Rectangle>,
    /// Explains errors of reads.
    pub(crate) error_hook: Option<ErrorHook>,
    /// Whether the fragments' cells are the rows a reader gets, one for one.
    pub(crate) countable: bool,
}

impl ArraySnapshot {
    /// Loads what planning needs; the only input and output before execution.
    ///
    /// # Errors
    /// When the fragments cannot be listed.
    pub(crate) fn load(array: Array, visible: Option<Predicate>) -> Result<Self> {
        let (fragments, told) = match array.fragments() {
            Ok(fragments) => (fragments, true),
            // Written by a clock that was ahead of ours: TileDB reads such fragments but tells nothing about them.
            Err(tiledb::Error::FutureFragment { .. }) => (Vec::new(), false),
            // libtiledb looks at later fragments than the snapshot's, too. One that was never committed may be there in part after
            // a power cut, until the next writer takes it out of sight; the snapshot does not need it.
            Err(error) if array.timestamp().is_some() => {
                tracing::debug!(%error, "the fragments are not told, so that one partition reads them all");
                (Vec::new(), false)
            }
            Err(source) => return Err(Error::Read { uri: array.uri().to_owned(), source }),
        };
        let layout = array.layout();
        let rectangles = fragments.iter().map(|fragment| Rectangle::of(fragment, layout)).collect();
        // Without duplicates a later fragment may replace cells of an earlier one, and a fragment that reaches beyond
        // the snapshot is seen in part: both are counted by reading only.
        let whole = fragments.iter().all(|fragment| array.timestamp().is_none_or(|end| fragment.timestamps.1 <= end));
        let distinct = layout.allows_duplicates || fragments.len() <= 1;
        let countable = told && visible.is_none() && whole && distinct;
        Ok(Self { schema: array.schema(), array, visible, rectangles, error_hook: None, countable })
    }

    /// The last part of the array's URI, by which plans show it.
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

/// Snapshots are shared, never copied.
pub(crate) type SharedSnapshot = Arc<ArraySnapshot>;
