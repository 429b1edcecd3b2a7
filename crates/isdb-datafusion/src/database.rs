//! An isdb database as a SQL catalog: the arrays of one snapshot as tables `segments` and `granules`, and the view `atl08`
//! that people query.

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use isdb_store::{Database, Location, Snapshot};

use crate::error::{Error, Result};
use crate::session::session;
use crate::table::TileDbTable;
use crate::view::view_of;

/// The view `atl08`, as shipped in `sql/views/`.
const ATL08: &str = include_str!("../../../sql/views/atl08.sql");

/// A session over the newest state of the database at `location`, or over its state at `at` (milliseconds since 1970).
/// The session keeps that state, whatever is ingested meanwhile.
///
/// # Errors
/// [`Error::Store`] when there is no database, or when that state is gone.
pub async fn open(location: &Location, at: Option<u64>) -> Result<SessionContext> {
    let database = Database::open(location).await?;
    let snapshot = match at {
        None => database.snapshot().await?,
        Some(timestamp) => database.snapshot_at(timestamp).await?,
    };
    let context = session(None);
    register(&context, &snapshot).await?;
    Ok(context)
}

/// Registers the tables and views of `snapshot` in `context`.
///
/// # Errors
/// [`Error::Read`] when the fragments of an array cannot be listed.
pub async fn register(context: &SessionContext, snapshot: &Snapshot) -> Result<()> {
    let (segments, granules) = load(snapshot.clone()).await?;
    let view = view_of(ATL08, &[("s", &segments), ("g", &granules)])?;
    context.register_table("segments", Arc::new(segments))?;
    context.register_table("granules", Arc::new(granules))?;
    context.sql(&format!("CREATE OR REPLACE VIEW atl08 AS {view}")).await?.collect().await?;
    Ok(())
}

/// Loads what planning needs of both arrays, on a thread that may block.
async fn load(snapshot: Snapshot) -> Result<(TileDbTable, TileDbTable)> {
    let load = move || {
        let segments = TileDbTable::new(snapshot.segments().clone(), snapshot.visible_segments())?;
        let granules = TileDbTable::new(snapshot.granules().clone(), snapshot.visible_granules())?;
        Ok((segments, granules))
    };
    tokio::task::spawn_blocking(load).await.map_err(|stopped| Error::Stopped { source: stopped })?
}
