//! The array of segments as the live fragments of a state, and the condition under which their rows belong to it.

use std::sync::Arc;

use tiledb::{Array, FragmentCache, Literal, LiveFragment, Predicate};

use super::visibility::segments_condition;
use crate::array_layout::segments_layout;
use crate::error::Result;
use crate::files::location::Location;
use crate::fragment::{Bounds, FragmentRecord};
use crate::log::segments_schema::SegmentsSchema;
use crate::log::state::LogState;

/// The array of segments at one state of the database.
#[derive(Clone, Debug)]
pub struct OpenSegments {
    array: Array,
    visible: Option<Predicate>,
}

impl OpenSegments {
    /// The array of the live fragments, in the order of their ids. Reads must add the condition [`visible`](Self::visible).
    pub fn array(&self) -> &Array {
        &self.array
    }

    /// The condition under which rows of the array are visible; None when all are.
    pub fn visible(&self) -> Option<Predicate> {
        self.visible.clone()
    }

    /// The array of the database at `location` with these `fragments`, and the visible rows of `state`. Reads no file.
    pub(super) fn new<'f>(
        location: &Location,
        schema: &SegmentsSchema,
        state: &LogState,
        fragments: impl Iterator<Item = &'f Arc<FragmentRecord>>,
        cache: &FragmentCache,
    ) -> Result<OpenSegments> {
        let fragments = fragments.map(|fragment| live_fragment(fragment)).collect();
        let (layout, columns) = (segments_layout(schema.capacity), Arc::clone(&schema.arrow));
        let (uri, files) = (location.segments(), location.array_files());
        let array = Array::open_fragments(&uri, &layout, columns, fragments, files, cache)?;
        Ok(OpenSegments { array, visible: segments_condition(state) })
    }
}

/// What the reader has to know of a fragment.
pub(crate) fn live_fragment(fragment: &FragmentRecord) -> LiveFragment {
    let Bounds { latitude, longitude, time } = fragment.bounds;
    let degrees = |(low, high)| (Literal::Float(low), Literal::Float(high));
    let time = (Literal::TimestampNs(time.0), Literal::TimestampNs(time.1));
    LiveFragment {
        name: fragment.name.clone(),
        cells: fragment.rows,
        domain: vec![degrees(latitude), degrees(longitude), time],
        metadata: Some(tiledb::FileChecksum { bytes: fragment.footer.bytes, crc32c: fragment.footer.crc32c }),
    }
}
