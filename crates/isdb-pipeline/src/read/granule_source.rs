//! Granules as a source of rows. Each is decoded completely before its first batch leaves, so that a granule that cannot be read
//! becomes a tally with an error and never an error of the stream.

use std::fmt::{self, Formatter};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::datasource::source::DataSource;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder};
use datafusion::physical_plan::projection::ProjectionExprs;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::{DisplayFormatType, Partitioning};

use crate::filter::quality::Quality;
use crate::read::decode::decode_granule;
use crate::read::open::open_granule;
use crate::read::planned_granule::PlannedGranule;
use crate::read::remote::FetchMetrics;

/// The metrics of a scan's progress: granules decoded, bytes of their files, and rows of them that passed the filters.
pub(crate) const GRANULES_READ: &str = "granules_read";
pub(crate) const BYTES_READ: &str = "bytes_read";
pub(crate) const ROWS_KEPT: &str = "rows_kept";
/// The metrics of reads from stores.
const REQUESTS: &str = "requests";
const BYTES_FETCHED: &str = "bytes_fetched";

/// The granules of a window, in partitions, and what is done with their rows. Holds names, numbers and expressions, which can be sent to another machine.
#[derive(Clone, Debug)]
pub(crate) struct GranuleSource {
    partitions: Vec<Vec<PlannedGranule>>,
    quality: Arc<Quality>,
    metrics: ExecutionPlanMetricsSet,
}

impl GranuleSource {
    /// Distributes `granules` in turn to at most `partitions` partitions. Rows have the columns that `quality` stores.
    pub(crate) fn new(granules: &[PlannedGranule], quality: Quality, partitions: usize) -> Self {
        let partitions = partitions.min(granules.len()).max(1);
        let partition = |first: usize| granules.iter().skip(first).step_by(partitions).cloned().collect();
        GranuleSource {
            partitions: (0..partitions).map(partition).collect(),
            quality: Arc::new(quality),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    fn schema(&self) -> &SchemaRef {
        &self.quality.stored_schema
    }
}

impl DataSource for GranuleSource {
    fn open(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let granules = self.partitions.get(partition).cloned().unwrap_or_default();
        let quality = Arc::clone(&self.quality);
        let config = context.session_config();
        let batch_rows = config.batch_size();
        // With fewer granules than cores, the HDF5 chunks of each granule are decoded in parallel.
        let threads = (config.target_partitions() / self.partitions.len()).max(1);
        let mut stream = RecordBatchReceiverStreamBuilder::new(Arc::clone(self.schema()), 2);
        let sender = stream.tx();
        let read_granules = MetricBuilder::new(&self.metrics).counter(GRANULES_READ, partition);
        let read_bytes = MetricBuilder::new(&self.metrics).counter(BYTES_READ, partition);
        let kept_rows = MetricBuilder::new(&self.metrics).counter(ROWS_KEPT, partition);
        let fetch_metrics = FetchMetrics {
            requests: MetricBuilder::new(&self.metrics).counter(REQUESTS, partition),
            bytes: MetricBuilder::new(&self.metrics).counter(BYTES_FETCHED, partition),
        };
        let stores = context.runtime_env();
        stream.spawn_blocking(move || {
            for granule in &granules {
                let id = granule.granule.as_str();
                let _span = tracing::info_span!("granule", granule = id, ingest_id = granule.ingest_id).entered();
                let open = || open_granule(&granule.path, &stores, &fetch_metrics);
                let batches = decode_granule(granule, open, &quality, threads)?;
                read_granules.add(1);
                read_bytes.add(usize::try_from(granule.size_bytes).unwrap_or(usize::MAX));
                // The last row is the tally.
                kept_rows.add(batches.iter().map(RecordBatch::num_rows).sum::<usize>().saturating_sub(1));
                for batch in batches {
                    for start in (0..batch.num_rows()).step_by(batch_rows) {
                        let slice = batch.slice(start, batch_rows.min(batch.num_rows() - start));
                        if sender.blocking_send(Ok(slice)).is_err() {
                            return Ok(());
                        }
                    }
                }
            }
            Ok(())
        });
        Ok(stream.build())
    }

    fn fmt_as(&self, _: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        let granules: usize = self.partitions.iter().map(Vec::len).sum();
        write!(
            f,
            "GranuleScan: granules={granules}, variables={}, {}, partitions={}",
            self.quality.variables.len(),
            self.quality,
            self.partitions.len()
        )
    }

    fn output_partitioning(&self) -> Partitioning {
        Partitioning::UnknownPartitioning(self.partitions.len())
    }

    fn metrics(&self) -> ExecutionPlanMetricsSet {
        self.metrics.clone()
    }

    fn eq_properties(&self) -> EquivalenceProperties {
        EquivalenceProperties::new(Arc::clone(self.schema()))
    }

    fn partition_statistics(&self, _: Option<usize>) -> Result<Arc<Statistics>> {
        Ok(Arc::new(Statistics::new_unknown(self.schema())))
    }

    fn with_fetch(&self, _: Option<usize>) -> Option<Arc<dyn DataSource>> {
        None
    }

    fn fetch(&self) -> Option<usize> {
        None
    }

    fn try_swapping_with_projection(&self, _: &ProjectionExprs) -> Result<Option<Arc<dyn DataSource>>> {
        Ok(None)
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let mut recursion = TreeNodeRecursion::Continue;
        for expression in self.quality.expressions() {
            recursion = recursion.visit_sibling(|| visit(expression))?;
        }
        Ok(recursion)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use datafusion::execution::runtime_env::RuntimeEnvBuilder;
    use datafusion::physical_plan::common::collect;
    use datafusion::prelude::{SessionConfig, SessionContext};
    use isdb_schema::catalogue::variable;
    use object_store::ObjectStoreExt as _;
    use object_store::memory::InMemory;
    use object_store::path::Path as Key;

    use super::*;
    use crate::filter::selection::Selection;
    use crate::read::object_address::ObjectAddress;
    use crate::stored::earlier_attempts::EarlierAttempts;

    /// Returns the rows of the granule at `path`, whose checksum is known, and the number of requests.
    async fn rows(path: &Path, context: &SessionContext) -> (Vec<RecordBatch>, usize) {
        let checksum = Some("xxh64:0123456789abcdef".to_owned());
        let granule = PlannedGranule { path: path.to_owned(), checksum, ..PlannedGranule::default() };
        let selection = Selection::bind(&[variable("h_canopy").unwrap()], &[], &[]).unwrap();
        let quality = Quality::new(&selection, EarlierAttempts::default()).unwrap();
        let source = GranuleSource::new(&[granule], quality, 1);
        let rows = collect(source.open(0, context.task_ctx()).unwrap()).await.unwrap();
        let requests = source.metrics().clone_inner().sum_by_name(REQUESTS).unwrap().as_usize();
        (rows, requests)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_granule_in_a_store_has_the_same_rows_as_the_local_file() {
        const NAME: &str = "processed_ATL08_20200821122613_08730802_004_01.h5";
        let Some(file) = isdb_testing::real(NAME) else { return };
        let content = std::fs::read(&file).unwrap();
        let runtime = RuntimeEnvBuilder::new().build_arc().unwrap();
        let context = SessionContext::new_with_config_rt(SessionConfig::new(), runtime);
        let store = InMemory::new();
        store.put(&Key::from(NAME), content.into()).await.unwrap();
        let address = ObjectAddress::parse(&format!("s3://bucket/{NAME}")).unwrap();
        context.register_object_store(address.store.as_ref(), Arc::new(store));

        let (expected, local_requests) = rows(&file, &context).await;
        let (found, remote_requests) = rows(Path::new(&format!("s3://bucket/{NAME}")), &context).await;
        assert!(expected.len() > 1 && found == expected);
        assert!(local_requests == 0 && remote_requests > 0);
        // A store that is not registered is reported like a missing file.
        let (unknown, _) = rows(Path::new(&format!("s3://other/{NAME}")), &context).await;
        assert_eq!(unknown.len(), 1, "a tally alone");
    }
}
