//! Columns with their types and origins, for the checks of an expression.

use datafusion::common::{Column, DFSchema};

use super::column_origin::ColumnOrigin;

/// The columns of the expression that is checked.
pub(super) struct Columns<'a> {
    /// Finds the stored column behind a column.
    pub(super) origin: &'a dyn Fn(&Column) -> Option<ColumnOrigin>,
    /// Returns the columns with their types. Merges the schemas of several inputs, so it is called only where it is needed.
    pub(super) schema: &'a dyn Fn() -> DFSchema,
}
