//! The ledger as a table: the rows of some Parquet files, which DataFusion reads. Planning reads nothing, because the caller knows
//! the size and the rows of each file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Constraint, Constraints, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::object_store;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use isdb_schema::ledger::ledger_schema;
use isdb_schema::segments::INGEST_ID;
use isdb_store::Snapshot;

use crate::views::expiring_files::ExpiringFiles;

/// The minimum number of bytes in a partition: with fewer, another partition costs more than it gains.
const BYTES_PER_PARTITION: u64 = 1 << 20;

/// Files in an object store that are read at a time.
const REMOTE_FILES: usize = 64;

/// Bytes at the end of a file that are read first. They hold the footer, and all of a small file.
const FOOTER_BYTES: usize = 64 << 10;

/// A Parquet file with rows of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerPart {
    /// Absolute path of the file, or `/` and its key in the object store of the table's snapshot.
    pub path: PathBuf,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Number of its rows.
    pub rows: u64,
}

/// The rows of immutable Parquet files with the columns of [`ledger_schema`]; no rows without files. Its primary key is
/// `ingest_id`.
#[derive(Debug)]
pub struct LedgerTable {
    schema: SchemaRef,
    parts: Vec<LedgerPart>,
    constraints: Constraints,
    /// Explains errors of reads.
    snapshot: Option<Arc<Snapshot>>,
}

impl LedgerTable {
    /// Creates the table of these files. No I/O.
    #[must_use]
    pub fn new(parts: Vec<LedgerPart>) -> Self {
        let schema = Arc::new(ledger_schema());
        // The key lets the optimizer remove a join with the ledger if a statement uses none of its columns.
        let key = schema.index_of(INGEST_ID).map(|key| Constraint::PrimaryKey(vec![key]));
        let constraints = Constraints::new_unverified(key.into_iter().collect());
        Self { schema, parts, constraints, snapshot: None }
    }

    /// Reports a read that fails because a vacuum has removed `snapshot` as [`Error::Expired`](crate::Error::Expired).
    #[must_use]
    pub(crate) fn of_snapshot(self, snapshot: Arc<Snapshot>) -> Self {
        Self { snapshot: Some(snapshot), ..self }
    }

    /// Returns the files in groups that are read at the same time: at most `partitions`, and more in an object store, where a read waits.
    fn file_groups(&self, partitions: usize) -> Result<Vec<FileGroup>> {
        let files = self.parts.iter().map(|part| partitioned_file(&part.path, part.bytes));
        let files = FileGroup::new(files.collect::<Result<_>>()?);
        let bytes: u64 = self.parts.iter().map(|part| part.bytes).sum();
        let useful = usize::try_from(bytes / BYTES_PER_PARTITION).unwrap_or(usize::MAX);
        let is_remote = self.snapshot.as_ref().is_some_and(|snapshot| snapshot.ledger_store().is_some());
        let groups =
            if is_remote { self.parts.len().clamp(1, REMOTE_FILES) } else { useful.clamp(1, partitions.max(1)) };
        Ok(files.split_files(groups))
    }

    fn exact_statistics(&self) -> Statistics {
        let rows = self.parts.iter().map(|part| part.rows).sum::<u64>();
        let column = |is_nullable: bool| {
            let unknown = ColumnStatistics::new_unknown();
            if is_nullable { unknown } else { unknown.with_null_count(Precision::Exact(0)) }
        };
        Statistics {
            num_rows: usize::try_from(rows).map_or(Precision::Absent, Precision::Exact),
            total_byte_size: Precision::Absent,
            column_statistics: self.schema.fields().iter().map(|field| column(field.is_nullable())).collect(),
        }
    }
}

fn partitioned_file(path: &Path, bytes: u64) -> Result<PartitionedFile> {
    let mut file = PartitionedFile::new("", bytes);
    file.object_meta.location =
        object_store::path::Path::from_absolute_path(path).map_err(object_store::Error::from)?;
    Ok(file)
}

#[async_trait]
impl TableProvider for LedgerTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn constraints(&self) -> Option<&Constraints> {
        Some(&self.constraints)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn statistics(&self) -> Option<Statistics> {
        Some(self.exact_statistics())
    }

    /// Predicates reach the files through DataFusion's physical optimizer, which skips row groups by them.
    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if self.parts.is_empty() {
            let all = || (0..self.schema.fields().len()).collect();
            let schema = self.schema.project(&projection.cloned().unwrap_or_else(all))?;
            return Ok(Arc::new(EmptyExec::new(Arc::new(schema))));
        }
        let url = ObjectStoreUrl::local_filesystem();
        let runtime = state.runtime_env();
        let footers = runtime.cache_manager.get_file_metadata_cache();
        // The URL is never used for files of an object store: their reader has the store.
        let store = match self.snapshot.as_ref().and_then(|snapshot| snapshot.ledger_store()) {
            Some(store) => store,
            None => runtime.object_store(&url)?,
        };
        let files = CachedParquetFileReaderFactory::new(store, footers);
        let files = ExpiringFiles::new(files, self.snapshot.clone());
        let source = ParquetSource::new(Arc::clone(&self.schema))
            .with_parquet_file_reader_factory(Arc::new(files))
            .with_metadata_size_hint(FOOTER_BYTES);
        let groups = self.file_groups(state.config().target_partitions())?;
        let statistics = self.exact_statistics().with_fetch(limit, 0, groups.len())?;
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(groups)
            .with_constraints(self.constraints.clone())
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::SessionContext;

    use super::*;
    use crate::testing::{Granule, ids, ledger, physical_plan, session};

    fn context(table: LedgerTable) -> SessionContext {
        let context = session(4);
        context.register_table("granules", Arc::new(table)).unwrap();
        context.register_batch("segments", isdb_testing::batch(&Arc::new(ledger_schema()), &[])).unwrap();
        context
    }

    fn part(path: &str, rows: u64) -> LedgerPart {
        LedgerPart { path: path.into(), bytes: 1_000, rows }
    }

    #[tokio::test]
    async fn rows_are_counted_and_unused_joins_are_removed_without_a_read() {
        let context = context(LedgerTable::new(vec![part("/missing/a.parquet", 5), part("/missing/b.parquet", 7)]));
        assert_eq!(ids(&context, "SELECT CAST(count(*) AS INT) FROM granules").await, [12]);
        assert_eq!(ids(&context, "SELECT CAST(count(granule) AS INT) FROM granules").await, [12]);
        let joined = "SELECT s.rgt FROM segments s LEFT JOIN granules g ON s.ingest_id = g.ingest_id";
        let plan = physical_plan(&context, joined).await;
        assert!(!plan.contains("parquet"), "{plan}");
        let read = context.sql("SELECT rgt FROM granules").await.unwrap().collect().await.unwrap_err().to_string();
        assert!(read.contains("missing/"), "{read}");
    }

    #[tokio::test]
    async fn a_ledger_without_files_has_no_rows() {
        let context = context(LedgerTable::new(Vec::new()));
        assert_eq!(ids(&context, "SELECT rgt FROM granules").await, Vec::<i32>::new());
        assert_eq!(ids(&context, "SELECT CAST(count(*) AS INT) FROM granules").await, [0]);
    }

    #[tokio::test]
    async fn predicates_columns_and_limits_reach_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let granule = |rgt| Granule { rgt, cycle: Some(1), region: None };
        let rows = [granule(Some(7)), granule(None), granule(Some(9))];
        let context = context(ledger(&folder.path().join("a b%20é.parquet"), &rows));
        let one = "SELECT rgt FROM granules WHERE ingest_id = 2";
        assert_eq!(ids(&context, one).await, [9]);
        let plan = physical_plan(&context, one).await;
        assert!(plan.contains("projection=[ingest_id, rgt]") && plan.contains("pruning_predicate="), "{plan}");
        let limited = "SELECT CAST(count(*) AS INT) FROM (SELECT rgt FROM granules LIMIT 2)";
        assert_eq!(ids(&context, limited).await, [2]);
        assert_eq!(ids(&context, "SELECT cycle FROM granules WHERE rgt IS NULL").await, [1]);
    }

    #[test]
    fn large_files_are_read_by_several_partitions() {
        let large = |name: &str| LedgerPart { path: format!("/ledger/{name}").into(), bytes: 8 << 20, rows: 50_000 };
        let table = LedgerTable::new(vec![large("a"), large("b"), large("c")]);
        assert_eq!(table.file_groups(2).unwrap().len(), 2);
        assert_eq!(LedgerTable::new(vec![part("/a", 1), part("/b", 1)]).file_groups(8).unwrap().len(), 1);
    }
}
