//! Sparse TileDB arrays as DataFusion tables.
//!
//! [`TileDbTable`] is a `TableProvider` over one array at one timestamp. The data flow of a scan:
//!
//! 1. `snapshot` loads schema, layout and fragment rectangles once, when the table is created, unless the array was opened with a
//!    list of fragments, which its owner has recorded.
//! 2. `predicate` converts the filters of a statement to a [`tiledb::Predicate`]. `tiledb` splits it into coordinate ranges and
//!    a query condition, and reports for each filter whether the array evaluates it exactly; DataFusion evaluates the others
//!    again.
//! 3. `partition` divides the tiles with cells in the ranges into partitions with about equal numbers of cells; where libtiledb
//!    reads the array, it splits the ranges instead. `statistics` estimates their rows.
//! 4. [`TileDbSource`] describes the scan under DataFusion's own `DataSourceExec`, and `stream` reads one partition into record
//!    batches.
//!
//! A session can limit the memory of reads with [`ReadMemory`]. The crate works on every sparse array and knows neither the
//! meaning of its columns nor its writer: an [`ErrorHook`] lets the owner of an array explain a failed read.
//!
//! ```
//! use std::sync::Arc;
//!
//! use arrow::array::{Float64Array, Int32Array, RecordBatch};
//! use arrow::datatypes::{DataType, Field, Schema};
//! use datafusion::prelude::SessionContext;
//! use tiledb::{Array, ArrayLayout, CellOrder, Context, Dimension, Domain};
//! use tiledb_datafusion::TileDbTable;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("weather");
//! # let uri = path.to_str().ok_or("path")?;
//! let context = Context::new([])?;
//! let latitude = Domain::Float64 { low: -90.0, high: 90.0, extent: None };
//! let layout = ArrayLayout {
//!     dimensions: vec![Dimension { name: "latitude".into(), domain: latitude }],
//!     cell_order: CellOrder::Hilbert,
//!     capacity: 10_000,
//!     allows_duplicates: true,
//! };
//! let schema = Arc::new(Schema::new(vec![
//!     Field::new("latitude", DataType::Float64, false),
//!     Field::new("celsius", DataType::Int32, true),
//! ]));
//! Array::create(&context, uri, &layout, &schema)?;
//! let latitude = Float64Array::from(vec![47.2, 47.9, 60.0]);
//! let celsius = Int32Array::from(vec![Some(12), None, Some(7)]);
//! let batch = RecordBatch::try_new(schema, vec![Arc::new(latitude), Arc::new(celsius)])?;
//! tiledb::write_fragment(&context, uri, 1_700_000_000_000, vec![batch])?;
//!
//! let session = SessionContext::new();
//! session.register_table("weather", Arc::new(TileDbTable::new(Array::open(&context, uri)?, None)?))?;
//! let rows = session.sql("SELECT celsius FROM weather WHERE latitude BETWEEN 47 AND 48").await?;
//! assert_eq!(rows.count().await?, 2);
//! # Ok(())
//! # }
//! ```

mod dynamic_filter;
mod error;
mod error_hook;
mod fragment;
mod partition;
mod predicate;
mod read_memory;
mod snapshot;
mod source;
mod statistics;
mod stream;
mod table;

pub use error::{Error, Result};
pub use error_hook::ErrorHook;
pub use read_memory::ReadMemory;
pub use source::TileDbSource;
pub use table::TileDbTable;
