//! The target of a write, and its result.

/// The array that a window is written to, and its division into fragments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteTarget {
    /// The URI of the array of segments.
    pub array: String,
    /// The timestamp of every fragment, in milliseconds since 1970.
    pub timestamp: u64,
    /// The id of the first fragment. Writer number n uses this id plus n, then counts up in steps of the number of writers.
    pub first_fragment: i64,
    /// Maximum Arrow memory of a fragment's rows, give or take one batch.
    pub fragment_bytes: usize,
    /// The number of concurrent writers, each with its own fragments.
    pub writers: usize,
}

/// A fragment that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WrittenFragment {
    /// The value of `fragment_id` in its rows.
    pub(crate) id: i64,
    /// Its folder below `__fragments`.
    pub(crate) name: String,
    /// Its number of rows.
    pub(crate) rows: i64,
}
