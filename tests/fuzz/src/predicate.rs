//! SQL predicates over an array, compared with the same rows in memory.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Float32Array, Float64Array, Int8Array, Int32Array, LargeStringArray, RecordBatch,
    TimestampNanosecondArray,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, TimeUnit};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::datasource::MemTable;
use datafusion::logical_expr::Expr;
use datafusion::prelude::SessionContext;
use tiledb::{Array, ArrayLayout, CellOrder, Context, Dimension, Domain};
use tiledb_datafusion::TileDbTable;
use tokio::runtime::Runtime;

const ROWS: i32 = 48;
const DAY: i64 = 86_400_000_000_000;
/// 2020-01-01T00:00:00Z
const YEAR_2020: i64 = 18_262 * DAY;
/// Texts with more dots than this are skipped. The engine's parser needs twice the time for each further part of a name that ends in a
/// dot, such as `a.b.c.`: 28 parts take minutes.
const MAX_DOTS: usize = 10;
/// Longer texts are skipped: they nest more deeply than the engine's planner allows, and fail for both tables.
const LONGEST: usize = 400;

/// A session with two tables of the same rows: `stored`, an array of two fragments, and `memory`.
struct Tables {
    session: SessionContext,
    schema: DFSchema,
    runtime: Runtime,
    _folder: tempfile::TempDir,
}

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);

fn utc() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

fn schema() -> Schema {
    let no_nan = |name: &str, kind: DataType| {
        Field::new(name, kind, true).with_metadata([("null".to_owned(), "nan".to_owned())].into())
    };
    Schema::new(vec![
        Field::new("latitude", DataType::Float64, false),
        Field::new("longitude", DataType::Float64, false),
        Field::new("time", utc(), false),
        Field::new("id", DataType::Int32, false),
        no_nan("h", DataType::Float32),
        Field::new("wild", DataType::Float64, true),
        Field::new("tiny", DataType::Int8, true),
        Field::new("beam", DataType::LargeUtf8, true),
        Field::new("flag", DataType::Boolean, true),
    ])
}

/// The columns of the rows from `first` up to `end`. No float is zero: -0.0 and 0.0 are equal in the engine's comparisons, but not in its
/// `IN` lists.
fn rows(first: i32, end: i32) -> Vec<ArrayRef> {
    let ids = first..end;
    let often = |id: i32, every: i32| id % every != 0;
    let beams = ["gt1l", "gt1r", "gt2l", "", "é"];
    vec![
        Arc::new(Float64Array::from_iter_values(ids.clone().map(|id| f64::from(id) * 3.7 - 88.5))),
        Arc::new(Float64Array::from_iter_values(ids.clone().map(|id| f64::from(id * 31 % 360) - 179.5))),
        Arc::new(
            TimestampNanosecondArray::from_iter_values(
                ids.clone().map(|id| YEAR_2020 + i64::from(id % 7) * DAY + i64::from(id % 3)),
            )
            .with_timezone("UTC"),
        ),
        Arc::new(Int32Array::from_iter_values(ids.clone())),
        Arc::new(ids.clone().map(|id| often(id, 5).then_some(id as f32 * 0.3 - 5.05)).collect::<Float32Array>()),
        Arc::new(
            ids.clone()
                .map(|id| match id % 6 {
                    0 => None,
                    1 => Some(f64::NAN),
                    2 => Some(f64::INFINITY),
                    _ => Some(f64::from(id) - 20.5),
                })
                .collect::<Float64Array>(),
        ),
        Arc::new(ids.clone().map(|id| often(id, 4).then(|| i8::try_from(id % 7 - 3).unwrap())).collect::<Int8Array>()),
        Arc::new(ids.clone().map(|id| often(id, 7).then(|| beams[(id % 5) as usize])).collect::<LargeStringArray>()),
        Arc::new(ids.map(|id| often(id, 3).then_some(id % 2 == 0)).collect::<BooleanArray>()),
    ]
}

impl Tables {
    fn new() -> Tables {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder");
        let uri = folder.path().join("rows").display().to_string();
        let context = Context::new([]).unwrap();
        let dimension = |name: &str, domain| Dimension { name: name.to_owned(), domain };
        let layout = ArrayLayout {
            dimensions: vec![
                dimension("latitude", Domain::Float64 { low: -90.0, high: 90.0, extent: None }),
                dimension("longitude", Domain::Float64 { low: -180.0, high: 180.0, extent: None }),
                dimension("time", Domain::TimestampNs { low: YEAR_2020, high: YEAR_2020 + 4_000 * DAY, extent: None }),
            ],
            cell_order: CellOrder::Hilbert,
            capacity: 10,
            allows_duplicates: true,
        };
        let schema = Arc::new(schema());
        Array::create(&context, &uri, &layout, &schema).unwrap();
        let mut batches = Vec::new();
        for (timestamp, first, end) in [(1, 0, ROWS / 2), (2, ROWS / 2, ROWS)] {
            let batch = RecordBatch::try_new(Arc::clone(&schema), rows(first, end)).unwrap();
            tiledb::write_fragment(&context, &uri, timestamp, vec![batch.clone()]).unwrap();
            batches.push(batch);
        }
        let options = isdb_query::SessionOptions { partitions: Some(2), ..isdb_query::SessionOptions::default() };
        let session = isdb_query::session(&options).unwrap();
        let stored = TileDbTable::new(Array::open_by_library(&context, &uri, Some(1_000)).unwrap(), None).unwrap();
        session.register_table("stored", Arc::new(stored)).unwrap();
        let memory = MemTable::try_new(Arc::clone(&schema), vec![batches]).unwrap();
        session.register_table("memory", Arc::new(memory)).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
        Tables { session, schema: DFSchema::try_from(schema.as_ref().clone()).unwrap(), runtime, _folder: folder }
    }

    /// The ids of the rows for which `filter` is true.
    async fn ids(&self, table: &str, filter: &Expr) -> Result<Vec<i32>, String> {
        let rows = self.session.table(table).await.unwrap().filter(filter.clone());
        let rows = rows.and_then(|rows| rows.select_columns(&["id"])).map_err(|error| error.to_string())?;
        let batches = rows.collect().await.map_err(|error| error.to_string())?;
        let mut ids: Vec<i32> =
            batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int32Type>().values().to_vec()).collect();
        ids.sort_unstable();
        Ok(ids)
    }
}

/// Whether an expression has only parts that can be pushed down, and no zero, which the engine may distinguish from the other zero.
fn is_fit(expr: &Expr) -> bool {
    let mut fit = true;
    let visited = expr.apply(|part| {
        let is_zero = |value: &ScalarValue| match value {
            ScalarValue::Float64(Some(value)) => *value == 0.0,
            ScalarValue::Float32(Some(value)) => *value == 0.0,
            _ => false,
        };
        fit &= match part {
            Expr::Literal(value, _) => !is_zero(value),
            Expr::Column(_)
            | Expr::Alias(_)
            | Expr::BinaryExpr(_)
            | Expr::Like(_)
            | Expr::SimilarTo(_)
            | Expr::Not(_)
            | Expr::IsNotNull(_)
            | Expr::IsNull(_)
            | Expr::IsTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNotFalse(_)
            | Expr::IsNotUnknown(_)
            | Expr::Negative(_)
            | Expr::Between(_)
            | Expr::Case(_)
            | Expr::Cast(_)
            | Expr::TryCast(_)
            | Expr::InList(_) => true,
            // Functions may read files or the clock, or run for long.
            _ => false,
        };
        Ok(TreeNodeRecursion::Continue)
    });
    fit && visited.is_ok()
}

/// The array selects the same rows as the engine, whatever part of the predicate is pushed down.
pub(crate) fn predicate(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        compare(text);
    }
}

/// Compares the rows that a predicate selects from both tables. Returns their number, or `None` for a text that cannot be compared.
fn compare(text: &str) -> Option<usize> {
    if text.len() > LONGEST || text.matches('.').count() > MAX_DOTS {
        return None;
    }
    let tables = &*TABLES;
    let filter = tables.session.parse_sql_expr(text, &tables.schema).ok().filter(is_fit)?;
    tables.runtime.block_on(async {
        // A predicate that the engine cannot plan or evaluate fails for both tables, unless no row had to be evaluated.
        let expected = tables.ids("memory", &filter).await.ok()?;
        let rows = expected.len();
        assert_eq!(tables.ids("stored", &filter).await, Ok(expected), "{filter}");
        Some(rows)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_predicate_of_the_corpus_is_compared_and_most_select_some_of_the_rows() {
        let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/predicate");
        let mut selective = 0;
        for entry in std::fs::read_dir(corpus).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let rows = compare(&text);
            assert!(rows.is_some(), "{text}");
            selective += usize::from(rows.is_some_and(|rows| (1..ROWS as usize).contains(&rows)));
        }
        assert!(selective >= 8, "{selective}");
    }
}
