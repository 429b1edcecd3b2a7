//! An isdb database as a SQL catalog: the arrays of one snapshot as tables `segments` and `granules`, the view `atl08` that
//! people query, and what follows from these: `atl08_unique` and `granules_current`.

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use isdb_store::{Database, Location, Snapshot};

use crate::error::{Error, Result};
use crate::expiry::{is_expired, judged};
use crate::session::session;
use crate::table::TileDbTable;
use crate::view::view_of;

/// The view `atl08`, as shipped in `sql/views/`.
const ATL08: &str = include_str!("../../../sql/views/atl08.sql");
/// `atl08` with each physical segment once.
const ATL08_UNIQUE: &str = include_str!("../../../sql/views/atl08_unique.sql");
/// The attempts of the ledger that stand.
const GRANULES_CURRENT: &str = include_str!("../../../sql/views/granules_current.sql");

/// A session over the newest state of the database at `location`, or over its state at `at` (milliseconds since 1970).
/// The session keeps that state, whatever is ingested meanwhile.
///
/// # Errors
/// [`Error::Store`] when there is no database, or when that state is gone.
pub async fn open(location: &Location, at: Option<u64>) -> Result<SessionContext> {
    let database = Database::open(location).await?;
    match open_once(&database, at).await {
        Err(error) if at.is_none() && is_expired(&error) => open_once(&database, at).await,
        opened => opened,
    }
}

async fn open_once(database: &Database, at: Option<u64>) -> Result<SessionContext> {
    let snapshot = match at {
        None => database.snapshot().await?,
        Some(timestamp) => database.snapshot_at(timestamp).await?,
    };
    let context = session(None);
    register(&context, &snapshot).await?;
    Ok(context)
}

/// Registers the tables and views of `snapshot` in `context`. A read that a vacuum overtakes ends with [`Error::Expired`].
///
/// # Errors
/// [`Error::Read`] when the fragments of an array cannot be listed, [`Error::Expired`] or [`Error::Store`] when that is since the
/// snapshot has expired.
pub async fn register(context: &SessionContext, snapshot: &Snapshot) -> Result<()> {
    let (segments, granules) = match load(Arc::new(snapshot.clone())).await {
        Ok(loaded) => loaded,
        Err(error) => return Err(judged(snapshot, error).await),
    };
    // A listing without what a vacuum has removed meanwhile would count wrong.
    snapshot.check().await?;
    let view = view_of(ATL08, &[("s", &segments), ("g", &granules)])?;
    context.register_table("segments", Arc::new(segments))?;
    context.register_table("granules", Arc::new(granules))?;
    create_view(context, "atl08", &view).await?;
    create_view(context, "granules_current", GRANULES_CURRENT).await?;
    register_unique(context).await
}

/// Registers the view `atl08_unique` over the `atl08` that `context` has now.
pub(crate) async fn register_unique(context: &SessionContext) -> Result<()> {
    create_view(context, "atl08_unique", ATL08_UNIQUE).await
}

async fn create_view(context: &SessionContext, name: &str, select: &str) -> Result<()> {
    context.sql(&format!("CREATE OR REPLACE VIEW {name} AS {select}")).await?.collect().await?;
    Ok(())
}

/// Loads what planning needs of both arrays, on a thread that may block.
async fn load(snapshot: Arc<Snapshot>) -> Result<(TileDbTable, TileDbTable)> {
    let load = move || {
        let segments = TileDbTable::of_database(snapshot.segments(), snapshot.visible_segments(), &snapshot)?;
        let granules = TileDbTable::of_database(snapshot.granules(), snapshot.visible_granules(), &snapshot)?;
        Ok((segments, granules))
    };
    tokio::task::spawn_blocking(load).await.map_err(|stopped| Error::Stopped { source: stopped })?
}
