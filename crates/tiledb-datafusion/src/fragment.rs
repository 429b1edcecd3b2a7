//! What a scan knows about the fragments of an array before it reads them.

use tiledb::Literal;

/// One fragment of an array.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TableFragment {
    /// Number of cells.
    pub(crate) rows: u64,
    /// Lowest and highest coordinate per dimension, in the order of the array's layout.
    pub(crate) domain: Vec<(Literal, Literal)>,
}
