//! A small database for tests: segments in an array and granules in a file like those of a store, with the shipped views.

use std::fs::File;
use std::future::ready;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeListArray, Float32Array, Float64Array, Int32Array, Int64Array, LargeStringArray,
    TimestampNanosecondArray,
};
use arrow::datatypes::{DataType, Field, Float32Type, Schema};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::prelude::SessionContext;
use futures::FutureExt;
use isdb_schema::ledger::ledger_schema;
use isdb_testing::array::{TestArray, coordinates, layout};
use tempfile::TempDir;
use tiledb::Domain;
use tiledb_datafusion::TileDbTable;

use crate::session::context::{self, SessionOptions};
use crate::views::database_schema::add_tables;
use crate::views::database_tables::DatabaseTables;
use crate::views::ledger_table::{LedgerPart, LedgerTable};
use crate::views::options::ViewOptions;

pub(crate) use isdb_testing::array::{DAY, YEAR_2020};

/// Creates a session with `partitions` threads.
pub(crate) fn session(partitions: usize) -> SessionContext {
    context::session(&SessionOptions { partitions: Some(partitions), ..SessionOptions::default() }).unwrap()
}

/// One row of `segments`; its column `id` is its position among the rows.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    /// Nanoseconds after 2020-01-01.
    pub(crate) time: i64,
    pub(crate) ingest_id: i64,
    pub(crate) beam: &'static str,
    pub(crate) segment_id_beg: Option<i32>,
}

/// One row of `granules`; its name is `g<ingest_id>`.
#[derive(Clone, Debug)]
pub(crate) struct Granule {
    pub(crate) rgt: Option<i32>,
    pub(crate) cycle: Option<i32>,
    pub(crate) region: Option<i32>,
}

/// The files of a database, which are deleted when it is dropped.
pub(crate) struct TestDatabase {
    _segments: TestArray,
    _ledger: TempDir,
}

/// Creates a database of these rows in temporary folders, and a session over it.
pub(crate) async fn database(
    segments: &[Segment],
    granules: &[Granule],
    options: &ViewOptions,
) -> (TestDatabase, SessionContext) {
    let (array, folder) = (segments_array(segments), tempfile::tempdir().unwrap());
    let table = Arc::new(TileDbTable::of_fragments(array.open_by_tile(), None, true));
    let ledger = ledger(&folder.path().join("ledger.parquet"), granules);
    let context = session(2);
    let open = move || ready(Ok(Arc::clone(&table))).boxed();
    let tables = DatabaseTables::new(&context, options.clone(), Box::new(open), Arc::new(ledger));
    add_tables(&context, Arc::new(tables)).unwrap();
    (TestDatabase { _segments: array, _ledger: folder }, context)
}

fn segments_array(rows: &[Segment]) -> TestArray {
    let mut layout = layout();
    // The day before the first segment is in the domain, so that plans show ranges which begin there.
    layout.dimensions[2].domain =
        Domain::TimestampNs { low: YEAR_2020 - DAY, high: YEAR_2020 + 4_000 * DAY, extent: None };
    let mut fields = coordinates().to_vec();
    fields.extend([
        Field::new("ingest_id", DataType::Int64, false),
        Field::new("id", DataType::Int32, false),
        Field::new("beam", DataType::LargeUtf8, false),
        Field::new("segment_id_beg", DataType::Int32, true),
        Field::new("h_canopy", DataType::Float32, true),
    ]);
    let pieces = DataType::FixedSizeList(Field::new_list_field(DataType::Float32, true).into(), 5);
    fields.extend(["latitude_20m", "longitude_20m", "h_canopy_20m"].map(|name| Field::new(name, pieces.clone(), true)));
    let array = TestArray::create("segments", &layout, Schema::new(fields));
    let times = TimestampNanosecondArray::from_iter_values(rows.iter().map(|row| YEAR_2020 + row.time));
    let ids = 0..i32::try_from(rows.len()).unwrap();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.latitude))),
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.longitude))),
        Arc::new(times.with_timezone("UTC")),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.ingest_id))),
        Arc::new(Int32Array::from_iter_values(ids.clone())),
        Arc::new(LargeStringArray::from_iter_values(rows.iter().map(|row| row.beam))),
        Arc::new(rows.iter().map(|row| row.segment_id_beg).collect::<Int32Array>()),
        Arc::new(ids.clone().map(|id| (id % 3 != 0).then_some(1.5_f32)).collect::<Float32Array>()),
        pieces_of(rows, |row, piece| Some(row.latitude + (f64::from(piece) - 2.0) * 0.000_2)),
        // The last piece of every other segment has no position.
        pieces_of(rows, |row, piece| (piece < 4 || row.ingest_id % 2 == 0).then_some(row.longitude)),
        pieces_of(rows, |_, piece| (piece != 1).then(|| f64::from(piece))),
    ];
    array.write(1, columns);
    array
}

/// The values of the five pieces of each segment.
#[allow(clippy::cast_possible_truncation)]
fn pieces_of(rows: &[Segment], value: impl Fn(&Segment, u8) -> Option<f64>) -> ArrayRef {
    let lists = rows.iter().map(|row| Some((0..5).map(|piece| value(row, piece).map(|value| value as f32)).collect()));
    let lists: Vec<Option<Vec<Option<f32>>>> = lists.collect();
    Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(lists, 5))
}

/// Writes these rows to the file at `path`, and returns the table of the file. The key of a row is its position.
pub(crate) fn ledger(path: &Path, rows: &[Granule]) -> LedgerTable {
    let ids = 0..i64::try_from(rows.len()).unwrap();
    let numbers =
        |number: fn(&Granule) -> Option<i32>| -> ArrayRef { Arc::new(rows.iter().map(number).collect::<Int32Array>()) };
    let columns: [(&str, ArrayRef); 6] = [
        ("ingest_id", Arc::new(Int64Array::from_iter_values(ids.clone()))),
        ("granule", Arc::new(LargeStringArray::from_iter_values(ids.map(|id| format!("g{id}"))))),
        ("rgt", numbers(|row| row.rgt)),
        ("cycle", numbers(|row| row.cycle)),
        ("region", numbers(|row| row.region)),
        ("state", Arc::new(LargeStringArray::from_iter_values(rows.iter().map(|_| "ingested")))),
    ];
    let batch = isdb_testing::batch(&Arc::new(ledger_schema()), &columns);
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let bytes = std::fs::metadata(path).unwrap().len();
    LedgerTable::new(vec![LedgerPart { path: path.to_owned(), bytes, rows: batch.num_rows() as u64 }])
}

/// Returns the column `id` of a statement's rows, ascending.
pub(crate) async fn ids(context: &SessionContext, sql: &str) -> Vec<i32> {
    use arrow::array::AsArray;
    use arrow::datatypes::Int32Type;
    let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
    let mut ids: Vec<i32> =
        batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int32Type>().values().to_vec()).collect();
    ids.sort_unstable();
    ids
}

/// Returns the physical plan of a statement.
pub(crate) async fn physical_plan(context: &SessionContext, sql: &str) -> String {
    let plan = context.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
    datafusion::physical_plan::displayable(plan.as_ref()).indent(false).to_string()
}

/// Returns column names and rows of one statement: columns separated by `|`, rows by `;`, without blanks.
pub(crate) async fn answer(sql: &str) -> String {
    let batches = session(2).sql(sql).await.unwrap().collect().await.unwrap();
    let table = arrow::util::pretty::pretty_format_batches(&batches).unwrap().to_string();
    let lines = table.lines().filter(|line| line.starts_with('|'));
    lines.map(|line| line.trim_matches('|').replace(' ', "")).collect::<Vec<_>>().join(";")
}

/// Returns problem and hint of a statement that must be refused.
pub(crate) async fn refused(sql: &str) -> (String, String) {
    let error = match session(2).sql(sql).await {
        Ok(frame) => frame.collect().await.map(|_| ()).unwrap_err(),
        Err(error) => error,
    };
    let (problem, hint) = crate::error::Error::find_statement(&error).unwrap_or_else(|| panic!("{sql}: {error}"));
    (problem.to_owned(), hint.to_owned())
}
