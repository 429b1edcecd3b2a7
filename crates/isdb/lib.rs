#![doc = include_str!("../../README.md")]

pub use datafusion;
pub use isdb_query::{ViewOptions, is_expired, register};
pub use isdb_region as region;
pub use isdb_schema::{filters, period};
pub use isdb_store::{Database, Location, Snapshot};
pub use tiledb;
pub use tiledb_datafusion::TileDbTable;

mod open;

pub use open::{Error, open, open_with};
