//! Registers a database in a session: the arrays of one snapshot as tables `segments` and `granules`, and the views
//! `granules_current`, `atl08` and `atl08_unique`.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::dataframe::DataFrame;
use datafusion::optimizer::AnalyzerRule;
use datafusion::optimizer::analyzer::type_coercion::TypeCoercion;
use datafusion::prelude::SessionContext;
use isdb_store::{Database, Location, Snapshot};
use tiledb::Array;

use crate::error::{Error, Result};
use crate::session::context::{SessionOptions, session};
use crate::unique::UniqueTable;
use crate::views::expiry::{expiry_hook, explain_expiry, is_expired};
use crate::views::options::ViewOptions;
use crate::views::quality_filters::apply_filters;
use crate::views::restriction::restrict;
use crate::views::stored_columns::select_stored_columns;
use tiledb_datafusion::TileDbTable;

/// All segments with the columns of their granules.
const ATL08: &str = include_str!("../../sql/views/atl08.sql");
/// `atl08` with each physical segment once.
const ATL08_UNIQUE: &str = include_str!("../../sql/views/atl08_unique.sql");
/// The current attempts of the ledger.
const GRANULES_CURRENT: &str = include_str!("../../sql/views/granules_current.sql");

/// Opens a session over the newest state of the database at `location`, with its views restricted by `options`. Returns it with
/// the warnings of [`register`]. Later ingests do not change the state that the session sees.
///
/// # Errors
/// [`Error::Store`] when no database exists at `location`, and the errors of [`register`].
pub async fn open(location: &Location, options: &ViewOptions) -> Result<(SessionContext, Vec<String>)> {
    let database = Database::open(location).await?;
    match open_once(&database, options).await {
        Err(error) if is_expired(&error) => open_once(&database, options).await,
        opened => opened,
    }
}

async fn open_once(database: &Database, options: &ViewOptions) -> Result<(SessionContext, Vec<String>)> {
    let snapshot = database.snapshot().await?;
    let context = session(&SessionOptions::default())?;
    let warnings = register(&context, &snapshot, options).await?;
    Ok((context, warnings))
}

/// Registers the tables of `snapshot` in `context`, and the views over them, restricted by `options`. A read whose data a
/// vacuum removes ends with [`Error::Expired`]. Returns warnings for the user: filters that need a variable which some of the
/// granules do not have.
///
/// # Errors
/// [`Error::Scan`] when the fragments of an array cannot be listed, [`Error::Expired`] or [`Error::Store`] when the snapshot
/// has expired, [`Error::Expression`], [`Error::Release`] and [`Error::MissingVariable`] when a filter cannot be applied to the
/// database.
pub async fn register(context: &SessionContext, snapshot: &Snapshot, options: &ViewOptions) -> Result<Vec<String>> {
    let (segments, granules) = match load(Arc::new(snapshot.clone())).await {
        Ok(loaded) => loaded,
        Err(error) => return Err(explain_expiry(snapshot, error).await),
    };
    // A vacuum may have removed fragments before they were listed; counts would be wrong.
    snapshot.check().await?;
    register_tables(context, segments, granules, options).await
}

/// Registers the arrays of one snapshot and the views over them; see [`register`].
pub(crate) async fn register_tables(
    context: &SessionContext,
    segments: TileDbTable,
    granules: TileDbTable,
    options: &ViewOptions,
) -> Result<Vec<String>> {
    let atl08 = select_stored_columns(ATL08, &[("s", &segments), ("g", &granules)])?;
    let (segments, granules) = (Arc::new(segments), Arc::new(granules));
    context.register_table("segments", Arc::clone(&segments) as Arc<dyn TableProvider>)?;
    context.register_table("granules", Arc::clone(&granules) as Arc<dyn TableProvider>)?;
    let current = coerce_types(context.sql(GRANULES_CURRENT).await?)?;
    context.register_table("granules_current", current.into_view())?;
    let all = context.sql(&atl08).await?;
    let restricted = restrict(all, options.region.as_ref(), &options.period)?;
    let (rows, warnings) = apply_filters(context, restricted, &options.filters).await?;
    context.register_table("atl08", coerce_types(rows)?.into_view())?;
    let unique = coerce_types(context.sql(ATL08_UNIQUE).await?)?.into_unoptimized_plan();
    context.register_table("atl08_unique", Arc::new(UniqueTable::new(unique, segments, &granules)))?;
    Ok(warnings)
}

/// Coerces the types in the plan of `rows`. `CREATE VIEW` coerces the plans that it contains, and a view is recognised in them only
/// by an equal plan.
fn coerce_types(rows: DataFrame) -> Result<DataFrame> {
    let (state, plan) = rows.into_parts();
    let plan = TypeCoercion::new().analyze(plan, state.config_options())?;
    Ok(DataFrame::new(state, plan))
}

/// Opens both arrays as tables, on a thread that may block.
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
