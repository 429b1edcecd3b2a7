//! The read path over real arrays: SQL with its plans, and pushdown against no pushdown.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, which may fail only loudly")]

mod lint;
mod sqllogic;

use std::sync::Arc;

use isdb_testing::array::TestArray;
use tiledb::Predicate;
use tiledb_datafusion::TileDbTable;

/// The array as a table of which only `visible` rows are seen.
fn table(array: &TestArray, visible: Option<Predicate>) -> Arc<TileDbTable> {
    Arc::new(TileDbTable::new(array.open(), visible).unwrap())
}
