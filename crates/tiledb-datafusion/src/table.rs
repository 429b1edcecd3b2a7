//! A sparse TileDB array as a SQL table. It reports which predicates the array can evaluate, and creates a `TileDbSource` that
//! describes the read; nothing is read before execution.

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

/// The lowest row limit that is read in several partitions: with a lower one, most of their rows would be read for nothing.
const MIN_LIMIT_FOR_PARTITIONS: usize = 50_000;

/// One sparse array at one timestamp. Later writes do not change its rows.
///
/// Columns are the dimensions, then the attributes, with the Arrow types and field metadata of [`Array::schema`]. Predicates on
/// dimensions become subarray ranges; others become a TileDB query condition, if that keeps every row that DataFusion would
/// keep. TileDB compares a float attribute only if its field metadata has `nan` = `never`, because DataFusion sorts NaN above
/// all numbers, while in TileDB NaN equals nothing.
#[derive(Debug)]
pub struct TileDbTable {
    snapshot: SharedSnapshot,
    constraints: Option<Constraints>,
}

impl TileDbTable {
    /// Creates the table of an opened array, and lists its fragments. Every read adds the condition `visible`, for example to hide
    /// rows that are deleted but still stored.
    ///
    /// # Errors
    /// [`Error::Read`](crate::Error::Read) when the fragments of an array opened without a timestamp cannot be listed. With a
    /// timestamp, a single partition reads them all instead.
    pub fn new(array: Array, visible: Option<Predicate>) -> Result<Self> {
        Ok(Self::from_snapshot(ArraySnapshot::load(array, visible)?))
    }

    /// Creates the table of an array that was [opened](Array::open_fragments) with a list of fragments, as [`new`](Self::new) does,
    /// without I/O. `are_exact` says whether every cell of the fragments is visible as one row: then their numbers of cells and their
    /// bounds answer `COUNT(*)`, `MIN` and `MAX` of a coordinate, else these are read.
    #[must_use]
    pub fn of_fragments(array: Array, visible: Option<Predicate>, are_exact: bool) -> Self {
        Self::from_snapshot(ArraySnapshot::of_fragments(array, visible, are_exact))
    }

    /// Passes errors of reads through `hook`.
    #[must_use]
    pub fn with_error_hook(self, hook: ErrorHook) -> Self {
        let snapshot = ArraySnapshot { error_hook: Some(hook), ..Arc::unwrap_or_clone(self.snapshot) };
        Self { snapshot: Arc::new(snapshot), ..self }
    }

    fn from_snapshot(snapshot: ArraySnapshot) -> Self {
        let snapshot = Arc::new(snapshot);
        let layout = snapshot.array.layout();
        let key = layout.dimensions.iter().map(|dimension| snapshot.schema.index_of(&dimension.name).ok());
        // Without duplicates the coordinates are a primary key, which lets the optimizer remove unused joins.
        let constraints = (!layout.allows_duplicates)
            .then(|| key.collect::<Option<Vec<_>>>())
            .flatten()
            .map(|key| Constraints::new_unverified(vec![Constraint::PrimaryKey(key)]));
        Self { snapshot, constraints }
    }

    /// Returns closed ranges of coordinates by name of the dimension: rows outside of them do not meet `filters`. None if no
    /// row can meet them; a dimension that is missing is not restricted.
    pub fn coordinate_ranges(&self, filters: &[Expr]) -> Option<BTreeMap<String, Vec<(Literal, Literal)>>> {
        let pushdown = self.pushdown(filters);
        if pushdown.is_never() {
            return None;
        }
        let (ranges, _) = pushdown.into_parts();
        let mut named: BTreeMap<String, Vec<(Literal, Literal)>> = BTreeMap::new();
        for range in ranges.to_dimension_ranges(self.snapshot.array.layout()) {
            named.entry(range.dimension).or_default().push((range.low, range.high));
        }
        Some(named)
    }

    fn pushdown(&self, filters: &[Expr]) -> Pushdown {
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
        let pushdown = self.pushdown(filters);
        let projection = projection.cloned().unwrap_or_else(|| (0..self.snapshot.schema.fields().len()).collect());
        if pushdown.is_never() {
            return Ok(Arc::new(EmptyExec::new(Arc::new(self.snapshot.schema.project(&projection)?))));
        }
        let partitions = match limit {
            Some(limit) if limit < MIN_LIMIT_FOR_PARTITIONS => 1,
            _ => state.config().target_partitions(),
        };
        let snapshot = Arc::clone(&self.snapshot);
        match TileDbSource::try_new(snapshot, projection, pushdown, limit, partitions) {
            Ok(source) => Ok(DataSourceExec::from_data_source(source)),
            // Planning reads metadata of fragments, which a vacuum may have removed.
            Err(error) => match &self.snapshot.error_hook {
                Some(hook) => Err(hook.explain(error).await),
                None => Err(error),
            },
        }
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| {
            let pushdown = self.pushdown(std::slice::from_ref(*filter));
            match (pushdown.is_exact(), pushdown.is_everything()) {
                (true, _) => TableProviderFilterPushDown::Exact,
                (false, true) => TableProviderFilterPushDown::Unsupported,
                (false, false) => TableProviderFilterPushDown::Inexact,
            }
        };
        Ok(filters.iter().map(support).collect())
    }

    fn statistics(&self) -> Option<Statistics> {
        let all: Vec<usize> = (0..self.snapshot.schema.fields().len()).collect();
        Some(statistics(&self.snapshot, &all, None))
    }
}
