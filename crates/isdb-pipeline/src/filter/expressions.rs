//! The expressions of filters and of columns to store.

use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion::physical_expr::PhysicalExpr;

/// A named predicate over the rows of a granule.
#[derive(Clone, Debug)]
pub(crate) struct FilterExpr {
    /// Name in the tally.
    pub(crate) name: String,
    /// A row passes if this is TRUE.
    pub(crate) predicate: Arc<dyn PhysicalExpr>,
    /// The columns that the predicate uses.
    pub(crate) columns: Vec<String>,
}

/// A column to store.
#[derive(Clone, Debug)]
pub(crate) struct OutputColumn {
    /// Its field.
    pub(crate) field: Field,
    /// Its value over the rows of a granule.
    pub(crate) value: Arc<dyn PhysicalExpr>,
}
