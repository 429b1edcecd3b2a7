//! Runs `tests/slt` of the workspace: results and plans of statements over arrays, so that a test fails if a predicate no longer
//! reaches the array. `scan` has arrays of isdb, `arrays` those of other programs.

use std::path::Path;
use std::sync::Arc;

use crate::icesat2db::icesat2db;
use crate::{session, table};
use arrow::array::{
    ArrayRef, FixedSizeListArray, Float32Array, Float64Array, Int8Array, Int32Array, Int64Array, LargeStringArray,
    TimestampNanosecondArray,
};
use arrow::datatypes::{DataType, Field, Float32Type, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use isdb_query::{ViewOptions, register_array};
use isdb_testing::array::{DAY, TestArray, YEAR_2020, coordinates, layout, no_nan};
use sqllogictest::{
    AsyncDB, DBOutput, DefaultColumnType, Runner, default_column_validator, default_normalizer, default_validator,
};
use tiledb::{Array, ArrayLayout, CellOrder, Dimension, Domain, Literal, Predicate};

const ROWS: i32 = 1_000;
const BEAMS: [&str; 6] = ["gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r"];

/// 1,000 segments, one every 0.1 degrees north from -50 and one a day; `id` counts them.
fn segments() -> TestArray {
    let list = DataType::FixedSizeList(Field::new_list_field(DataType::Float32, true).into(), 3);
    let mut fields = coordinates().to_vec();
    fields.extend([
        Field::new("id", DataType::Int32, false),
        Field::new("ingest_id", DataType::Int64, false),
        Field::new("beam", DataType::LargeUtf8, false),
        Field::new("flag", DataType::Int8, true),
        no_nan("h", DataType::Float32),
        Field::new("wild", DataType::Float32, true),
        Field::new("profile", list, true),
    ]);
    let array = TestArray::create("segments", &layout(), Schema::new(fields));
    for (timestamp, rows) in [(1, 0..ROWS / 2), (2, ROWS / 2..ROWS)] {
        let each = || rows.clone();
        let lists = each().map(|id| {
            (id % 7 != 0).then(|| {
                [Some(id), None, Some(id + 1)].map(|value| value.map(|value| f32::from(i16::try_from(value).unwrap())))
            })
        });
        let small = |id: i32| f32::from(i16::try_from(id % 100).unwrap());
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Float64Array::from_iter_values(each().map(|id| f64::from(id - 500) / 10.0))),
            Arc::new(Float64Array::from_iter_values(each().map(|id| f64::from(id % 10)))),
            Arc::new(
                TimestampNanosecondArray::from_iter_values(each().map(|id| YEAR_2020 + i64::from(id) * DAY))
                    .with_timezone("UTC"),
            ),
            Arc::new(Int32Array::from_iter_values(each())),
            Arc::new(Int64Array::from_iter_values(each().map(|id| i64::from(id / 250)))),
            Arc::new(LargeStringArray::from_iter_values(each().map(|id| BEAMS[usize::try_from(id % 6).unwrap()]))),
            Arc::new(each().map(|id| (id % 5 != 0).then(|| i8::try_from(id % 3).unwrap())).collect::<Int8Array>()),
            Arc::new(each().map(|id| (id % 10 != 0).then(|| small(id) / 2.0)).collect::<Float32Array>()),
            Arc::new(
                each().map(|id| if id % 10 == 0 { f32::NAN } else { small(id) }).map(Some).collect::<Float32Array>(),
            ),
            Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(lists, 3)),
        ];
        array.write(timestamp, columns);
    }
    array
}

/// Four granules, keyed by `ingest_id`.
fn granules() -> TestArray {
    let domain = Domain::Int64 { low: 0, high: i64::MAX - 1, extent: None };
    let layout = ArrayLayout {
        dimensions: vec![Dimension { name: "ingest_id".to_owned(), domain }],
        cell_order: CellOrder::RowMajor,
        capacity: 100,
        allows_duplicates: false,
    };
    let fields = vec![Field::new("ingest_id", DataType::Int64, false), Field::new("rgt", DataType::Int32, true)];
    let array = TestArray::create("granules", &layout, Schema::new(fields));
    array.write(
        1,
        vec![
            Arc::new(Int64Array::from_iter_values(0..4)),
            Arc::new(Int32Array::from(vec![Some(77), Some(78), None, Some(80)])),
        ],
    );
    array
}

/// Three rows with the values that statistics get wrong most easily.
fn odd() -> TestArray {
    let floats = ["zero", "minus", "empty"].map(|name| no_nan(name, DataType::Float64));
    let array = TestArray::create("odd", &layout(), Schema::new([coordinates(), floats].concat()));
    let float = |values: [Option<f64>; 3]| Arc::new(Float64Array::from(values.to_vec())) as ArrayRef;
    let degrees = float([Some(0.0), Some(1.0), Some(2.0)]);
    let times = TimestampNanosecondArray::from(vec![YEAR_2020; 3]).with_timezone("UTC");
    let (zero, minus) = (float([Some(0.0), Some(-0.0), Some(5.0)]), float([Some(-1.0), Some(-0.0), Some(0.0)]));
    array.write(1, vec![Arc::clone(&degrees), degrees, Arc::new(times), zero, minus, float([None; 3])]);
    array
}

struct Engine {
    session: SessionContext,
    /// Kept for their folders.
    _arrays: Vec<TestArray>,
}

impl Engine {
    /// Arrays of isdb.
    fn with_tables() -> Self {
        let session = session(2);
        let arrays = [segments(), granules(), odd()];
        session.register_table("segments", table(&arrays[0], None)).unwrap();
        session.register_table("granules", table(&arrays[1], None)).unwrap();
        session.register_table("odd", table(&arrays[2], None)).unwrap();
        let arrays = Vec::from(arrays);
        let visible = Predicate::In { column: "ingest_id".to_owned(), values: vec![Literal::Int(3)], negated: true };
        session.register_table("survivors", table(&arrays[0], Some(visible))).unwrap();
        Self { session, _arrays: arrays }
    }

    /// Arrays of icesat2db.
    async fn with_other_arrays() -> Self {
        let (with_times, with_days) = (icesat2db(true), icesat2db(false));
        let open = |array: &TestArray| Array::open_by_tile(&array.uri(), None).unwrap();
        let [session, other] = [session(2), session(2)];
        register_array(&session, open(&with_times), &ViewOptions::default()).await.unwrap();
        register_array(&other, open(&with_days), &ViewOptions::default()).await.unwrap();
        session.register_table("by_day", other.table_provider("atl08").await.unwrap()).unwrap();
        Self { session, _arrays: vec![with_times, with_days] }
    }
}

#[async_trait]
impl AsyncDB for Engine {
    type Error = DataFusionError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, DataFusionError> {
        let frame = self.session.sql(sql).await?;
        let width = frame.schema().fields().len();
        let mut rows = Vec::new();
        for batch in frame.collect().await? {
            let options = FormatOptions::default().with_null("NULL");
            let columns: Vec<_> = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column, &options))
                .collect::<Result<_, _>>()?;
            for row in 0..batch.num_rows() {
                let values: Vec<_> = columns.iter().map(|column| column.value(row).to_string()).collect();
                // a plan is one value of several lines
                rows.extend(values.join(" ").lines().map(|line| vec![line.to_owned()]));
            }
        }
        Ok(if width == 0 {
            DBOutput::StatementComplete(0)
        } else {
            DBOutput::Rows { types: vec![DefaultColumnType::Any; width], rows }
        })
    }

    async fn shutdown(&mut self) {}
}

/// Runs the files of a folder of `tests/slt`, each with an engine of its own.
async fn run<F: Future<Output = Engine>>(folder: &str, engine: impl Fn() -> F + Copy) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/slt").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no .slt files in {}", folder.display());
    for file in files {
        let runner = || Runner::new(|| async { Ok(engine().await) });
        // As for the other snapshots: `make snapshots` writes the files again.
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            let (validator, normalizer, columns) = (default_validator, default_normalizer, default_column_validator);
            runner().update_test_file(&file, " ", validator, normalizer, columns).await.unwrap();
        }
        runner().run_file_async(&file).await.unwrap_or_else(|error| panic!("{}", error.display(false)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_return_the_expected_rows_and_plans() {
    run("scan", || async { Engine::with_tables() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_over_arrays_of_icesat2db_return_the_expected_rows_and_plans() {
    run("arrays", Engine::with_other_arrays).await;
}
