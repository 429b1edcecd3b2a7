//! A small array of every kind of column, written by the test itself, and the same rows as a table in memory.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use isdb_datafusion::TileDbTable;
use tempfile::TempDir;
use tiledb::{Array, ArrayLayout, CellOrder, Condition, Context, Dimension, Domain};

pub(crate) const DAY: i64 = 86_400_000_000_000;
/// 2020-01-01T00:00:00Z
pub(crate) const YEAR_2020: i64 = 18_262 * DAY;

pub(crate) fn utc() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

/// A float attribute that promises to hold no NaN.
pub(crate) fn no_nan(name: &str, kind: DataType) -> Field {
    Field::new(name, kind, true).with_metadata(HashMap::from([("nan".to_owned(), "never".to_owned())]))
}

pub(crate) fn layout() -> ArrayLayout {
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

pub(crate) fn coordinates() -> [Field; 3] {
    [
        Field::new("latitude", DataType::Float64, false),
        Field::new("longitude", DataType::Float64, false),
        Field::new("time", utc(), false),
    ]
}

/// An array in a temporary folder, gone when this is dropped.
pub(crate) struct TestArray {
    pub(crate) context: Context,
    pub(crate) folder: TempDir,
    pub(crate) schema: SchemaRef,
    name: &'static str,
}

impl TestArray {
    pub(crate) fn create(name: &'static str, layout: &ArrayLayout, schema: Schema) -> Self {
        let context = Context::new([]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let array = Self { context, folder, schema: Arc::new(schema), name };
        Array::create(&array.context, &array.uri(), layout, &array.schema).unwrap();
        array
    }

    pub(crate) fn uri(&self) -> String {
        self.folder.path().join(self.name).display().to_string()
    }

    /// One fragment at a timestamp; an empty batch is not written.
    pub(crate) fn write(&self, timestamp: u64, columns: Vec<ArrayRef>) -> RecordBatch {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).unwrap();
        if batch.num_rows() > 0 {
            tiledb::write_fragment(&self.context, &self.uri(), timestamp, vec![batch.clone()]).unwrap();
        }
        batch
    }

    pub(crate) fn table(&self, visible: Option<Condition>) -> Arc<TileDbTable> {
        let array = Array::open_at(&self.context, &self.uri(), 1_000).unwrap();
        Arc::new(TileDbTable::new(array, visible).unwrap())
    }
}
