//! Granules as a source of rows. Each is decoded completely before its first batch leaves, so that a granule that cannot be read
//! becomes a tally with an error and never an error of the stream.

use std::fmt::{self, Formatter};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::datasource::source::DataSource;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder};
use datafusion::physical_plan::projection::ProjectionExprs;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::{DisplayFormatType, Partitioning};
use tokio::sync::mpsc::Sender;

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

/// The granules of a window and what is done with their rows. Holds names, numbers and expressions, which can be sent to another machine.
///
/// It is one partition with several readers, each of which decodes the next granule: with a partition for each reader, seven granules
/// were four and three, and one of two cores waited for an eighth of the time.
#[derive(Clone, Debug)]
pub(crate) struct GranuleSource {
    granules: Arc<[PlannedGranule]>,
    readers: usize,
    quality: Arc<Quality>,
    metrics: ExecutionPlanMetricsSet,
}

impl GranuleSource {
    /// Reads `granules`, at most `readers` at a time. Rows have the columns that `quality` stores.
    pub(crate) fn new(granules: &[PlannedGranule], quality: Quality, readers: usize) -> Self {
        GranuleSource {
            granules: granules.into(),
            readers: readers.clamp(1, granules.len().max(1)),
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
        let counter = |name: &'static str| MetricBuilder::new(&self.metrics).counter(name, partition);
        let config = context.session_config();
        let mut stream = RecordBatchReceiverStreamBuilder::new(Arc::clone(self.schema()), 2 * self.readers);
        let reader = Reader {
            granules: Arc::clone(&self.granules),
            next: Arc::default(),
            readers: self.readers,
            cores: config.target_partitions(),
            batch_rows: config.batch_size(),
            quality: Arc::clone(&self.quality),
            stores: context.runtime_env(),
            fetched: FetchMetrics { requests: counter(REQUESTS), bytes: counter(BYTES_FETCHED) },
            read_granules: counter(GRANULES_READ),
            read_bytes: counter(BYTES_READ),
            kept_rows: counter(ROWS_KEPT),
            sender: stream.tx(),
        };
        for _ in 0..self.readers {
            let reader = reader.clone();
            stream.spawn_blocking(move || reader.run());
        }
        Ok(stream.build())
    }

    fn fmt_as(&self, _: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        let (granules, variables) = (self.granules.len(), self.quality.variables.len());
        write!(f, "GranuleScan: granules={granules}, variables={variables}, {}, readers={}", self.quality, self.readers)
    }

    fn output_partitioning(&self) -> Partitioning {
        Partitioning::UnknownPartitioning(1)
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

/// Decodes one granule after the other, until none is left.
#[derive(Clone)]
struct Reader {
    granules: Arc<[PlannedGranule]>,
    /// The number of the next granule, which all readers share.
    next: Arc<AtomicUsize>,
    readers: usize,
    cores: usize,
    batch_rows: usize,
    quality: Arc<Quality>,
    stores: Arc<RuntimeEnv>,
    fetched: FetchMetrics,
    read_granules: Count,
    read_bytes: Count,
    kept_rows: Count,
    sender: Sender<Result<RecordBatch>>,
}

impl Reader {
    fn run(self) -> Result<()> {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(granule) = self.granules.get(number) else { return Ok(()) };
            let id = granule.granule.as_str();
            let _span = tracing::info_span!("granule", granule = id, ingest_id = granule.ingest_id).entered();
            let open = || open_granule(&granule.path, &self.stores, &self.fetched);
            let threads = threads(number, self.granules.len(), self.readers, self.cores);
            let batches = decode_granule(granule, open, &self.quality, threads)?;
            self.read_granules.add(1);
            self.read_bytes.add(usize::try_from(granule.size_bytes).unwrap_or(usize::MAX));
            // The last row is the tally.
            self.kept_rows.add(batches.iter().map(RecordBatch::num_rows).sum::<usize>().saturating_sub(1));
            for batch in batches {
                for start in (0..batch.num_rows()).step_by(self.batch_rows) {
                    let slice = batch.slice(start, self.batch_rows.min(batch.num_rows() - start));
                    if self.sender.blocking_send(Ok(slice)).is_err() {
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// Returns the threads that inflate the HDF5 chunks of granule `number` of `granules`: the cores of `readers` readers, or of fewer for the
/// last granules, which leave readers without one.
fn threads(number: usize, granules: usize, readers: usize, cores: usize) -> usize {
    let last = granules % readers;
    let readers = if number >= granules - last { last } else { readers };
    (cores / readers.max(1)).max(1)
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

    #[test]
    fn the_last_granules_have_the_threads_of_readers_without_one() {
        let of_seven: Vec<usize> = (0..7).map(|number| threads(number, 7, 2, 2)).collect();
        assert_eq!(of_seven, [1, 1, 1, 1, 1, 1, 2]);
        let of_five: Vec<usize> = (0..5).map(|number| threads(number, 5, 3, 8)).collect();
        assert_eq!(of_five, [2, 2, 2, 4, 4]);
        assert_eq!(threads(0, 1, 1, 1), 1);
    }

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
