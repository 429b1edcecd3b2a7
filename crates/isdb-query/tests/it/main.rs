//! SQL over real arrays: results and plans of statements, and warnings.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, which may fail only loudly")]

mod icesat2db;
mod lint;
mod sqllogic;

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use isdb_query::SessionOptions;
use isdb_testing::array::TestArray;
use tiledb::Predicate;
use tiledb_datafusion::TileDbTable;

/// Creates a session with `partitions` threads.
fn session(partitions: usize) -> SessionContext {
    isdb_query::session(&SessionOptions { partitions: Some(partitions), ..SessionOptions::default() }).unwrap()
}

/// Opens the array as a table of its `visible` rows.
fn table(array: &TestArray, visible: Option<Predicate>) -> Arc<TileDbTable> {
    let opened = array.open();
    Arc::new(if opened.layout().allows_duplicates {
        let is_exact = visible.is_none();
        TileDbTable::of_fragments(array.open_by_tile(), visible, is_exact)
    } else {
        TileDbTable::new(opened, visible).unwrap()
    })
}
