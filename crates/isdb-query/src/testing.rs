//! A small database for tests: segments and granules in arrays like those of a store, with the shipped views.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float32Array, Float64Array, Int32Array, Int64Array, LargeStringArray, RecordBatch,
    TimestampNanosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::prelude::SessionContext;
use tempfile::TempDir;
use tiledb::{Array, ArrayLayout, CellOrder, Context, Dimension, Domain};

use crate::session::context::{self, SessionOptions};
use crate::views::options::ViewOptions;
use crate::views::register::register_tables;
use tiledb_datafusion::TileDbTable;

/// A day in nanoseconds.
pub(crate) const DAY: i64 = 86_400_000_000_000;
/// 2020-01-01T00:00:00Z
pub(crate) const YEAR_2020: i64 = 18_262 * DAY;

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

/// Creates a database of these rows in a temporary folder, and a session over it.
pub(crate) async fn database(
    segments: &[Segment],
    granules: &[Granule],
    options: &ViewOptions,
) -> (TempDir, SessionContext) {
    let folder = tempfile::tempdir().unwrap();
    let (context, tables) = (session(2), (segments_table(&folder, segments), granules_table(&folder, granules)));
    register_tables(&context, tables.0, tables.1, options).await.unwrap();
    (folder, context)
}

fn segments_table(folder: &TempDir, rows: &[Segment]) -> TileDbTable {
    let dimension = |name: &str, domain| Dimension { name: name.to_owned(), domain };
    let layout = ArrayLayout {
        dimensions: vec![
            dimension("latitude", Domain::Float64 { low: -90.0, high: 90.0, extent: None }),
            dimension("longitude", Domain::Float64 { low: -180.0, high: 180.0, extent: None }),
            dimension(
                "time",
                Domain::TimestampNs { low: YEAR_2020 - DAY, high: YEAR_2020 + 4_000 * DAY, extent: None },
            ),
        ],
        cell_order: CellOrder::Hilbert,
        capacity: 100,
        allows_duplicates: true,
    };
    let schema = Schema::new(vec![
        Field::new("latitude", DataType::Float64, false),
        Field::new("longitude", DataType::Float64, false),
        Field::new("time", DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), false),
        Field::new("ingest_id", DataType::Int64, false),
        Field::new("id", DataType::Int32, false),
        Field::new("beam", DataType::LargeUtf8, false),
        Field::new("segment_id_beg", DataType::Int32, true),
        Field::new("h_canopy", DataType::Float32, true),
    ]);
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
        Arc::new(ids.map(|id| (id % 3 != 0).then_some(1.5_f32)).collect::<Float32Array>()),
    ];
    write_table(folder, "segments", &layout, schema, columns)
}

fn granules_table(folder: &TempDir, rows: &[Granule]) -> TileDbTable {
    let layout = ArrayLayout {
        dimensions: vec![Dimension {
            name: "ingest_id".to_owned(),
            domain: Domain::Int64 { low: 0, high: i64::MAX - 1, extent: None },
        }],
        cell_order: CellOrder::RowMajor,
        capacity: 100,
        allows_duplicates: false,
    };
    let number = |name: &str| Field::new(name, DataType::Int32, true);
    let text = |name: &str| Field::new(name, DataType::LargeUtf8, true);
    let schema = Schema::new(vec![
        Field::new("ingest_id", DataType::Int64, false),
        text("granule"),
        number("rgt"),
        number("cycle"),
        number("region"),
        text("state"),
        text("replaces"),
    ]);
    let ids = 0..i64::try_from(rows.len()).unwrap();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(ids.clone())),
        Arc::new(LargeStringArray::from_iter_values(ids.map(|id| format!("g{id}")))),
        Arc::new(rows.iter().map(|row| row.rgt).collect::<Int32Array>()),
        Arc::new(rows.iter().map(|row| row.cycle).collect::<Int32Array>()),
        Arc::new(rows.iter().map(|row| row.region).collect::<Int32Array>()),
        Arc::new(LargeStringArray::from_iter_values(rows.iter().map(|_| "ingested"))),
        Arc::new(rows.iter().map(|_| None::<&str>).collect::<LargeStringArray>()),
    ];
    write_table(folder, "granules", &layout, schema, columns)
}

fn write_table(
    folder: &TempDir,
    name: &str,
    layout: &ArrayLayout,
    schema: Schema,
    columns: Vec<ArrayRef>,
) -> TileDbTable {
    let context = Context::new([]).unwrap();
    let (uri, schema) = (folder.path().join(name).display().to_string(), Arc::new(schema));
    Array::create(&context, &uri, layout, &schema).unwrap();
    let rows = RecordBatch::try_new(schema, columns).unwrap();
    if rows.num_rows() > 0 {
        tiledb::write_fragment(&context, &uri, 1, vec![rows]).unwrap();
    }
    TileDbTable::new(Array::open_at(&context, &uri, 10).unwrap(), None).unwrap()
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
