//! The expressions of the quality operator.

use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion::physical_expr::PhysicalExpr;

/// A named predicate over the operator's input.
#[derive(Clone, Debug)]
pub(crate) struct FilterExpr {
    /// Name in the tally.
    pub(crate) name: String,
    /// A row passes if this is TRUE.
    pub(crate) predicate: Arc<dyn PhysicalExpr>,
    /// The columns that the predicate uses.
    pub(crate) columns: Vec<String>,
}

/// A column of the operator's output.
#[derive(Clone, Debug)]
pub(crate) struct OutputColumn {
    /// Its field.
    pub(crate) field: Field,
    /// Its value over the operator's input.
    pub(crate) value: Arc<dyn PhysicalExpr>,
}
