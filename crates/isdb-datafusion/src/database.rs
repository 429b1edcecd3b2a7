//! An isdb database as a SQL catalog: the arrays of one snapshot as tables `segments` and `granules`, and the view `atl08`
//! that people query.

use std::sync::Arc;

use arrow::array::AsArray;
use datafusion::prelude::SessionContext;
use isdb_schema::filters::Rule;
use isdb_store::{Database, Location, Snapshot};

use crate::error::{Error, Result};
use crate::expression::Scope;
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

/// Puts `rules` between the view `atl08` and its users: from now on it shows the segments that fulfil all of them.
///
/// # Errors
/// [`Error::Expression`] for a filter that looks at what the database does not store, [`Error::Release`] when a granule in
/// the database is of a release that a filter has no meaning for.
pub async fn filter(context: &SessionContext, rules: &[Rule]) -> Result<()> {
    if rules.is_empty() {
        return Ok(());
    }
    let view = context.table("atl08").await?;
    let scope = Scope::of_table(view.schema().as_arrow())?;
    let mut shown = view.clone();
    for rule in rules {
        shown = shown.filter(scope.predicate(&rule.predicate)?.expr)?;
    }
    check_releases(context, rules).await?;
    context.deregister_table("atl08")?;
    context.register_table("atl08", shown.into_view())?;
    Ok(())
}

async fn check_releases(context: &SessionContext, rules: &[Rule]) -> Result<()> {
    let sql = "SELECT DISTINCT release FROM granules WHERE state = 'ingested'";
    for batch in context.sql(sql).await?.collect().await? {
        for release in batch.column(0).as_string::<i64>() {
            releases_fit(rules, release, "a granule of the database")?;
        }
    }
    Ok(())
}

/// Whether every rule can be applied to `what`, which is of `release` (`007`).
///
/// # Errors
/// [`Error::Release`], also when the release is not known and the rule is not for all of them.
pub fn releases_fit(rules: &[Rule], release: Option<&str>, what: &str) -> Result<()> {
    let number = release.and_then(|release| release.parse::<u16>().ok());
    let fits = |rule: &&Rule| match number {
        Some(number) => rule.releases.contains(number),
        None => rule.releases.is_all(),
    };
    match rules.iter().find(|rule| !fits(rule)) {
        None => Ok(()),
        Some(rule) => Err(Error::Release {
            filter: rule.predicate.name.clone(),
            valid: rule.releases.to_string(),
            what: what.to_owned(),
            release: release.map_or_else(|| "an unknown release".to_owned(), |release| format!("release {release}")),
        }),
    }
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
