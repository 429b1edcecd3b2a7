//! Parquet files of the ledger: written whole and durable under a new name before a commit names them, and never changed.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::sync::{LazyLock, Mutex, PoisonError};

use arrow::array::{AsArray, BooleanArray, RecordBatch, RecordBatchReader};
use arrow::compute::{concat_batches, max, min};
use arrow::datatypes::{Int64Type, SchemaRef};
use bytes::Bytes;
use isdb_schema::segments::INGEST_ID;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowFilter,
};
use parquet::arrow::arrow_writer::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::ChunkReader;
use parquet::file::statistics::Statistics;
use uuid::Uuid;

use super::file::{LedgerFile, LedgerFileKind};
use crate::error::{Error, Result};
use crate::files::durable::{io_error, sync_folder};
use crate::files::location::Location;
use crate::fragment::FileChecksum;
use crate::id::Id;

/// The folder of the ledger's files.
pub(crate) const LEDGER: &str = "ledger";

/// What the names of its files end with, after a UUID.
pub(crate) const LEDGER_SUFFIX: &str = ".parquet";

/// The column with the fragment in a file of contents.
pub(super) const FRAGMENT_ID: &str = "fragment_id";

/// Rows of a row group. A search for one attempt decodes one group of each file.
const ROW_GROUP_ROWS: usize = 16_384;

const BATCH_ROWS: usize = 8_192;

/// The path of a file of the ledger below the database's location.
pub(crate) fn ledger_path(name: &str) -> String {
    format!("{LEDGER}/{name}")
}

/// Creates the folder of the ledger durably if it does not exist. A takeover does so before its fence, so that its writer has to sync
/// only the folder itself. Blocks.
pub(crate) fn make_ledger_folder(location: &Location) -> Result<()> {
    // An object store has no folders.
    let Some(root) = location.folder() else { return Ok(()) };
    let folder = root.join(LEDGER);
    fs::create_dir_all(&folder).map_err(|source| io_error(&folder, source))?;
    sync_folder(root)
}

/// Writes `batch` as a new file of the ledger: [`write_batches`].
pub(super) fn write(location: &Location, kind: LedgerFileKind, batch: &RecordBatch) -> Result<LedgerFile> {
    write_batches(location, kind, batch.schema(), std::iter::once(Ok(batch.clone())))
}

/// Writes `batches` as a new file of the ledger and returns what a commit records of it. The content is durable, and the commit makes its
/// entry durable. Blocks.
pub(super) fn write_batches(
    location: &Location,
    kind: LedgerFileKind,
    schema: SchemaRef,
    batches: impl Iterator<Item = Result<RecordBatch>>,
) -> Result<LedgerFile> {
    let name = format!("{}{LEDGER_SUFFIX}", Uuid::new_v4().simple());
    let path = ledger_path(&name);
    let failed = |error: ParquetError| parquet_error(location, &path, error);
    let compression = ZstdLevel::try_new(1).map(Compression::ZSTD).map_err(failed)?;
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    let mut content = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut content, schema, Some(properties)).map_err(failed)?;
    let (mut rows, mut ingest_ids, mut fragment_ids) = (0, None, None);
    for batch in batches {
        let batch = batch?;
        writer.write(&batch).map_err(failed)?;
        rows += batch.num_rows() as u64;
        widen(&mut ingest_ids, range(&batch, INGEST_ID));
        widen(&mut fragment_ids, range(&batch, FRAGMENT_ID));
    }
    writer.close().map_err(failed)?;

    let checksum = FileChecksum::new(&content);
    location.create(&path, content)?;
    let ingest_ids = ingest_ids.unwrap_or((Id(0), Id(0)));
    Ok(LedgerFile { name, kind, rows, ingest_ids, fragment_ids, checksum })
}

/// Reads the content of `files` of an object store at the same time.
pub(super) fn prefetch<'f>(location: &Location, files: impl IntoIterator<Item = &'f LedgerFile>) -> Result<()> {
    location.prefetch(files.into_iter().map(|file| ledger_path(&file.name)))
}

/// Reads a whole file of the ledger, after a check of its size and checksum. Blocks.
pub(crate) fn read_checked(location: &Location, file: &LedgerFile) -> Result<RecordBatch> {
    let batches = checked_batches(location, file)?;
    let schema = batches.schema();
    Ok(concat_batches(&schema, &batches.collect::<Result<Vec<_>, _>>()?)?)
}

/// The content of a file of the ledger, which is decoded as it is read, after a check of its size and checksum. Blocks.
pub(super) fn checked_batches(location: &Location, file: &LedgerFile) -> Result<ParquetRecordBatchReader> {
    let path = ledger_path(&file.name);
    let failed = |error: ParquetError| parquet_error(location, &path, error);
    let builder = ParquetRecordBatchReaderBuilder::try_new(read_content(location, file)?).map_err(failed)?;
    builder.with_batch_size(BATCH_ROWS).build().map_err(failed)
}

/// Reads a file, and checks its size and checksum.
fn read_content(location: &Location, file: &LedgerFile) -> Result<Bytes> {
    let path = ledger_path(&file.name);
    let content = location.read(&path)?;
    match file.checksum.difference(&content) {
        Some(problem) => Err(Error::Damaged { object: location.child(&path), problem }),
        None => Ok(content),
    }
}

/// Checks size and checksum of a file that is about to be searched, once in a process: what a search finds decides which rows are dead.
fn check_once(location: &Location, file: &LedgerFile) -> Result<()> {
    /// Names of files that were checked. Names are random, and files never change.
    static CHECKED: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
    let checked = || CHECKED.lock().unwrap_or_else(PoisonError::into_inner);
    if checked().contains(&file.name) {
        return Ok(());
    }
    read_content(location, file)?;
    checked().insert(file.name.clone());
    Ok(())
}

/// Reads `columns` of the rows of a file whose `column` is one of `ids`; only row groups that may have one are decoded. Blocks.
pub(super) fn read_rows_of(
    location: &Location,
    file: &LedgerFile,
    column: &'static str,
    ids: &BTreeSet<Id>,
    columns: &[&str],
) -> Result<Vec<RecordBatch>> {
    let Some(root) = location.folder() else {
        // One request reads the whole file, and a few parts of it would be several.
        return search(location, file, read_content(location, file)?, column, ids, columns);
    };
    check_once(location, file)?;
    let path = root.join(ledger_path(&file.name));
    let opened = File::open(&path).map_err(|source| io_error(&path, source))?;
    search(location, file, opened, column, ids, columns)
}

/// [`read_rows_of`] in `content`.
fn search<R: ChunkReader + 'static>(
    location: &Location,
    file: &LedgerFile,
    content: R,
    column: &'static str,
    ids: &BTreeSet<Id>,
    columns: &[&str],
) -> Result<Vec<RecordBatch>> {
    let path = ledger_path(&file.name);
    let failed = |error: ParquetError| parquet_error(location, &path, error);
    let builder = ParquetRecordBatchReaderBuilder::try_new(content).map_err(failed)?;
    let leaf = builder.parquet_schema().columns().iter().position(|leaf| leaf.name() == column);
    let Some(leaf) = leaf else { return Err(missing(location, &path, column)) };
    let groups = builder.metadata().row_groups().iter().enumerate();
    let may_have = |statistics: Option<&Statistics>| match statistics {
        Some(Statistics::Int64(of)) => match (of.min_opt(), of.max_opt()) {
            (Some(low), Some(high)) if low <= high => ids.range(Id(*low)..=Id(*high)).next().is_some(),
            _ => true,
        },
        _ => true,
    };
    let groups =
        groups.filter(|(_, group)| may_have(group.column(leaf).statistics())).map(|(index, _)| index).collect();
    let mask = ProjectionMask::leaves(builder.parquet_schema(), [leaf]);
    let wanted = ids.clone();
    let is_wanted = ArrowPredicateFn::new(mask, move |batch: RecordBatch| {
        let values = batch.column(0).as_primitive::<Int64Type>().values();
        Ok(values.iter().map(|id| Some(wanted.contains(&Id(*id)))).collect::<BooleanArray>())
    });
    let columns = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    let builder = builder
        .with_projection(columns)
        .with_row_groups(groups)
        .with_row_filter(RowFilter::new(vec![Box::new(is_wanted)]));
    let reader = builder.with_batch_size(BATCH_ROWS).build().map_err(failed)?;
    Ok(reader.collect::<Result<Vec<_>, _>>()?)
}

/// Widens `range` so that it contains `other`.
fn widen(range: &mut Option<(Id, Id)>, other: Option<(Id, Id)>) {
    if let Some((low, high)) = other {
        let (lowest, highest) = range.unwrap_or((low, high));
        *range = Some((lowest.min(low), highest.max(high)));
    }
}

/// The smallest and the largest id in `column`.
fn range(batch: &RecordBatch, column: &str) -> Option<(Id, Id)> {
    let values = batch.column_by_name(column)?.as_primitive_opt::<Int64Type>()?;
    Some((Id(min(values)?), Id(max(values)?)))
}

fn parquet_error(location: &Location, path: &str, error: ParquetError) -> Error {
    Error::Damaged { object: location.child(path), problem: error.to_string() }
}

fn missing(location: &Location, path: &str, column: &str) -> Error {
    let problem = format!("column {column} is missing or has another type");
    Error::Damaged { object: location.child(path), problem }
}
