//! A sparse TileDB array as a SQL table. Planning asks it which predicates the array can answer and gets a
//! `TileDbSource` that describes the read; nothing is read before execution.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Constraint, Constraints, Statistics};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use tiledb::{Array, Literal, Predicate, Pushdown};

use crate::error::Result;
use crate::error_hook::ErrorHook;
use crate::predicate::to_predicate;
use crate::snapshot::{ArraySnapshot, SharedSnapshot};
use crate::source::TileDbSource;
use crate::statistics::statistics;

/// With a limit below this, more than one partition would read mostly for nothing.
const LIMIT_WORTH_PARTITIONS: usize = 50_000;

/// One sparse array at one timestamp; it never changes, whatever is written meanwhile.
///
/// Columns are the dimensions, then the attributes, each of the Arrow type and with the metadata `tiledb` gives it.
/// Coordinate predicates become subarray ranges, others a TileDB query condition where that keeps every row DataFusion
/// would. A float attribute is compared by TileDB only if its field metadata says `nan` = `never`, since NaN is beyond
/// every number to DataFusion and unequal to all to TileDB.
#[derive(Debug)]
pub struct TileDbTable {
    snapshot: SharedSnapshot,
    constraints: Option<Constraints>,
}

impl TileDbTable {
    /// The table of an opened array; `visible` is a condition that every read adds, to leave out rows that are still
    /// stored but no longer count.
    ///
    /// # Errors
    /// [`Error::Read`](crate::Error::Read) when the fragments of the array cannot be listed.
    pub fn new(array: Array, visible: Option<Predicate>) -> Result<Self> {
        Ok(Self::over(ArraySnapshot::load(array, visible)?))
    }

    /// As [`new`](Self::new), with errors of reads passed through `hook`.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn with_error_hook(array: Array, visible: Option<Predicate>, hook: ErrorHook) -> Result<Self> {
        let snapshot = ArraySnapshot::load(array, visible)?;
        Ok(Self::over(ArraySnapshot { error_hook: Some(hook), ..snapshot }))
    }

    fn over(snapshot: ArraySnapshot) -> Self {
        let snapshot = Arc::new(snapshot);
        let layout = snapshot.array.layout();
        let key = layout.dimensions.iter().map(|dimension| snapshot.schema.index_of(&dimension.name).ok());
        // Without duplicates the coordinates are a key; told of it, the optimizer drops a join nobody looks at.
        let constraints = (!layout.allows_duplicates)
            .then(|| key.collect::<Option<Vec<_>>>())
            .flatten()
            .map(|key| Constraints::new_unverified(vec![Constraint::PrimaryKey(key)]));
        Self { snapshot, constraints }
    }

    /// Ranges of coordinates, by the name of their dimension, outside which no row meets all of `filters`; None when no row
    /// meets them at all.
    pub fn ranges_of(&self, filters: &[Expr]) -> Option<BTreeMap<String, Vec<(Literal, Literal)>>> {
        let wanted = self.pushed(filters);
        if wanted.is_never() {
            return None;
        }
        let (ranges, _) = wanted.into_parts();
        let mut named: BTreeMap<String, Vec<(Literal, Literal)>> = BTreeMap::new();
        for range in ranges.to_dimension_ranges(self.snapshot.array.layout()) {
            named.entry(range.dimension).or_default().push((range.low, range.high));
        }
        Some(named)
    }

    fn pushed(&self, filters: &[Expr]) -> Pushdown {
        let schema = &self.snapshot.schema;
        self.snapshot.array.pushdown(&Predicate::all(filters.iter().map(|filter| to_predicate(filter, schema))))
    }
}

#[async_trait]
impl TableProvider for TileDbTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.snapshot.schema)
    }

    fn constraints(&self) -> Option<&Constraints> {
        self.constraints.as_ref()
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
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let wanted = self.pushed(filters);
        let projection = projection.cloned().unwrap_or_else(|| (0..self.snapshot.schema.fields().len()).collect());
        if wanted.is_never() {
            return Ok(Arc::new(EmptyExec::new(Arc::new(self.snapshot.schema.project(&projection)?))));
        }
        let partitions = match limit {
            Some(limit) if limit < LIMIT_WORTH_PARTITIONS => 1,
            _ => state.config().target_partitions(),
        };
        let snapshot = Arc::clone(&self.snapshot);
        Ok(DataSourceExec::from_data_source(TileDbSource::try_new(snapshot, projection, wanted, limit, partitions)?))
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        let answer = |filter: &&Expr| {
            let pushed = self.pushed(std::slice::from_ref(*filter));
            match (pushed.is_exact(), pushed.is_everything()) {
                (true, _) => TableProviderFilterPushDown::Exact,
                (false, true) => TableProviderFilterPushDown::Unsupported,
                (false, false) => TableProviderFilterPushDown::Inexact,
            }
        };
        Ok(filters.iter().map(answer).collect())
    }

    fn statistics(&self) -> Option<Statistics> {
        let all: Vec<usize> = (0..self.snapshot.schema.fields().len()).collect();
        Some(statistics(&self.snapshot, &all, None))
    }
}
