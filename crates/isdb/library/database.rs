//! An open database: one committed state, its SQL session, and its tables for other sessions.

use std::sync::Arc;

use datafusion::catalog::{
    CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider, TableProvider,
};
use datafusion::dataframe::DataFrame;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use isdb_query::{QueryResources, ReadOnly, SessionOptions, ViewOptions};
use isdb_schema::catalogue::Variable;
use isdb_schema::suggest::did_you_mean;
use isdb_store::{Location, Snapshot};

use crate::library::error::{Error, Result};
use crate::library::variables::stored_variables;

/// The tables and views of a database.
const TABLES: [&str; 5] = ["atl08", "atl08_unique", "granules", "granules_current", "segments"];
/// The schema of [`Database::catalog`] that holds the tables and views.
const SCHEMA: &str = "public";

/// One committed state of a database, open for SQL. It stays the same whatever is ingested, consolidated or removed meanwhile. A
/// vacuum may remove it; reads then end with an error that [`Error::is_expired`].
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
    catalog: Arc<dyn CatalogProvider>,
    stored: isdb_store::Database,
    snapshot: Snapshot,
    read_only: ReadOnly,
    warnings: Vec<String>,
    releases: Vec<(String, i64)>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let commit = self.snapshot.commit();
        f.debug_struct("Database")
            .field("uri", &self.snapshot.uri())
            .field("commit", &commit.number)
            .field("timestamp", &commit.timestamp)
            .finish_non_exhaustive()
    }
}

impl Database {
    /// Opens the state at `at` or the newest, and registers its tables and views.
    pub(crate) async fn load(
        stored: &isdb_store::Database,
        at: Option<u64>,
        options: &ViewOptions,
        resources: Option<&QueryResources>,
    ) -> Result<Database> {
        let snapshot = match at {
            None => stored.snapshot().await?,
            Some(timestamp) => stored.snapshot_at(timestamp).await?,
        };
        let session =
            isdb_query::session(&SessionOptions { resources: resources.cloned(), ..SessionOptions::default() })?;
        let mut warnings = isdb_query::register(&session, &snapshot, options).await?;
        let releases = isdb_query::mixed_releases(&session).await?;
        if !releases.is_empty() {
            warnings.push(format!("more than one release is in the database: {}", describe_releases(&releases)));
        }
        let catalog = catalog_of(&session).await?;
        let read_only = ReadOnly::new(&session);
        Ok(Database { session, catalog, stored: stored.clone(), snapshot, read_only, warnings, releases })
    }

    /// Returns the DataFusion session. It has isdb's SQL functions (`in_region`, `chunk`), reads files that a statement names in
    /// quotes (`FROM 'plots.csv'`), and accepts further tables and functions.
    pub fn session(&self) -> &SessionContext {
        &self.session
    }

    /// Returns the tables and views as a catalog for another session: after `context.register_catalog("isdb", database.catalog())`
    /// a statement of that session reads `isdb.public.atl08`. The catalog has one schema, `public`.
    ///
    /// The other session keeps its own SQL dialect, functions and limits: it has neither `in_region`, `div` and `chunk` nor isdb's
    /// warnings, divides integers without a fraction, sorts NULL as DataFusion does, and is not bound by the builder's `memory`.
    pub fn catalog(&self) -> Arc<dyn CatalogProvider> {
        Arc::clone(&self.catalog)
    }

    /// Returns the table or view called `name`, for another session: `context.register_table("atl08",
    /// database.table("atl08").await?)`. Filters and projections of that session reach the array.
    ///
    /// # Errors
    /// [`Error::UnknownTable`].
    pub async fn table(&self, name: &str) -> Result<Arc<dyn TableProvider>> {
        let table = match self.catalog.schema(SCHEMA) {
            Some(schema) => schema.table(name).await?,
            None => None,
        };
        table.ok_or_else(|| Error::UnknownTable { name: name.to_owned(), suggestion: did_you_mean(name, TABLES) })
    }

    /// Plans one statement: a query, `EXPLAIN`, `SHOW`, `DESCRIBE`, `CREATE VIEW` or `DROP VIEW`.
    ///
    /// # Errors
    /// [`Error::Query`] for a statement that does more than read, [`Error::Engine`] for SQL that cannot be parsed or planned.
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

    /// Warnings for the user, one sentence each: filters that cannot be applied to some granules, and releases that coexist.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Returns the number of granules of each release if the database holds more than one release; otherwise empty.
    pub fn mixed_releases(&self) -> &[(String, i64)] {
        &self.releases
    }

    /// Returns the location of the database.
    pub fn location(&self) -> &Location {
        self.stored.location()
    }

    /// Returns the number of the commit that is open.
    pub fn commit(&self) -> u64 {
        self.snapshot.commit().number
    }

    /// Returns the time of the commit, in milliseconds since 1970 UTC. [`DatabaseBuilder::at`](crate::DatabaseBuilder::at) opens
    /// the same state with it.
    pub fn timestamp(&self) -> u64 {
        self.snapshot.commit().timestamp
    }

    /// Returns the variables of ATL08 that the database stores.
    pub fn variables(&self) -> Vec<&'static Variable> {
        stored_variables(&self.snapshot)
    }

    #[cfg(feature = "ingest")]
    pub(crate) fn stored(&self) -> &isdb_store::Database {
        &self.stored
    }

    #[cfg(feature = "ingest")]
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}

/// Returns a catalog of the tables of `session`, without the files that statements may name.
async fn catalog_of(session: &SessionContext) -> Result<Arc<dyn CatalogProvider>> {
    let schema = MemorySchemaProvider::new();
    for name in TABLES {
        schema.register_table(name.to_owned(), session.table_provider(name).await?)?;
    }
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema(SCHEMA, Arc::new(schema))?;
    Ok(Arc::new(catalog))
}

/// Describes releases with their granules: `006 (3 granules), 007 (1 granules)`.
fn describe_releases(releases: &[(String, i64)]) -> String {
    let described: Vec<String> =
        releases.iter().map(|(release, count)| format!("{release} ({count} granules)")).collect();
    described.join(", ")
}
