//! Granules as a source of rows: each is decoded completely on a thread of its own before its first batch leaves, so that a
//! bad granule becomes a tally with an error and never a broken stream.

use std::fmt::{self, Formatter};
use std::fs::Metadata;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use arrow::array::{ArrayRef, Int32Array, Int64Array, LargeStringArray, RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::datasource::source::DataSource;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder};
use datafusion::physical_plan::projection::ProjectionExprs;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::{DisplayFormatType, Partitioning};
use isdb_granule::{FileSource, Granule, checksum};
use isdb_schema::catalogue::Variable;
use isdb_schema::printable::Printable;
use isdb_schema::segments::INGEST_ID;
use tokio::runtime::Handle;

use crate::filter::least::Least;
use crate::read::remote::{Place, RemoteSource, Traffic};
use crate::stored::carry::Carried;
use crate::tally::{TALLY, Tally, granule_rows_schema};
use isdb_schema::printable::error_chain;

/// The metrics that tell how far a scan is.
pub(crate) const GRANULES_READ: &str = "granules_read";
pub(crate) const BYTES_READ: &str = "bytes_read";
/// The metrics that tell what reading from stores has cost.
const REQUESTS: &str = "requests";
const BYTES_FETCHED: &str = "bytes_fetched";

/// The stage of a granule whose bytes could not be fetched. That says nothing about the file, so it is read again by the next run.
pub const READ: &str = "read";

/// The beams of a whole granule.
const BEAMS: usize = 6;

/// A granule to read, and the id that its rows will carry. The rest is what filters and derived columns may look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlannedGranule {
    /// The HDF5 file, or its URL `s3://bucket/key` in a store that the engine knows.
    pub path: PathBuf,
    /// Its size.
    pub size_bytes: u64,
    /// When the file was last changed, in nanoseconds since 1970, if it was identified as a local file: what is read is held against
    /// size and time.
    pub modified_at: Option<i64>,
    /// The checksum of its content, if that is known; of a local file it is computed otherwise.
    pub checksum: Option<String>,
    /// The id of this attempt.
    pub ingest_id: i64,
    /// The granule's id.
    pub granule: String,
    /// Cycle of the mission.
    pub cycle: Option<i32>,
    /// Region along the orbit.
    pub region: Option<i32>,
    /// Release, `007`.
    pub release: Option<String>,
    /// Revision, `01`.
    pub revision: Option<String>,
    /// The product's own verdict: 0 pass, 1 fail.
    pub qa_granule_pass_fail: Option<i32>,
    /// The attempts at other subsets of the granule: a segment that one of them has stored is not stored again.
    pub merges_with: Vec<i64>,
    /// What it replaces, of which it must have at least half.
    pub least: Least,
    /// The attempts that it replaces in part.
    pub carried: Vec<Carried>,
}

impl PlannedGranule {
    /// The column `name` of [`isdb_schema::columns::GRANULE_COLUMNS`] for `rows` rows.
    fn column(&self, name: &str, rows: usize) -> Option<ArrayRef> {
        let text = |value: Option<&str>| -> ArrayRef {
            match value {
                Some(value) => Arc::new(LargeStringArray::new_repeated(value, rows)),
                None => new_null_array(&DataType::LargeUtf8, rows),
            }
        };
        let number = |value: Option<i32>| -> ArrayRef {
            match value {
                Some(value) => Arc::new(Int32Array::from_value(value, rows)),
                None => new_null_array(&DataType::Int32, rows),
            }
        };
        Some(match name {
            "granule" => text(Some(&self.granule)),
            "cycle" => number(self.cycle),
            "region" => number(self.region),
            "release" => text(self.release.as_deref()),
            "revision" => text(self.revision.as_deref()),
            "qa_granule_pass_fail" => number(self.qa_granule_pass_fail),
            _ => return None,
        })
    }
}

/// The granules of a window, each partition a list of them. Holds nothing but names: it can be sent to another machine.
#[derive(Clone, Debug)]
pub(crate) struct GranuleSource {
    partitions: Vec<Vec<PlannedGranule>>,
    variables: Vec<&'static Variable>,
    schema: SchemaRef,
    metrics: ExecutionPlanMetricsSet,
}

impl GranuleSource {
    /// The granules dealt out to at most `partitions` lists, in turn. Rows get the `variables` and the columns
    /// `granule_columns` of the granule as a whole.
    pub(crate) fn new(
        granules: &[PlannedGranule],
        variables: &[&'static Variable],
        granule_columns: &[&str],
        partitions: usize,
    ) -> Self {
        let lists = partitions.min(granules.len()).max(1);
        let list = |first: usize| granules.iter().skip(first).step_by(lists).cloned().collect();
        GranuleSource {
            partitions: (0..lists).map(list).collect(),
            variables: variables.to_vec(),
            schema: granule_rows_schema(variables, granule_columns),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl DataSource for GranuleSource {
    fn open(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let granules = self.partitions.get(partition).cloned().unwrap_or_default();
        let (variables, schema) = (self.variables.clone(), Arc::clone(&self.schema));
        let config = context.session_config();
        let batch_rows = config.batch_size();
        // A window of fewer granules than cores decodes the chunks of each granule in parallel.
        let threads = (config.target_partitions() / self.partitions.len()).max(1);
        let mut stream = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), 2);
        let sender = stream.tx();
        let read_granules = MetricBuilder::new(&self.metrics).counter(GRANULES_READ, partition);
        let read_bytes = MetricBuilder::new(&self.metrics).counter(BYTES_READ, partition);
        let traffic = Traffic {
            requests: MetricBuilder::new(&self.metrics).counter(REQUESTS, partition),
            bytes: MetricBuilder::new(&self.metrics).counter(BYTES_FETCHED, partition),
        };
        let stores = context.runtime_env();
        stream.spawn_blocking(move || {
            for granule in &granules {
                let id = granule.granule.as_str();
                let _span = tracing::info_span!("granule", granule = id, ingest_id = granule.ingest_id).entered();
                let open = || open_granule(&granule.path, &stores, &traffic);
                let batches = read(granule, open, &variables, &schema, threads)?;
                read_granules.add(1);
                read_bytes.add(usize::try_from(granule.size_bytes).unwrap_or(usize::MAX));
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
            "GranuleScan: granules={granules}, variables={}, partitions={}",
            self.variables.len(),
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
        EquivalenceProperties::new(Arc::clone(&self.schema))
    }

    fn partition_statistics(&self, _: Option<usize>) -> Result<Arc<Statistics>> {
        Ok(Arc::new(Statistics::new_unknown(&self.schema)))
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
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }
}

/// Opens a granule in a local file. Reads the file's structure only, no rows.
pub(crate) fn open_file(path: &Path) -> isdb_granule::Result<Granule> {
    let failed = |source| isdb_granule::Error::Io { file: path.display().to_string(), source };
    Granule::open(FileSource::open(path).map_err(failed)?)
}

/// Opens a granule in a local file or, by its URL, in one of `stores`; for threads that may block. Reads the structure only.
fn open_granule(path: &Path, stores: &RuntimeEnv, traffic: &Traffic) -> isdb_granule::Result<Granule> {
    let Some((url, place)) = path.to_str().and_then(|url| Some((url, Place::parse(url)?))) else {
        return open_file(path);
    };
    let failed = |source| isdb_granule::Error::Io { file: url.to_owned(), source };
    let store = stores.object_store(&place.store).map_err(|error| failed(io::Error::other(error)))?;
    let opening = RemoteSource::open(store, url, traffic.clone());
    Granule::open(Handle::current().block_on(opening).map_err(failed)?)
}

/// Why no row of a granule is read.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error(transparent)]
    Granule(isdb_granule::Error),
    #[error("{}: expected the granule that it was chosen for, found {found}", path.display())]
    Other { path: PathBuf, found: String },
}

impl Unreadable {
    fn stage(&self) -> &'static str {
        match self {
            Unreadable::Granule(error) if error.is_transient() => READ,
            Unreadable::Granule(_) => "decode",
            Unreadable::Other { .. } => "identify",
        }
    }
}

/// The rows of a granule, a batch per beam, and its tally behind them.
fn read(
    granule: &PlannedGranule,
    open: impl FnOnce() -> isdb_granule::Result<Granule>,
    variables: &[&'static Variable],
    schema: &SchemaRef,
    threads: usize,
) -> Result<Vec<RecordBatch>> {
    let ingest_id = granule.ingest_id;
    let wanted: Vec<&Variable> = variables.to_vec();
    // The HDF5 reader may panic on a file that nobody foresaw; that must cost one granule, not the window.
    let decode = || {
        let opened = open().map_err(Unreadable::Granule)?;
        let found = &opened.identity().id;
        if !granule.granule.is_empty() && *found != granule.granule {
            return Err(Unreadable::Other { path: granule.path.clone(), found: found.clone() });
        }
        opened.decode(&wanted, threads).map_err(Unreadable::Granule)
    };
    // Reading the file from one end to the other beside it brings what it needs into memory.
    let (checksum, decoded) = beside(|| content_of(granule), || catch_unwind(AssertUnwindSafe(decode)));
    let decoded = match decoded {
        Ok(_) if has_changed(granule) => {
            let shown = Printable(&granule.path.to_string_lossy()).to_string();
            Err((READ, format!("{shown}: it was changed after it was identified")))
        }
        Ok(Ok(decoded)) => Ok(decoded),
        Ok(Err(error)) => Err((error.stage(), error_chain(&error))),
        Err(_) => {
            Err(("decode", format!("{}: the HDF5 reader gave up on it", Printable(&granule.path.to_string_lossy()))))
        }
    };
    let decoded = match decoded {
        Ok(decoded) => decoded,
        Err((stage, error)) => {
            tracing::debug!(stage, error, "cannot be decoded");
            let mut tally = Tally { ingest_id, checksum, ..Tally::default() };
            tally.fail(stage, error);
            return Ok(vec![tally.to_row(schema)?]);
        }
    };
    let mut batches =
        decoded.batches.iter().map(|batch| with_constants(batch, granule, schema)).collect::<Result<Vec<_>>>()?;
    let kept: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let missing = decoded.variables_missing.join(" ");
    let notes: Vec<String> = decoded.notes.iter().map(ToString::to_string).collect();
    let tally = Tally {
        ingest_id,
        checksum,
        rows_read: count(decoded.rows_read),
        rows_kept: count(kept as u64),
        rows_rejected: count(decoded.rows_rejected),
        beams_read: count((BEAMS - decoded.beams_empty.len() - decoded.beams_missing.len()) as u64),
        beams_empty: count(decoded.beams_empty.len() as u64),
        beams_missing: count(decoded.beams_missing.len() as u64),
        missing_variables: (!missing.is_empty()).then_some(missing),
        notes: (!notes.is_empty()).then(|| notes.join("; ")),
        ..Tally::default()
    };
    tracing::debug!(rows = tally.rows_read, beams = tally.beams_read, "decoded");
    batches.push(tally.to_row(schema)?);
    Ok(batches)
}

/// What `other` and `work` give, `other` on a thread of its own if there is one to be had.
fn beside<A: Send, B>(other: impl Fn() -> Option<A> + Sync, work: impl FnOnce() -> B) -> (Option<A>, B) {
    std::thread::scope(|scope| {
        let spawned = std::thread::Builder::new().spawn_scoped(scope, &other);
        let done = work();
        match spawned {
            Ok(thread) => (thread.join().ok().flatten(), done),
            Err(_) => (other(), done),
        }
    })
}

/// Whether the file is no longer the one whose identity is planned: rows of another granule under this one's name would be wrong.
/// What was read just before is of the planned file, or the file has changed since.
fn has_changed(granule: &PlannedGranule) -> bool {
    let Some(planned) = granule.modified_at else { return false };
    let found = std::fs::metadata(&granule.path).ok().and_then(|file| Some((file.len(), modified_at(&file)?)));
    found != Some((granule.size_bytes, planned))
}

/// When a file was last changed, in nanoseconds since 1970.
pub fn modified_at(file: &Metadata) -> Option<i64> {
    let since = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_nanos()).ok()
}

/// The checksum of a granule's file. What is no file, or cannot be read, has none.
fn content_of(granule: &PlannedGranule) -> Option<String> {
    granule.checksum.clone().or_else(|| checksum(&granule.path).ok())
}

/// The decoded columns, and between them those that are the same in all rows of a granule.
fn with_constants(batch: &RecordBatch, granule: &PlannedGranule, schema: &SchemaRef) -> Result<RecordBatch> {
    let rows = batch.num_rows();
    let column = |field: &Arc<Field>| match field.name().as_str() {
        INGEST_ID => Some(Arc::new(Int64Array::from_value(granule.ingest_id, rows)) as ArrayRef),
        TALLY => Some(new_null_array(field.data_type(), rows)),
        name => batch.column_by_name(name).cloned().or_else(|| granule.column(name, rows)),
    };
    let columns = schema.fields().iter().filter_map(column).collect();
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

fn count(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use datafusion::execution::runtime_env::RuntimeEnvBuilder;
    use datafusion::physical_plan::common::collect;
    use datafusion::prelude::{SessionConfig, SessionContext};
    use isdb_schema::catalogue::variable;
    use object_store::ObjectStoreExt as _;
    use object_store::memory::InMemory;
    use object_store::path::Path as Key;

    use super::*;

    /// The rows of the granule at `path`, whose checksum is known, and the requests that it took.
    async fn rows(path: &Path, context: &SessionContext) -> (Vec<RecordBatch>, usize) {
        let checksum = Some("xxh64:0123456789abcdef".to_owned());
        let granule = PlannedGranule { path: path.to_owned(), checksum, ..PlannedGranule::default() };
        let source = GranuleSource::new(&[granule], &[variable("h_canopy").unwrap()], &[], 1);
        let rows = collect(source.open(0, context.task_ctx()).unwrap()).await.unwrap();
        let requests = source.metrics().clone_inner().sum_by_name(REQUESTS).unwrap().as_usize();
        (rows, requests)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_plan_reads_from_a_store_what_it_would_read_from_a_file() {
        const NAME: &str = "processed_ATL08_20200821122613_08730802_004_01.h5";
        let Some(file) = isdb_testing::real(NAME) else { return };
        let content = std::fs::read(&file).unwrap();
        let runtime = RuntimeEnvBuilder::new().build_arc().unwrap();
        let context = SessionContext::new_with_config_rt(SessionConfig::new(), runtime);
        let store = InMemory::new();
        store.put(&Key::from(NAME), content.into()).await.unwrap();
        let place = Place::parse(&format!("s3://bucket/{NAME}")).unwrap();
        context.register_object_store(place.store.as_ref(), Arc::new(store));

        let (expected, none) = rows(&file, &context).await;
        let (found, some) = rows(Path::new(&format!("s3://bucket/{NAME}")), &context).await;
        assert!(expected.len() > 1 && found == expected);
        assert!(none == 0 && some > 0);
        // A store that nobody has registered is told like a file that is not there.
        let (unknown, _) = rows(Path::new(&format!("s3://other/{NAME}")), &context).await;
        assert_eq!(unknown.len(), 1, "a tally alone");
    }

    #[test]
    fn a_file_that_is_gone_says_nothing_of_the_granule() {
        let granule = PlannedGranule { path: "/no/such/file.h5".into(), ..PlannedGranule::default() };
        let schema = granule_rows_schema(&[], &[]);
        let rows = read(&granule, || open_file(&granule.path), &[], &schema, 1).unwrap();
        let tallies = Tally::from_column(rows[0].column_by_name(TALLY).unwrap()).unwrap();
        assert_eq!((tallies.len(), tallies[0].stage.as_deref()), (1, Some(READ)));
    }

    #[test]
    fn a_file_s_checksum_is_told_whether_or_not_it_can_be_decoded_and_computed_only_if_unknown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        let told = |checksum: Option<&str>| {
            let checksum = checksum.map(str::to_owned);
            let granule = PlannedGranule { path: file.path().to_owned(), checksum, ..PlannedGranule::default() };
            let schema = granule_rows_schema(&[], &[]);
            let rows = read(&granule, || open_file(&granule.path), &[], &schema, 1).unwrap();
            let tallies = rows.iter().flat_map(|row| Tally::from_column(row.column_by_name(TALLY).unwrap()).unwrap());
            let [tally] = tallies.collect::<Vec<_>>().try_into().unwrap();
            assert_eq!(tally.stage.as_deref(), Some("decode"), "three bytes are no granule");
            tally.checksum.unwrap()
        };
        assert_eq!(told(None), "xxh64:44bc2cf5ad770999");
        assert_eq!(told(Some("xxh64:5")), "xxh64:5");
    }

    #[test]
    fn a_file_that_is_replaced_after_it_was_identified_fails_and_its_rows_are_not_stored_under_the_old_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.h5");
        std::fs::write(&path, isdb_testing::granule()).unwrap();
        let error = |granule: &PlannedGranule| {
            let schema = granule_rows_schema(&[], &[]);
            let rows = read(granule, || open_file(&granule.path), &[], &schema, 1).unwrap();
            let tallies = rows.iter().flat_map(|row| Tally::from_column(row.column_by_name(TALLY).unwrap()).unwrap());
            tallies.last().unwrap().error
        };
        let metadata = std::fs::metadata(&path).unwrap();
        let modified_at = modified_at(&metadata);
        let granule = PlannedGranule { path, size_bytes: metadata.len(), modified_at, ..PlannedGranule::default() };
        assert_eq!(error(&granule), None);
        for other in [
            PlannedGranule { size_bytes: granule.size_bytes + 1, ..granule.clone() },
            PlannedGranule { modified_at: Some(1), ..granule.clone() },
        ] {
            assert!(error(&other).unwrap().ends_with("a.h5: it was changed after it was identified"));
        }
        assert_eq!(error(&PlannedGranule { modified_at: None, size_bytes: 0, ..granule }), None, "not a local file");
    }
}
