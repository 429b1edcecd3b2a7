//! Safe, Arrow-native TileDB arrays: [`RecordBatch`](arrow::array::RecordBatch)es in, record batches out, tile by tile or through
//! libtiledb.
//!
//! An [`Array`] is a snapshot of a sparse array. [`Array::open`] finds its fragments as of a timestamp, and reads them tile by tile if it
//! can, else by libtiledb; [`Array::open_fragments`] takes the names of fragments instead. [`Array::read`] takes a [`ReadRequest`] of
//! columns, ranges and a [`Predicate`], and both ways write directly into the memory of the Arrow arrays that the [`Reader`] returns.
//! [`write_fragment`] checks batches and writes them as one fragment at a timestamp. [`Vfs`] and [`group`] give access to the files and groups around arrays.
//!
//! The modules follow that flow: `schema` (Arrow fields ⇄ dimensions and attributes), `array` (create, open, evolve, list
//! fragments), `predicate` (conditions, and their pushdown for query engines), `read` and `write`. They call libtiledb
//! through `context`, which turns return codes into [`Error`]s, and `handle`, which owns C objects. `native` reads and writes fragments
//! without libtiledb: [`Array::open_fragments`], [`Array::open_by_tile`] and [`write_tiles`] need no [`Context`]. The crate knows neither the meaning of the
//! arrays nor any query engine.
//!
//! The feature `system` links an installed libtiledb instead of the pinned one; see the documentation of `tiledb-sys`.
//!
//! ```
//! use std::sync::Arc;
//!
//! use arrow::array::{Float64Array, Int32Array, RecordBatch};
//! use arrow::datatypes::{DataType, Field, Schema};
//! use tiledb::{Array, ArrayLayout, CellOrder, Context, Dimension, DimensionRange, Domain, Literal, ReadRequest};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("heights");
//! # let uri = path.to_str().ok_or("path")?;
//! let ctx = Context::new([])?;
//! let lat = Domain::Float64 { low: -90.0, high: 90.0, extent: None };
//! let layout = ArrayLayout {
//!     dimensions: vec![Dimension { name: "lat".into(), domain: lat }],
//!     cell_order: CellOrder::Hilbert,
//!     capacity: 10_000,
//!     allows_duplicates: true,
//! };
//! let schema = Arc::new(Schema::new(vec![
//!     Field::new("lat", DataType::Float64, false),
//!     Field::new("height", DataType::Int32, true),
//! ]));
//! Array::create(&ctx, uri, &layout, &schema)?;
//!
//! let lat = Float64Array::from(vec![51.5, 51.6, 60.0]);
//! let height = Int32Array::from(vec![Some(12), None, Some(7)]);
//! let batch = RecordBatch::try_new(schema, vec![Arc::new(lat), Arc::new(height)])?;
//! tiledb::write_fragment(&ctx, uri, 1_700_000_000_000, vec![batch])?;
//!
//! let south = DimensionRange { dimension: "lat".into(), low: Literal::Int(50), high: Literal::Int(55) };
//! let request =
//!     ReadRequest { columns: vec!["height".into()], ranges: vec![south], condition: None, tiles: None, order: None, batch_rows: 8_192 };
//! let mut rows = 0;
//! for batch in Array::open(&ctx, uri)?.read(&request)? {
//!     rows += batch?.num_rows();
//! }
//! assert_eq!(rows, 2);
//! # Ok(())
//! # }
//! ```

// This crate calls libtiledb; every unsafe block has a SAFETY comment.
#![allow(unsafe_code)]

mod array;
mod cells;
mod context;
mod description;
mod elements;
mod error;
pub mod group;
mod handle;
mod literal;
mod location;
mod metadata;
mod native;
mod predicate;
mod read;
mod request;
mod schema;
mod validity;
mod version;
mod vfs;
mod write;

#[cfg(test)]
mod tests;

pub use array::{
    Array, Fragment, consolidate_fragment_metadata, list_fragments, put_metadata, vacuum_fragment_metadata,
};
pub use context::Context;
pub use error::{Error, Result};
pub use group::{Member, ObjectKind, object_kind};
pub use literal::Literal;
pub use metadata::MetadataValue;
pub use native::{
    BeforeStep, ColumnSummary, DescribingFiles, FileChecksum, FileEnd, FileRange, FragmentCache, ListedStorage,
    LiveFragment, LocalFiles, NewFragment, Storage, Stored, StoredSchemas, WritableStorage, WriteStep,
    check_consolidated_footers, write_tiles, write_tiles_stepwise, write_tiles_to,
};
pub use predicate::{Axis, DimensionRange, DisplayRanges, Intervals, Op, Predicate, Pushdown, Ranges};
pub use read::Reader;
pub use request::{ReadRequest, TileOrder, TileRun};
pub use schema::{ADDED_LATER, ArrayLayout, CellOrder, Dimension, Domain, ENUMERATION, Meaning, NULL_IS_NAN, NULL_KEY};
pub use vfs::Vfs;
pub use write::{Rows, write_fragment};
