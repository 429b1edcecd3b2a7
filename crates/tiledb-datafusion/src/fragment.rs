//! What a scan knows about the fragments of an array before it reads them.

use tiledb::Literal;

/// One fragment of an array.
#[derive(Debug, Clone, PartialEq)]
pub struct TableFragment {
    /// Number of cells.
    pub rows: u64,
    /// Lowest and highest coordinate per dimension, in the order of the array's layout.
    pub domain: Vec<(Literal, Literal)>,
}

/// The fragments of an array that hold its visible rows, from an owner who records them. Planning then lists no files, and does
/// not count a fragment that another program wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct TableFragments {
    /// The fragments, in any order.
    pub fragments: Vec<TableFragment>,
    /// Whether every cell of them is visible as one row: then their rows and bounds answer `COUNT(*)`, `MIN` and `MAX` of a
    /// coordinate, else these are read.
    pub are_exact: bool,
}
