//! The condition of a join, over batches.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::physical_expr::PhysicalExpr;

use super::shape::Shape;

/// The condition of a join and the rows that it returns.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    /// Latitude and longitude of the probe.
    pub(super) probe: [Arc<dyn PhysicalExpr>; 2],
    /// Latitude and longitude of the indexed side.
    pub(super) indexed: [Arc<dyn PhysicalExpr>; 2],
    /// Greatest distance, over the indexed side.
    pub(super) metres: Arc<dyn PhysicalExpr>,
    /// The rest of the condition, over both sides.
    pub(super) others: Option<Arc<dyn PhysicalExpr>>,
    pub(super) shape: Shape,
    /// The columns of both sides, the left ones first.
    pub(super) both: SchemaRef,
    /// The columns of the output.
    pub(super) output: SchemaRef,
}
