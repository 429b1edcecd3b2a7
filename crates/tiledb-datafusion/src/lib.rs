//! Sparse TileDB arrays as DataFusion tables.
//!
//! [`TileDbTable`] is a `TableProvider` over one array at one timestamp. Its data flow:
//!
//! 1. `snapshot` loads schema, layout and fragment rectangles once, when the table is made.
//! 2. `predicate` translates the filters of a statement into coordinate ranges and a TileDB query condition, and says of each whether
//!    the array answers it exactly.
//! 3. `partition` cuts the ranges into disjoint parts of about equal size; `statistics` estimates their rows.
//! 4. [`TileDbSource`] describes the scan under DataFusion's own `DataSourceExec`, and `stream` reads one part into record batches.
//!
//! The crate works on every sparse array. It knows neither the meaning of columns nor who wrote them: an [`ErrorHook`] lets the owner
//! of an array explain a failed read.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use datafusion::prelude::SessionContext;
//! use tiledb::{Array, Context};
//! use tiledb_datafusion::TileDbTable;
//!
//! let array = Array::open(&Context::new([])?, "weather.tiledb")?;
//! let session = SessionContext::new();
//! session.register_table("weather", Arc::new(TileDbTable::new(array, None)?))?;
//! session.sql("SELECT station, t2m FROM weather WHERE latitude BETWEEN 47 AND 48").await?.show().await?;
//! # Ok(())
//! # }
//! ```

mod error;
mod error_hook;
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
