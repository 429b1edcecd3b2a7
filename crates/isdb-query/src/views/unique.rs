//! The view `atl08_unique` as a table that sees a statement's predicates. The view compares every segment with those of other
//! granules; a box or a date of the statement holds for the one side only, and the optimizer would read the whole array for the
//! other. Here the predicates reach both.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, ColumnStatistics, ScalarValue, Statistics};
use datafusion::error::Result;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableProviderFilterPushDown, TableType, lit};
use datafusion::physical_plan::ExecutionPlan;

use crate::views::nearby::nearby;
use tiledb_datafusion::TileDbTable;

#[cfg(test)]
mod tests;

/// The alias of the rows that can hide others.
const OTHER: &str = "o";
/// The alias of the ledger's rows whose segments can be hidden.
const HIDDEN: &str = "higher";

/// The rows of a plan, `sql/views/atl08_unique.sql`, with the predicates of a statement on all of its scans.
#[derive(Debug)]
pub(crate) struct UniqueTable {
    plan: LogicalPlan,
    segments: Arc<TileDbTable>,
    granules: SchemaRef,
}

impl UniqueTable {
    /// The table of the view's `plan` over these tables.
    pub(crate) fn new(plan: LogicalPlan, segments: Arc<TileDbTable>, granules: &TileDbTable) -> Self {
        Self { plan, segments, granules: granules.schema() }
    }

    /// The plan of the view, whose columns are the table's.
    pub(crate) fn plan(&self) -> &LogicalPlan {
        &self.plan
    }

    /// Which rows of `o` can hide a row that meets all of `filters`.
    fn of_others(&self, filters: &[Expr]) -> Option<Expr> {
        let own = |name: &str| matches!(name, "beam" | "segment_id_beg");
        let same = filters.iter().filter(|filter| names_only(filter, own)).cloned();
        let places = match self.segments.ranges_of(filters) {
            Some(within) => nearby(&within, self.latitudes()),
            None => vec![lit(false)],
        };
        conjunction(same.chain(places))
    }

    /// The latitudes of all segments.
    fn latitudes(&self) -> (f64, f64) {
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

    /// Which granules can have a hidden row that meets all of `filters`.
    fn of_granules(&self, filters: &[Expr]) -> Option<Expr> {
        let segments = self.segments.schema();
        let is_only = |schema: &Schema, name: &str| schema.column_with_name(name).is_some();
        let of_ledger =
            |name: &str| name == "ingest_id" || (is_only(&self.granules, name) && !is_only(&segments, name));
        conjunction(filters.iter().filter(|filter| names_only(filter, of_ledger)).cloned())
    }
}

/// Whether `filter` looks at columns that `is_own`, at least one, and at nothing else.
fn names_only(filter: &Expr, is_own: impl Fn(&str) -> bool) -> bool {
    let columns = filter.column_refs();
    !columns.is_empty() && columns.iter().all(|column| is_own(&column.name)) && !filter.is_volatile()
}

/// `expr` over columns of `relation`, or over columns without a relation.
fn over(expr: Expr, relation: Option<&str>) -> Result<Expr> {
    let moved = expr.transform(|part| {
        Ok(match part {
            Expr::Column(column) => Transformed::yes(Expr::Column(match relation {
                Some(relation) => Column::new(Some(relation), column.name),
                None => Column::from_name(column.name),
            })),
            part => Transformed::no(part),
        })
    })?;
    Ok(moved.data)
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

    /// The extents of the segments; how many rows are hidden is not known before they are read.
    fn statistics(&self) -> Option<Statistics> {
        let (schema, stored) = (self.segments.schema(), self.segments.statistics()?);
        let columns = self.plan.schema().fields().iter().map(|field| {
            let of = schema.index_of(field.name()).ok().and_then(|index| stored.column_statistics.get(index));
            of.cloned().unwrap_or_else(ColumnStatistics::new_unknown)
        });
        let num_rows =
            if stored.num_rows == Precision::Exact(0) { stored.num_rows } else { stored.num_rows.to_inexact() };
        let of_all = Statistics { num_rows, total_byte_size: Precision::Absent, column_statistics: columns.collect() };
        Some(if num_rows == Precision::Exact(0) { of_all } else { of_all.to_inexact() })
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let of_others = self.of_others(filters).map(|expr| over(expr, Some(OTHER))).transpose()?;
        let of_granules = self.of_granules(filters).map(|expr| over(expr, Some(HIDDEN))).transpose()?;
        let narrowed = self.plan.clone().transform_up(|part| {
            let LogicalPlan::SubqueryAlias(alias) = &part else { return Ok(Transformed::no(part)) };
            let predicate = match alias.alias.table() {
                OTHER => of_others.clone(),
                HIDDEN => of_granules.clone(),
                _ => None,
            };
            Ok(match predicate {
                Some(predicate) => Transformed::yes(LogicalPlanBuilder::from(part).filter(predicate)?.build()?),
                None => Transformed::no(part),
            })
        })?;
        let mut rows = LogicalPlanBuilder::from(narrowed.data);
        if let Some(predicate) = conjunction(filters.iter().cloned()) {
            rows = rows.filter(over(predicate, None)?)?;
        }
        if let Some(projection) = projection {
            rows = rows.select(projection.iter().copied())?;
        }
        if let Some(limit) = limit {
            rows = rows.limit(0, Some(limit))?;
        }
        state.create_physical_plan(&rows.build()?).await
    }
}
