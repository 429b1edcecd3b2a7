//! The view `atl08_unique` as a table provider. The view compares every segment with the segments of other granules; the optimizer
//! would push the box and the dates of a statement into one side of the comparison only, and read the whole array for the other.
//! The provider pushes them into both sides.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use datafusion::error::Result;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableProviderFilterPushDown, TableType, lit};
use datafusion::physical_plan::ExecutionPlan;
use tiledb_datafusion::TileDbTable;

use crate::coordinate_ranges::{CoordinateRanges, Margin, widened_ranges};
use crate::view_scan::{plan_scan, with_relation};

#[cfg(test)]
mod tests;

/// Alias, in the SQL of the view, of the segments that can hide others.
const HIDING_SEGMENTS: &str = "kept_segment";
/// Alias, in the SQL of the view, of the granules whose segments can be hidden.
const HIDDEN_GRANULES: &str = "hidden_granule";

/// How far apart two rows of one segment can be: as in the SQL of the view.
const MARGIN: Margin = Margin { degrees: 0.1, nanoseconds: 10_000_000_000 };

/// The rows of the view `sql/views/atl08_unique.sql`, with the predicates of a statement on all of its scans.
#[derive(Debug)]
pub(crate) struct UniqueTable {
    plan: LogicalPlan,
    segments: Arc<TileDbTable>,
    granules: SchemaRef,
}

impl UniqueTable {
    /// Creates the table from the `plan` of the view over `segments` and a ledger with the schema `granules`.
    pub(crate) fn new(plan: LogicalPlan, segments: Arc<TileDbTable>, granules: SchemaRef) -> Self {
        Self { plan, segments, granules }
    }

    /// Returns the plan of the view; its columns are those of the table.
    pub(crate) fn plan(&self) -> &LogicalPlan {
        &self.plan
    }

    /// Returns closed ranges of coordinates outside of which no row meets `filters`; None if no row can meet them.
    pub(crate) fn coordinate_ranges(&self, filters: &[Expr]) -> Option<CoordinateRanges> {
        self.segments.coordinate_ranges(filters)
    }

    /// Returns a predicate that is true for every segment that can hide a segment that meets `filters`.
    fn hiding_segments(&self, filters: &[Expr]) -> Option<Expr> {
        // Both segments of a pair have the same values in these columns.
        let is_shared = |name: &str| matches!(name, "beam" | "segment_id_beg");
        let shared = filters.iter().filter(|filter| uses_only(filter, is_shared)).cloned();
        let ranges = match self.coordinate_ranges(filters) {
            Some(ranges) => widened_ranges(&ranges, &MARGIN, self.latitudes()),
            None => vec![lit(false)],
        };
        conjunction(shared.chain(ranges))
    }

    /// Returns the lowest and the highest latitude of all segments, in degrees.
    pub(crate) fn latitudes(&self) -> (f64, f64) {
        let everywhere = (-90.0, 90.0);
        let (Some(statistics), Ok(index)) = (self.segments.statistics(), self.segments.schema().index_of("latitude"))
        else {
            return everywhere;
        };
        let column = statistics.column_statistics.get(index);
        let ends = column.map(|column| (column.min_value.get_value(), column.max_value.get_value()));
        match ends {
            Some((Some(ScalarValue::Float64(Some(low))), Some(ScalarValue::Float64(Some(high))))) => (*low, *high),
            _ => everywhere,
        }
    }

    /// Returns a predicate that is true for every granule that can have a hidden segment which meets `filters`.
    fn hidden_granules(&self, filters: &[Expr]) -> Option<Expr> {
        let segments = self.segments.schema();
        let has_column = |schema: &Schema, name: &str| schema.column_with_name(name).is_some();
        let is_of_granule =
            |name: &str| name == "ingest_id" || (has_column(&self.granules, name) && !has_column(&segments, name));
        conjunction(filters.iter().filter(|filter| uses_only(filter, is_of_granule)).cloned())
    }
}

/// Whether `filter` uses at least one column and only columns for which `is_usable` is true, and always gives the same result.
fn uses_only(filter: &Expr, is_usable: impl Fn(&str) -> bool) -> bool {
    let columns = filter.column_refs();
    !columns.is_empty() && columns.iter().all(|column| is_usable(&column.name)) && !filter.is_volatile()
}

#[async_trait]
impl TableProvider for UniqueTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.plan.schema().inner())
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Exact; filters.len()])
    }

    /// Returns the extents of the segments. The number of hidden rows is unknown before they are read.
    fn statistics(&self) -> Option<Statistics> {
        let (schema, stored) = (self.segments.schema(), self.segments.statistics()?);
        let columns = self.plan.schema().fields().iter().map(|field| {
            let column = schema.index_of(field.name()).ok().and_then(|index| stored.column_statistics.get(index));
            column.cloned().unwrap_or_else(ColumnStatistics::new_unknown)
        });
        let num_rows =
            if stored.num_rows == Precision::Exact(0) { stored.num_rows } else { stored.num_rows.to_inexact() };
        let all = Statistics { num_rows, total_byte_size: Precision::Absent, column_statistics: columns.collect() };
        Some(if num_rows == Precision::Exact(0) { all } else { all.to_inexact() })
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let segments =
            self.hiding_segments(filters).map(|expr| with_relation(expr, Some(HIDING_SEGMENTS))).transpose()?;
        let granules =
            self.hidden_granules(filters).map(|expr| with_relation(expr, Some(HIDDEN_GRANULES))).transpose()?;
        let restricted = self.plan.clone().transform_up(|part| {
            let LogicalPlan::SubqueryAlias(alias) = &part else { return Ok(Transformed::no(part)) };
            let predicate = match alias.alias.table() {
                HIDING_SEGMENTS => segments.clone(),
                HIDDEN_GRANULES => granules.clone(),
                _ => None,
            };
            Ok(match predicate {
                Some(predicate) => Transformed::yes(LogicalPlanBuilder::from(part).filter(predicate)?.build()?),
                None => Transformed::no(part),
            })
        })?;
        plan_scan(state, restricted.data, projection, filters, limit).await
    }
}
