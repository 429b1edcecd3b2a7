//! One scan of a TileDB array as a DataFusion `DataSource`: columns, ranges, condition and partitions. `DataSourceExec` runs
//! it, and `stream` reads the partitions.

use std::fmt::{self, Formatter};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::Statistics;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::config::ConfigOptions;
use datafusion::datasource::source::DataSource;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{
    DynamicFilterTracking, EquivalenceProperties, Partitioning, PhysicalExpr, PhysicalSortExpr,
};
use datafusion::physical_plan::DisplayFormatType;
use datafusion::physical_plan::SortOrderPushdownResult;
use datafusion::physical_plan::execution_plan::SchedulingType;
use datafusion::physical_plan::filter_pushdown::{FilterPushdownPropagation, PushedDown};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet};
use datafusion::physical_plan::projection::{all_alias_free_columns, new_projections_for_columns};
use tiledb::{DisplayRanges, Predicate, Pushdown, Ranges, ReadRequest, TileOrder};

use crate::dynamic_filter::DynamicFilterWatch;
use crate::error::Error;
use crate::partition::{Partition, divide, split};
use crate::read_memory::{ReadMemory, StepMemory};
use crate::snapshot::SharedSnapshot;
use crate::statistics::statistics;
use crate::stream;

/// One scan of an array: the columns and rows to read, and its partitions.
#[derive(Debug, Clone)]
pub struct TileDbSource {
    snapshot: SharedSnapshot,
    /// Positions in the array's schema.
    projection: Vec<usize>,
    /// Schema of the record batches.
    schema: SchemaRef,
    ranges: Ranges,
    condition: Option<Predicate>,
    partitions: Arc<[Partition]>,
    fetch: Option<usize>,
    /// Filters that operators above tighten while the scan runs. Rows that do not meet them are not needed.
    dynamic_filters: Vec<Arc<dyn PhysicalExpr>>,
    /// The attribute whose extreme values are wanted first.
    order: Option<TileOrder>,
    metrics: ExecutionPlanMetricsSet,
}

impl TileDbSource {
    /// Creates a scan of the rows that `pushdown` selects, in at most `partitions` partitions.
    ///
    /// # Errors
    /// When a column of the projection does not exist.
    pub(crate) fn try_new(
        snapshot: SharedSnapshot,
        projection: Vec<usize>,
        pushdown: Pushdown,
        fetch: Option<usize>,
        partitions: usize,
    ) -> Result<Self> {
        let schema = Arc::new(snapshot.schema.project(&projection)?);
        let (ranges, condition) = pushdown.into_parts();
        let layout = snapshot.array.layout();
        let tiles = snapshot.array.tiles(&ranges);
        let tiles = tiles.map_err(|source| Error::Read { uri: snapshot.array.uri().to_owned(), source })?;
        let partitions = match tiles {
            Some(tiles) => divide(&tiles, &ranges, layout.capacity, partitions).into(),
            None => split(&snapshot.rectangles, &ranges, layout, partitions).into(),
        };
        Ok(Self {
            snapshot,
            projection,
            schema,
            ranges,
            condition,
            partitions,
            fetch,
            dynamic_filters: Vec::new(),
            order: None,
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// Returns the read of one partition.
    fn request(&self, partition: &Partition, budget: Option<&ReadMemory>) -> ReadRequest {
        let condition = match (self.condition.clone(), self.snapshot.visible.clone()) {
            (Some(condition), Some(visible)) => Some(Predicate::all([condition, visible])),
            (condition, visible) => condition.or(visible),
        };
        ReadRequest {
            columns: self.schema.fields().iter().map(|field| field.name().clone()).collect(),
            ranges: partition.ranges.to_dimension_ranges(self.snapshot.array.layout()),
            condition,
            tiles: partition.tiles.clone(),
            // A sort without a limit, which has no dynamic filter, reads all tiles: better in the order of the files.
            order: self.order.clone().filter(|_| !self.dynamic_filters.is_empty()),
            // A tile is decoded whole, whatever the limit.
            batch_rows: stream::batch_rows(
                &self.schema,
                partition.cells,
                self.fetch.filter(|_| partition.tiles.is_none()),
                budget,
            ),
        }
    }

    fn reads_everything(&self) -> bool {
        self.ranges.is_empty() && self.condition.is_none()
    }

    fn reads_by_tile(&self) -> bool {
        self.partitions.iter().all(|partition| partition.tiles.is_some())
    }
}

impl DataSource for TileDbSource {
    fn open(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let ranges = self.partitions.get(partition);
        let ranges =
            ranges.ok_or_else(|| DataFusionError::Internal(format!("the scan has no partition {partition}")))?;
        let budget = context.session_config().get_extension::<ReadMemory>();
        let budget = budget.as_deref();
        let (array, request) = (self.snapshot.array.clone(), self.request(ranges, budget));
        let (schema, metrics) = (Arc::clone(&self.schema), BaselineMetrics::new(&self.metrics, partition));
        let rows = if request.tiles.is_some() {
            let memory = StepMemory::new(budget, context.memory_pool(), array.uri());
            let watch = DynamicFilterWatch::new(&self.dynamic_filters);
            stream::read_tiles(array, request, memory, schema, self.fetch, watch, metrics)
        } else {
            let memory = budget.map(|budget| budget.bytes() as u64);
            stream::read_ahead(array, request, memory, schema, self.fetch, metrics)
        };
        Ok(match &self.snapshot.error_hook {
            Some(hook) => hook.watch(rows),
            None => rows,
        })
    }

    fn fmt_as(&self, t: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        let columns: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
        let mut details = vec![format!("columns=[{}]", columns.join(", "))];
        if !self.ranges.is_empty() {
            let layout = self.snapshot.array.layout();
            details.push(format!("ranges=[{}]", DisplayRanges(&self.ranges, layout)));
        }
        if let Some(condition) = &self.condition {
            details.push(format!("condition=[{}]", condition));
        }
        if let Some(visible) = &self.snapshot.visible {
            details.push(format!("visible=[{}]", visible));
        }
        if let Some(TileOrder { column, descending, nulls_first }) = &self.order {
            let nulls = if *nulls_first { "NULL, then " } else { "" };
            details.push(format!("first={nulls}{} {column}", if *descending { "largest" } else { "smallest" }));
        }
        for filter in &self.dynamic_filters {
            details.push(format!("dynamic=[{filter}]"));
        }
        if let Some(fetch) = self.fetch {
            details.push(format!("limit={fetch}"));
        }
        let tiles = self.partitions.iter().map(|partition| partition.tiles.as_ref());
        if let Some(tiles) = tiles.collect::<Option<Vec<_>>>() {
            let tiles: usize = tiles.into_iter().flatten().map(|run| run.count).sum();
            details.push(format!("tiles={tiles}"));
        }
        details.push(format!("partitions={}", self.partitions.len()));
        let name = self.snapshot.name();
        match t {
            DisplayFormatType::TreeRender => details.iter().try_for_each(|detail| writeln!(f, "{detail}")),
            _ => write!(f, "TileDbScan: array={name}, {}", details.join(", ")),
        }
    }

    fn output_partitioning(&self) -> Partitioning {
        Partitioning::UnknownPartitioning(self.partitions.len())
    }

    /// Streams yield to the scheduler.
    fn scheduling_type(&self) -> SchedulingType {
        SchedulingType::Cooperative
    }

    fn eq_properties(&self) -> EquivalenceProperties {
        EquivalenceProperties::new(Arc::clone(&self.schema))
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        let expected = match partition.and_then(|partition| self.partitions.get(partition)) {
            Some(partition) if self.partitions.len() > 1 => Some(partition.cells),
            _ if self.reads_everything() => None,
            _ => Some(self.partitions.iter().map(|partition| partition.cells).sum()),
        };
        let statistics = statistics(&self.snapshot, &self.projection, expected);
        Ok(Arc::new(statistics.with_fetch(self.fetch, 0, self.partitions.len())?))
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn DataSource>> {
        Some(Arc::new(Self { fetch: limit, ..self.clone() }))
    }

    fn fetch(&self) -> Option<usize> {
        self.fetch
    }

    fn metrics(&self) -> ExecutionPlanMetricsSet {
        self.metrics.clone()
    }

    /// Makes a projection that only selects or reorders columns part of the scan.
    fn try_swapping_with_projection(&self, projection: &ProjectionExprs) -> Result<Option<Arc<dyn DataSource>>> {
        let columns: Vec<_> = projection.iter().cloned().collect();
        if !all_alias_free_columns(&columns) {
            return Ok(None);
        }
        let projection = new_projections_for_columns(&columns, &self.projection);
        let schema = Arc::new(self.snapshot.schema.project(&projection)?);
        Ok(Some(Arc::new(Self { projection, schema, ..self.clone() })))
    }

    /// Keeps the dynamic filters of a scan by tile. None is promised: the operator that pushes one applies it again.
    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        _config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn DataSource>>> {
        let promised = vec![PushedDown::No; filters.len()];
        let result = FilterPushdownPropagation::with_parent_pushdown_result(promised);
        let dynamic: Vec<_> = filters
            .into_iter()
            .filter(|filter| DynamicFilterTracking::classify(filter).contains_dynamic_filter())
            .collect();
        if dynamic.is_empty() || !self.reads_by_tile() || self.fetch.is_some() {
            return Ok(result);
        }
        let mut updated = self.clone();
        updated.dynamic_filters.extend(dynamic);
        Ok(result.with_updated_node(Arc::new(updated)))
    }

    /// Reads the tiles with the most extreme values of the first column first, or those with NULL, so that a sort with a limit soon knows
    /// what it does not need.
    fn try_pushdown_sort(&self, order: &[PhysicalSortExpr]) -> Result<SortOrderPushdownResult<Arc<dyn DataSource>>> {
        let first = order.first().filter(|_| self.reads_by_tile());
        let column = first.and_then(|first| Some((first.expr.downcast_ref::<Column>()?, first.options)));
        Ok(match column {
            Some((column, options)) => {
                let order = TileOrder {
                    column: column.name().to_owned(),
                    descending: options.descending,
                    nulls_first: options.nulls_first,
                };
                SortOrderPushdownResult::Inexact { inner: Arc::new(Self { order: Some(order), ..self.clone() }) }
            }
            None => SortOrderPushdownResult::Unsupported,
        })
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for filter in &self.dynamic_filters {
            if f(filter)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }
}
