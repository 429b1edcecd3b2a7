//! What statistics say of a condition.

use arrow::buffer::Buffer;

/// What statistics say of a condition on every cell of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is false.
    Never,
    /// It is true.
    Always,
    /// Only the cells can say.
    Maybe,
}

/// Statistics of one tile of a column.
pub(super) struct TileStatistics<'a> {
    /// The smallest and largest value that is not NULL, each in a vector of all tiles; `None` if they are not known.
    pub(super) range: Option<(&'a Buffer, &'a Buffer)>,
    /// The tile's place in them.
    pub(super) tile: usize,
    /// The number of NULLs; `None` if it is not known.
    pub(super) nulls: Option<u64>,
    pub(super) cells: u64,
}

impl Verdict {
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::Always, other) => other,
            (Self::Maybe, _) => Self::Maybe,
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Always, _) | (_, Self::Always) => Self::Always,
            (Self::Never, other) => other,
            (Self::Maybe, _) => Self::Maybe,
        }
    }
}

impl From<bool> for Verdict {
    fn from(is_true: bool) -> Self {
        if is_true { Self::Always } else { Self::Never }
    }
}
