//! The order and distribution of rows by chunk, which the gather operator provides and the write operator requires.

use std::sync::Arc;

use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{Distribution, PhysicalSortExpr};
use datafusion::physical_plan::InputDistributionRequirements;

/// Returns the order of rows by their chunk, rows without a chunk first.
pub(crate) fn chunk_order(chunk: &Column) -> PhysicalSortExpr {
    PhysicalSortExpr::new_default(Arc::new(chunk.clone())).nulls_first()
}

/// Requires `partitions` that have no chunk in common. A single partition is required as such: distributing rows by chunk would
/// only copy them.
pub(crate) fn distributed_by_chunk(chunk: &Column, partitions: usize) -> InputDistributionRequirements {
    InputDistributionRequirements::new(vec![match partitions {
        0 | 1 => Distribution::SinglePartition,
        _ => Distribution::KeyPartitioned(vec![Arc::new(chunk.clone())]),
    }])
}
