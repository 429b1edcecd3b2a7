//! An open database: one committed state, its SQL session, and its tables for other sessions.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, SchemaProvider, TableProvider};
use datafusion::dataframe::DataFrame;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use isdb_query::{DatabaseTables, QueryResources, ReadOnly, SessionOptions, ViewOptions};
use isdb_schema::catalogue::Variable;
use isdb_schema::suggest::did_you_mean;
use isdb_store::{Location, Snapshot, Tag, TagCosts};

use crate::library::at::At;
use crate::library::error::{Error, Result};
use crate::library::variables::stored_variables;

/// The schema of [`Database::catalog`] that holds the tables and views.
const SCHEMA: &str = "public";

/// One committed state of a database, open for SQL. It stays the same whatever is ingested, consolidated or removed meanwhile. A
/// vacuum may remove it; reads then end with an error that [`Error::is_expired`].
///
/// Opening reads the commit log only. A table or view is created when a statement first names it.
///
/// Tables and views:
///
/// | name | one row is |
/// |---|---|
/// | `atl08` | a segment: the variables of the product, their plain names, and the columns of the granule |
/// | `atl08_unique` | a segment as in `atl08`, but each physical segment once where granules of adjacent regions overlap |
/// | `segments` | a segment as stored, without restriction |
/// | `granules` | an attempt at a granule (the ledger) |
/// | `granules_current` | an attempt that was neither replaced nor removed |
#[derive(Clone)]
pub struct Database {
    session: SessionContext,
    tables: Arc<DatabaseTables>,
    catalog: Arc<dyn CatalogProvider>,
    stored: isdb_store::Database,
    snapshot: Snapshot,
    read_only: ReadOnly,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("uri", &self.snapshot.uri())
            .field("commit", &self.snapshot.commit())
            .field("timestamp", &self.snapshot.timestamp())
            .finish_non_exhaustive()
    }
}

impl Database {
    /// Opens the state at `at` or the newest. Reads the commit log only.
    pub(crate) async fn load(
        stored: &isdb_store::Database,
        at: Option<&At>,
        options: &ViewOptions,
        resources: Option<&QueryResources>,
    ) -> Result<Database> {
        let snapshot = match at {
            None => stored.snapshot().await?,
            Some(at) => at.open(stored).await?,
        };
        let session =
            isdb_query::session(&SessionOptions { resources: resources.cloned(), ..SessionOptions::default() })?;
        let tables = isdb_query::register(&session, &snapshot, options)?;
        let catalog = MemoryCatalogProvider::new();
        catalog.register_schema(SCHEMA, Arc::clone(&tables) as Arc<dyn SchemaProvider>)?;
        let read_only = ReadOnly::new(&session);
        Ok(Database { session, tables, catalog: Arc::new(catalog), stored: stored.clone(), snapshot, read_only })
    }

    /// Returns the DataFusion session. It has isdb's SQL functions (`in_region`, `chunk`), reads files that a statement names in
    /// quotes (`FROM 'plots.csv'`), and accepts further tables and functions.
    pub fn session(&self) -> &SessionContext {
        &self.session
    }

    /// Returns the tables and views as a catalog for another session: after `context.register_catalog("isdb", database.catalog())`
    /// a statement of that session reads `isdb.public.atl08`. The catalog has one schema, `public`.
    ///
    /// The other session keeps its own SQL dialect, functions and limits: it has neither the functions of isdb nor its
    /// warnings, divides integers without a fraction, sorts NULL as DataFusion does, and is not bound by the builder's `memory`.
    pub fn catalog(&self) -> Arc<dyn CatalogProvider> {
        Arc::clone(&self.catalog)
    }

    /// Returns the table or view called `name`, for another session: `context.register_table("atl08",
    /// database.table("atl08").await?)`. Filters and projections of that session reach the array.
    ///
    /// # Errors
    /// [`Error::UnknownTable`], and when the table or view cannot be created: the array cannot be opened, or a filter does not fit
    /// the database.
    pub async fn table(&self, name: &str) -> Result<Arc<dyn TableProvider>> {
        let unknown =
            || Error::UnknownTable { name: name.to_owned(), suggestion: did_you_mean(name, DatabaseTables::NAMES) };
        self.tables.table(name).await?.ok_or_else(unknown)
    }

    /// Plans one statement: a query, `EXPLAIN`, `SHOW`, `DESCRIBE`, `CREATE VIEW` or `DROP VIEW`.
    ///
    /// # Errors
    /// [`Error::Query`] for a statement that does more than read, or that uses a view whose filters do not fit the database,
    /// [`Error::Store`] when the segments cannot be opened, [`Error::Engine`] for SQL that cannot be parsed or planned.
    pub async fn plan(&self, sql: &str) -> Result<LogicalPlan> {
        Ok(self.read_only.plan(&self.session, sql).await?)
    }

    /// Plans one statement as [`plan`](Self::plan) does; the returned data frame computes the rows, or extends the query.
    ///
    /// # Errors
    /// The errors of [`plan`](Self::plan).
    pub async fn sql(&self, sql: &str) -> Result<DataFrame> {
        let plan = self.plan(sql).await?;
        Ok(self.session.execute_logical_plan(plan).await?)
    }

    /// Runs one statement and streams its rows, so that a result of any size needs bounded memory.
    ///
    /// # Errors
    /// The errors of [`plan`](Self::plan). Errors that occur while rows are computed come through the stream.
    pub async fn stream(&self, sql: &str) -> Result<SendableRecordBatchStream> {
        Ok(self.sql(sql).await?.execute_stream().await?)
    }

    /// Returns warnings about the views `atl08` and `atl08_unique` for the user, one sentence each: filters that cannot be applied to
    /// some granules, granules that are incomplete since a repair, and releases that coexist. Reads the ledger.
    ///
    /// # Errors
    /// [`Error::Query`] when a filter does not fit the database, and when the ledger cannot be read.
    pub async fn warnings(&self) -> Result<Vec<String>> {
        let mut warnings = self.tables.warnings().await?;
        let incomplete = self.snapshot.attempts_to_reread().len();
        if incomplete > 0 {
            warnings.push(format!(
                "granules that are incomplete since a repair: {incomplete}; `isdb ingest` reads their files again"
            ));
        }
        let releases = self.mixed_releases().await?;
        if !releases.is_empty() {
            warnings.push(format!("more than one release is in the database: {}", describe_releases(&releases)));
        }
        Ok(warnings)
    }

    /// Returns the number of granules of each release if the database holds more than one release; otherwise empty. Reads the
    /// ledger.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn mixed_releases(&self) -> Result<Vec<(String, i64)>> {
        Ok(isdb_query::mixed_releases(&self.session).await?)
    }

    /// Returns the location of the database.
    pub fn location(&self) -> &Location {
        self.stored.location()
    }

    /// Returns the number of the commit that is open.
    pub fn commit(&self) -> u64 {
        self.snapshot.commit()
    }

    /// Returns the time of the commit, in milliseconds since 1970 UTC. [`DatabaseBuilder::at`](crate::DatabaseBuilder::at) opens
    /// the same state with it.
    pub fn timestamp(&self) -> u64 {
        self.snapshot.timestamp()
    }

    /// Returns the tags that the database had when it was opened, by name, with those that were set after this state.
    /// [`tag`](fn@crate::tag) sets a tag.
    pub fn tags(&self) -> BTreeMap<String, Tag> {
        self.snapshot.tags().map(|(name, tag)| (name.to_owned(), tag)).collect()
    }

    /// Measures what is on disk for tags only, because the newest state does not show it.
    ///
    /// # Errors
    /// When the commit log or a folder cannot be read.
    pub async fn tag_costs(&self) -> Result<TagCosts> {
        Ok(self.stored.tag_costs().await?)
    }

    /// Returns the variables of ATL08 that the database stores.
    pub fn variables(&self) -> Vec<&'static Variable> {
        stored_variables(&self.snapshot)
    }

    /// Whether no commit was made since this state. Reads what the commit log has gained.
    ///
    /// # Errors
    /// When the commit log cannot be read.
    pub async fn is_newest(&self) -> Result<bool> {
        Ok(self.stored.snapshot().await?.commit() == self.commit())
    }

    /// The handle through which the state was opened.
    pub(crate) fn handle(&self) -> &isdb_store::Database {
        &self.stored
    }

    #[cfg(feature = "ingest")]
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}

/// Describes releases with their granules: `006 (3 granules), 007 (1 granules)`.
fn describe_releases(releases: &[(String, i64)]) -> String {
    let described: Vec<String> =
        releases.iter().map(|(release, count)| format!("{release} ({count} granules)")).collect();
    described.join(", ")
}
