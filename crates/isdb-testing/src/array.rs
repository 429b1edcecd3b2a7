//! Small arrays that a test writes itself.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use tempfile::TempDir;
use tiledb::{Array, ArrayLayout, CellOrder, Context, Dimension, Domain, FragmentCache, LiveFragment, LocalFiles};

/// A day in nanoseconds.
pub const DAY: i64 = 86_400_000_000_000;
/// 2020-01-01T00:00:00Z
pub const YEAR_2020: i64 = 18_262 * DAY;

/// Type of times: nanoseconds, UTC.
#[must_use]
pub fn utc() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

/// A float attribute of which NaN is NULL.
#[must_use]
pub fn no_nan(name: &str, kind: DataType) -> Field {
    Field::new(name, kind, true).with_metadata(HashMap::from([("null".to_owned(), "nan".to_owned())]))
}

/// A layout of segments: latitude, longitude and time, in Hilbert order.
#[must_use]
pub fn layout() -> ArrayLayout {
    let dimension = |name: &str, domain| Dimension { name: name.to_owned(), domain };
    ArrayLayout {
        dimensions: vec![
            dimension("latitude", Domain::Float64 { low: -90.0, high: 90.0, extent: None }),
            dimension("longitude", Domain::Float64 { low: -180.0, high: 180.0, extent: None }),
            dimension("time", Domain::TimestampNs { low: YEAR_2020, high: YEAR_2020 + 4_000 * DAY, extent: None }),
        ],
        cell_order: CellOrder::Hilbert,
        capacity: 100,
        allows_duplicates: true,
    }
}

/// Fields of the dimensions of [`layout`].
#[must_use]
pub fn coordinates() -> [Field; 3] {
    [
        Field::new("latitude", DataType::Float64, false),
        Field::new("longitude", DataType::Float64, false),
        Field::new("time", utc(), false),
    ]
}

/// An array in a temporary folder, gone when this is dropped.
pub struct TestArray {
    context: Context,
    folder: TempDir,
    schema: SchemaRef,
    name: &'static str,
}

impl TestArray {
    /// Creates an empty array.
    #[must_use]
    pub fn create(name: &'static str, layout: &ArrayLayout, schema: Schema) -> Self {
        let context = Context::new([]).expect("a test may fail");
        let folder = tempfile::tempdir().expect("a test may fail");
        let array = Self { context, folder, schema: Arc::new(schema), name };
        Array::create(&array.context, &array.uri(), layout, &array.schema).expect("a test may fail");
        array
    }

    /// Schema of the rows that [`write`](Self::write) accepts.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// URI of the array.
    #[must_use]
    pub fn uri(&self) -> String {
        self.folder.path().join(self.name).display().to_string()
    }

    /// Writes one fragment at a timestamp; an empty batch is not written.
    pub fn write(&self, timestamp: u64, columns: Vec<ArrayRef>) -> RecordBatch {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).expect("a test may fail");
        if batch.num_rows() > 0 {
            tiledb::write_fragment(&self.context, &self.uri(), timestamp, vec![batch.clone()])
                .expect("a test may fail");
        }
        batch
    }

    /// Opens the fragments of timestamp 1,000 and before, which are then read by tile. The array must allow duplicates.
    #[must_use]
    pub fn open_by_tile(&self) -> Array {
        let array = self.open();
        let fragments = array.fragments().expect("a test may fail").into_iter();
        let live = fragments.map(|found| LiveFragment {
            name: found.name,
            cells: found.cells,
            domain: found.domain,
            metadata: None,
        });
        let (storage, cache) = (Arc::new(LocalFiles::new(self.uri())), FragmentCache::default());
        Array::open_fragments(&self.uri(), array.layout(), array.schema(), live.collect(), storage, &cache)
            .expect("the array was opened")
    }

    /// Opens the array at timestamp 1,000 with libtiledb.
    #[must_use]
    pub fn open(&self) -> Array {
        Array::open_by_library(&self.context, &self.uri(), Some(1_000)).expect("the array was created")
    }
}
