//! What the operators of a write require of each other: rows ordered by chunk, in partitions that share none.

use std::sync::Arc;

use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{Distribution, PhysicalSortExpr};
use datafusion::physical_plan::InputDistributionRequirements;

/// The order of rows by their chunk, those without one first.
pub(crate) fn by_chunk(chunk: &Column) -> PhysicalSortExpr {
    PhysicalSortExpr::new_default(Arc::new(chunk.clone())).nulls_first()
}

/// That rows come in `partitions` which share no chunk. Dealing out to one would copy every row for nothing.
pub(crate) fn dealt_out_by_chunk(chunk: &Column, partitions: usize) -> InputDistributionRequirements {
    InputDistributionRequirements::new(vec![match partitions {
        0 | 1 => Distribution::SinglePartition,
        _ => Distribution::KeyPartitioned(vec![Arc::new(chunk.clone())]),
    }])
}
