//! A small database for tests: segments and granules in arrays like those of a store, with the shipped views.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float32Array, Float64Array, Int32Array, Int64Array, LargeStringArray, TimestampNanosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::prelude::SessionContext;
use isdb_testing::array::{TestArray, coordinates, layout};
use tiledb::{ArrayLayout, CellOrder, Dimension, Domain};
use tiledb_datafusion::TileDbTable;

use crate::session::context::{self, SessionOptions};
use crate::views::options::ViewOptions;
use crate::views::register::register_tables;

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

/// Creates a database of these rows in temporary folders, which are deleted with the arrays, and a session over it.
pub(crate) async fn database(
    segments: &[Segment],
    granules: &[Granule],
    options: &ViewOptions,
) -> ([TestArray; 2], SessionContext) {
    let arrays = [segments_array(segments), granules_array(granules)];
    let [segments, granules] = [&arrays[0], &arrays[1]].map(|array| TileDbTable::new(array.open(), None).unwrap());
    let context = session(2);
    register_tables(&context, segments, granules, options).await.unwrap();
    (arrays, context)
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
        Arc::new(ids.map(|id| (id % 3 != 0).then_some(1.5_f32)).collect::<Float32Array>()),
    ];
    array.write(1, columns);
    array
}

fn granules_array(rows: &[Granule]) -> TestArray {
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
    let fields = vec![
        Field::new("ingest_id", DataType::Int64, false),
        text("granule"),
        number("rgt"),
        number("cycle"),
        number("region"),
        text("state"),
        text("replaces"),
    ];
    let array = TestArray::create("granules", &layout, Schema::new(fields));
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
    array.write(1, columns);
    array
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
