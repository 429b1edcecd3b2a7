#![doc = include_str!("../../README.md")]

pub use datafusion;
pub use isdb_datafusion::{TileDbTable, filter, is_expired, register, within};
pub use isdb_schema::{filters, period, region};
pub use isdb_store::{Database, Location, Snapshot};
pub use tiledb;

mod open;

pub use open::{Error, open};
