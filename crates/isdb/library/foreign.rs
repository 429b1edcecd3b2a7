//! Arrays of other programs, such as those that the Python packages icesat2db and gedidb make: on a local disk, in an object store, or
//! the public ones.

use std::path::PathBuf;

use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use isdb_query::{ArrayTables, ReadOnly, SessionOptions, ViewOptions};
use isdb_store::{Location, StorageCredentials, StorageSettings, run_blocking};

use crate::library::builder::resources;
use crate::library::error::Result;

/// An array that its makers let everybody read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicArray {
    /// A short name.
    pub name: &'static str,
    /// Its contents.
    pub description: &'static str,
    /// Where it is.
    pub uri: &'static str,
    /// The object store.
    endpoint: &'static str,
    region: &'static str,
}

/// The public arrays that are known by name, as the documentation of the packages describes them.
const PUBLIC: [PublicArray; 2] = [
    PublicArray {
        name: "icesat2db",
        description: "ATL08 release 007, made with icesat2db by GFZ Potsdam",
        uri: "s3://dog-ext.icesat2db.icesat2-atl08-v007/array_uri",
        endpoint: "https://s3.gfz-potsdam.de",
        region: "eu-central-1",
    },
    PublicArray {
        name: "gedidb",
        description: "GEDI L2A, L2B, L4A and L4C version 2, made with gedidb by GFZ Potsdam",
        uri: "s3://dog-ext.gedidb.gedi-l2-l4-v002.0/array_uri",
        endpoint: "https://s3.gfz-potsdam.de",
        region: "eu-central-1",
    },
];

impl PublicArray {
    /// Returns the public arrays.
    #[must_use]
    pub fn all() -> &'static [PublicArray] {
        &PUBLIC
    }

    /// Finds a public array by its name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static PublicArray> {
        PUBLIC.iter().find(|array| array.name == name)
    }

    /// Its location, which is read without credentials.
    ///
    /// # Errors
    /// When no thread for requests can be started.
    pub fn location(&self) -> Result<Location> {
        let settings = StorageSettings {
            endpoint: Some(self.endpoint.to_owned()),
            region: Some(self.region.to_owned()),
            path_style: Some(true),
            credentials: StorageCredentials::Anonymous,
            ..StorageSettings::default()
        };
        Ok(Location::with_settings(self.uri, &settings)?)
    }
}

/// How an array of another program is opened.
#[derive(Clone, Debug, Default)]
pub struct ForeignOptions {
    /// The state at this time, in milliseconds since 1970; None for now.
    pub timestamp: Option<u64>,
    /// Restrictions of the view.
    pub views: ViewOptions,
    /// Memory for the rows of queries, in bytes; None for no limit.
    pub memory: Option<usize>,
    /// The folder to spill to; None for the system's.
    pub spill_folder: Option<PathBuf>,
}

/// A TileDB array of another program, open for SQL. Fragments that are written later are not seen.
///
/// | name | one row is |
/// |---|---|
/// | `atl08` | a segment of an array of icesat2db: its variables, those with numbers as lists, the plain names, `time` in UTC; NULL where the product has no value |
/// | `gedi` | a footprint of an array of gedidb, likewise |
/// | `cells` | a cell of any sparse array, as stored |
pub struct ForeignArray {
    session: SessionContext,
    tables: ArrayTables,
    uri: String,
    read_only: ReadOnly,
}

impl std::fmt::Debug for ForeignArray {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ForeignArray")
            .field("uri", &self.uri)
            .field("view", &self.tables.view())
            .finish_non_exhaustive()
    }
}

impl ForeignArray {
    /// Opens the array at `location`, or the one that icesat2db or gedidb made in that folder or bucket.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when an array is missing there, or cannot be read; [`Error::Query`](crate::Error::Query) for a
    /// filter that needs a column which the array does not have.
    pub async fn open(location: &Location, options: &ForeignOptions) -> Result<ForeignArray> {
        let (of, timestamp) = (location.clone(), options.timestamp);
        let array = run_blocking(move || isdb_store::open_array(&of, timestamp)).await??;
        let resources = options.memory.map(|memory| resources(memory, options.spill_folder.clone())).transpose()?;
        let session = isdb_query::session(&SessionOptions { resources, ..SessionOptions::default() })?;
        let uri = array.uri().to_owned();
        let tables = isdb_query::register_array(&session, array, &options.views).await?;
        let read_only = ReadOnly::new(&session);
        Ok(ForeignArray { session, tables, uri, read_only })
    }

    /// Returns the DataFusion session, as [`Database::session`](crate::Database::session) does.
    pub fn session(&self) -> &SessionContext {
        &self.session
    }

    /// Returns the URI of the array.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Returns the tables of the array.
    pub fn tables(&self) -> &ArrayTables {
        &self.tables
    }

    /// Plans one statement, as [`Database::plan`](crate::Database::plan) does.
    ///
    /// # Errors
    /// The errors of [`Database::plan`](crate::Database::plan).
    pub async fn plan(&self, sql: &str) -> Result<LogicalPlan> {
        Ok(self.read_only.plan(&self.session, sql).await?)
    }

    /// Plans one statement; the returned data frame computes the rows, or extends the query.
    ///
    /// # Errors
    /// The errors of [`plan`](Self::plan).
    pub async fn sql(&self, sql: &str) -> Result<DataFrame> {
        let plan = self.plan(sql).await?;
        Ok(self.session.execute_logical_plan(plan).await?)
    }
}
