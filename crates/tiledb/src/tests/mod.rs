//! Tests against libtiledb, each with its own array in a temporary folder.

mod conditions;
mod costs;
mod damage;
mod evolution;
mod groups;
mod listing;
mod meanings;
mod peers;
mod reading;
mod round_trip;
mod snapshots;
mod statistics;
mod summaries;
mod tiles;
mod truncation;
mod whole;
mod writing;
mod written_tiles;

use std::sync::{Arc, OnceLock};

use arrow::array::{
    Array as _, ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampNanosecondArray, UInt32Array,
};
use arrow::compute::{concat_batches, sort_to_indices, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use tempfile::TempDir;

use crate::{
    Array, ArrayLayout, CellOrder, Context, Dimension, Domain, Error, FileChecksum, Fragment, FragmentCache,
    LiveFragment, LocalFiles, ReadRequest, Storage,
};

/// The context of all tests, which share its thread pools.
fn ctx() -> &'static Context {
    static CTX: OnceLock<Context> = OnceLock::new();
    CTX.get_or_init(|| Context::new([("sm.compute_concurrency_level", "2"), ("sm.io_concurrency_level", "2")]).unwrap())
}

/// A temporary folder, and an unused URI inside it.
fn new_uri() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let uri = folder.path().join("array").to_str().unwrap().to_owned();
    (folder, uri)
}

const DAY_NS: i64 = 86_400_000_000_000;

fn layout() -> ArrayLayout {
    ArrayLayout {
        dimensions: vec![
            Dimension { name: "lat".into(), domain: Domain::Float64 { low: -90.0, high: 90.0, extent: None } },
            Dimension {
                name: "time".into(),
                domain: Domain::TimestampNs { low: 0, high: 9_000 * DAY_NS, extent: None },
            },
        ],
        cell_order: CellOrder::Hilbert,
        capacity: 64,
        allows_duplicates: true,
    }
}

fn utc() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

/// A schema of `row`, the dimensions, and `more`.
fn schema(more: Vec<Field>) -> Schema {
    let mut fields = vec![
        Field::new("row", DataType::Int64, false),
        Field::new("lat", DataType::Float64, false),
        Field::new("time", utc(), false),
    ];
    fields.extend(more);
    Schema::new(fields)
}

/// A batch of the rows `first..first + count`, with distinct coordinates, and the columns `more`.
fn batch(schema: &Schema, first: usize, count: usize, more: Vec<ArrayRef>) -> RecordBatch {
    let rows = || (first..first + count).map(|row| i64::try_from(row).unwrap());
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows())),
        Arc::new(Float64Array::from_iter_values(rows().map(latitude))),
        Arc::new(
            TimestampNanosecondArray::from_iter_values(rows().map(|row| row % 9_000 * DAY_NS)).with_timezone("UTC"),
        ),
    ];
    columns.extend(more);
    RecordBatch::try_new(Arc::new(schema.clone()), columns).unwrap()
}

/// The latitude of a row, of single precision: scattered over the domain, and distinct for the first 180,000 rows.
fn latitude(row: i64) -> f64 {
    let scattered = (row * 7_919 % 180_001) as f64;
    single(scattered / 1_000.0 - 90.0)
}

/// The nearest number of single precision.
#[expect(clippy::cast_possible_truncation, reason = "rounds, as intended")]
fn single(value: f64) -> f64 {
    f64::from(value as f32)
}

/// Creates an array with `batches` as one fragment, stamped 10 ms.
fn stored(schema: &Schema, batches: &[RecordBatch]) -> (TempDir, Array) {
    let (folder, uri) = new_uri();
    Array::create(ctx(), &uri, &layout(), schema).unwrap();
    crate::write_fragment(ctx(), &uri, 10, batches.to_vec()).unwrap();
    (folder, Array::open_by_library(ctx(), &uri, None).unwrap())
}

fn request(columns: &[&str]) -> ReadRequest {
    let columns = columns.iter().map(|name| (*name).to_owned()).collect();
    ReadRequest { columns, ranges: vec![], condition: None, tiles: None, order: None, batch_rows: 8_192 }
}

fn names(schema: &Schema) -> Vec<&str> {
    schema.fields().iter().map(|field| field.name().as_str()).collect()
}

/// All rows of a read that includes the column `row`, sorted by it. Every read of every test is also one by tile, which must return the
/// same.
fn sorted(array: &Array, request: &ReadRequest) -> RecordBatch {
    let by_library = all_rows(array, request);
    if let Some(array) = by_tile(array) {
        assert_eq!(all_rows(&array, request), by_library, "{request:?}");
    }
    by_library
}

fn all_rows(array: &Array, request: &ReadRequest) -> RecordBatch {
    let reader = array.read(request).unwrap();
    let schema = reader.schema();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    assert!(batches.iter().all(|batch| batch.num_rows() > 0 && batch.num_rows() <= request.batch_rows.max(1)));
    by_row(&concat_batches(&schema, &batches).unwrap())
}

/// The same array, as a list of its fragments; `None` where libtiledb merges them, or does not list them. Every array is also listed without
/// libtiledb, with the same result.
fn by_tile(array: &Array) -> Option<Array> {
    if !array.layout().allows_duplicates {
        return None;
    }
    let fragments = match array.fragments() {
        Ok(fragments) => fragments.into_iter(),
        Err(Error::FutureFragment { .. }) => return None,
        Err(error) => panic!("{error}"),
    };
    let listed = Array::open_by_tile(array.uri(), array.timestamp()).unwrap();
    assert_eq!(described(&listed), described(array));
    assert_eq!((listed.schema(), listed.layout()), (array.schema(), array.layout()));
    let live = fragments.map(|fragment| LiveFragment {
        name: fragment.name,
        cells: fragment.cells,
        domain: fragment.domain,
        metadata: None,
    });
    let (uri, cache) = (array.uri(), FragmentCache::default());
    let storage = Arc::new(LocalFiles::new(uri));
    Some(Array::open_fragments(uri, array.layout(), array.schema(), live.collect(), storage, &cache).unwrap())
}

/// The fragments of an array by name. Both engines have the same, except for the scheme of their URIs.
fn described(array: &Array) -> Vec<Fragment> {
    let without_scheme = |uri: String| uri.strip_prefix("file://").unwrap_or(&uri).to_owned();
    let fragments = array.fragments().unwrap().into_iter();
    let mut fragments: Vec<_> =
        fragments.map(|fragment| Fragment { uri: without_scheme(fragment.uri), ..fragment }).collect();
    fragments.sort_by(|a, b| a.name.cmp(&b.name));
    fragments
}

/// Reads columns of one fragment of an array, by tile from the files in `storage`; `metadata` is what its owner would have recorded.
fn read_fragment(
    array: &Array,
    fragment: &Fragment,
    metadata: Option<FileChecksum>,
    columns: &[&str],
    storage: Arc<dyn Storage>,
) -> Result<RecordBatch, Error> {
    let Fragment { name, cells, domain, .. } = fragment.clone();
    let live = vec![LiveFragment { name, cells, domain, metadata }];
    let cache = FragmentCache::default();
    let array = Array::open_fragments(array.uri(), array.layout(), array.schema(), live, storage, &cache)?;
    let reader = array.read(&request(columns))?;
    let schema = reader.schema();
    Ok(concat_batches(&schema, &reader.collect::<Result<Vec<_>, Error>>()?).unwrap())
}

fn by_row(batch: &RecordBatch) -> RecordBatch {
    let order: UInt32Array = sort_to_indices(batch.column_by_name("row").unwrap(), None, None).unwrap();
    take_record_batch(batch, &order).unwrap()
}

/// The values of the column `row`, sorted.
fn rows(array: &Array, request: &ReadRequest) -> Vec<i64> {
    let batch = sorted(array, request);
    let rows = batch.column_by_name("row").unwrap();
    rows.as_any().downcast_ref::<Int64Array>().unwrap().values().to_vec()
}
