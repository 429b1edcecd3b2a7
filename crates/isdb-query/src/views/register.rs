//! An isdb database as a SQL catalog: the arrays of one snapshot as tables `segments` and `granules`, the view `atl08` that
//! people query, and what follows from these: `atl08_unique` and `granules_current`.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::dataframe::DataFrame;
use datafusion::optimizer::AnalyzerRule;
use datafusion::optimizer::analyzer::type_coercion::TypeCoercion;
use datafusion::prelude::SessionContext;
use isdb_store::{Database, Location, Snapshot};
use tiledb::Array;

use crate::error::{Error, Result};
use crate::session::context::session;
use crate::views::columns::view_of;
use crate::views::expiry::{expiry_hook, explain_expiry, is_expired};
use crate::views::filtered::filtered;
use crate::views::options::ViewOptions;
use crate::views::unique::UniqueTable;
use crate::views::within::within;
use tiledb_datafusion::TileDbTable;

/// The view `atl08`, as shipped in `sql/views/`.
const ATL08: &str = include_str!("../../../../sql/views/atl08.sql");
/// `atl08` with each physical segment once.
const ATL08_UNIQUE: &str = include_str!("../../../../sql/views/atl08_unique.sql");
/// The attempts of the ledger that stand.
const GRANULES_CURRENT: &str = include_str!("../../../../sql/views/granules_current.sql");

/// A session over the newest state of the database at `location`, with the views that `options` describe, and the warnings of
/// [`register`]. The session keeps that state, whatever is ingested meanwhile.
///
/// # Errors
/// [`Error::Store`] when there is no database, and the errors of [`register`].
pub async fn open(location: &Location, options: &ViewOptions) -> Result<(SessionContext, Vec<String>)> {
    let database = Database::open(location).await?;
    match open_once(&database, options).await {
        Err(error) if is_expired(&error) => open_once(&database, options).await,
        opened => opened,
    }
}

async fn open_once(database: &Database, options: &ViewOptions) -> Result<(SessionContext, Vec<String>)> {
    let snapshot = database.snapshot().await?;
    let context = session(None);
    let warnings = register(&context, &snapshot, options).await?;
    Ok((context, warnings))
}

/// Registers the tables of `snapshot` and the views over them, as `options` say, in `context`. A read that a vacuum overtakes ends
/// with [`Error::Expired`]. Returns warnings for people: which filters some of the granules cannot answer.
///
/// # Errors
/// [`Error::Scan`] when the fragments of an array cannot be listed, [`Error::Expired`] or [`Error::Store`] when that is since the
/// snapshot has expired, [`Error::Expression`], [`Error::Release`] and [`Error::Lacking`] when a filter does not fit the database.
pub async fn register(context: &SessionContext, snapshot: &Snapshot, options: &ViewOptions) -> Result<Vec<String>> {
    let (segments, granules) = match load(Arc::new(snapshot.clone())).await {
        Ok(loaded) => loaded,
        Err(error) => return Err(explain_expiry(snapshot, error).await),
    };
    // A listing without what a vacuum has removed meanwhile would count wrong.
    snapshot.check().await?;
    register_tables(context, segments, granules, options).await
}

/// Registers the arrays of one state and the views over them; see [`register`].
pub(crate) async fn register_tables(
    context: &SessionContext,
    segments: TileDbTable,
    granules: TileDbTable,
    options: &ViewOptions,
) -> Result<Vec<String>> {
    let atl08 = view_of(ATL08, &[("s", &segments), ("g", &granules)])?;
    let (segments, granules) = (Arc::new(segments), Arc::new(granules));
    context.register_table("segments", Arc::clone(&segments) as Arc<dyn TableProvider>)?;
    context.register_table("granules", Arc::clone(&granules) as Arc<dyn TableProvider>)?;
    let current = coerced(context.sql(GRANULES_CURRENT).await?)?;
    context.register_table("granules_current", current.into_view())?;
    let all = context.sql(&atl08).await?;
    let within = within(all, options.region.as_ref(), &options.period)?;
    let (shown, warnings) = filtered(context, within, &options.filters).await?;
    context.register_table("atl08", coerced(shown)?.into_view())?;
    let unique = coerced(context.sql(ATL08_UNIQUE).await?)?.into_unoptimized_plan();
    context.register_table("atl08_unique", Arc::new(UniqueTable::new(unique, segments, &granules)))?;
    Ok(warnings)
}

/// `rows` with its types coerced, as a `CREATE VIEW` over them does again: the plan is then found in the view's.
fn coerced(rows: DataFrame) -> Result<DataFrame> {
    let (state, plan) = rows.into_parts();
    let plan = TypeCoercion::new().analyze(plan, state.config_options())?;
    Ok(DataFrame::new(state, plan))
}

/// Loads what planning needs of both arrays, on a thread that may block.
async fn load(snapshot: Arc<Snapshot>) -> Result<(TileDbTable, TileDbTable)> {
    let load = move || {
        let table =
            |array: &Array, visible| TileDbTable::with_error_hook(array.clone(), visible, expiry_hook(&snapshot));
        let segments = table(snapshot.segments(), snapshot.visible_segments())?;
        let granules = table(snapshot.granules(), snapshot.visible_granules())?;
        Ok((segments, granules))
    };
    tokio::task::spawn_blocking(load).await.map_err(|stopped| Error::Stopped { source: stopped })?
}
