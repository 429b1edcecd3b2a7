//! The table `cells`: the array, and what a condition on a time says of the day.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Constraints, Result, Statistics};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use tiledb_datafusion::TileDbTable;

use super::days::day_condition;

/// An array as a table. If it is ordered by day, conditions on a time are also passed to it as conditions on the day.
#[derive(Debug)]
pub(crate) struct CellsTable {
    array: TileDbTable,
    has_days: bool,
}

impl CellsTable {
    pub(super) fn new(array: TileDbTable, has_days: bool) -> CellsTable {
        CellsTable { array, has_days }
    }

    fn days(&self, filter: &Expr) -> Option<Expr> {
        if self.has_days { day_condition(filter) } else { None }
    }
}

#[async_trait]
impl TableProvider for CellsTable {
    fn schema(&self) -> SchemaRef {
        self.array.schema()
    }

    fn constraints(&self) -> Option<&Constraints> {
        self.array.constraints()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let days = filters.iter().filter_map(|filter| self.days(filter));
        let all: Vec<Expr> = filters.iter().cloned().chain(days).collect();
        self.array.scan(state, projection, &all, limit).await
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let supported = self.array.supports_filters_pushdown(filters)?;
        let with_days = |(filter, supported): (&&Expr, TableProviderFilterPushDown)| match supported {
            TableProviderFilterPushDown::Unsupported if self.days(filter).is_some() => {
                TableProviderFilterPushDown::Inexact
            }
            supported => supported,
        };
        Ok(filters.iter().zip(supported).map(with_days).collect())
    }

    fn statistics(&self) -> Option<Statistics> {
        self.array.statistics()
    }
}
