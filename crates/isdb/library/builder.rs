//! The builder that opens a database.

use std::future::IntoFuture;
use std::io::ErrorKind;
use std::path::PathBuf;

use futures::FutureExt;
use futures::future::BoxFuture;
use isdb_query::{QueryResources, ViewOptions};
use isdb_region::Region;
use isdb_schema::filters::{Rule, choose};
use isdb_schema::period::Period;
use isdb_store::Location;

use crate::library::at::At;
use crate::library::database::Database;
use crate::library::error::{Error, Result};

/// The options with which a database is opened; `.await` opens it. See [`Database::open`].
#[derive(Clone, Debug)]
#[must_use = "a database is opened by .await"]
pub struct DatabaseBuilder {
    address: Address,
    at: Option<At>,
    filters: FilterChoice,
    region: Option<Region>,
    period: Period,
    memory: Option<usize>,
    spill_folder: Option<PathBuf>,
}

/// Where the database is: a URI that is not yet parsed, a location, or a database that was opened before.
#[derive(Clone, Debug)]
enum Address {
    Uri(String),
    Location(Location),
    Opened(isdb_store::Database),
}

/// Filters by name (`"strong,night"`, as `isdb filters` lists them) or as rules.
#[derive(Clone, Debug)]
pub enum FilterChoice {
    /// Names of presets, separated by commas, with parameters where a preset has some.
    Names(String),
    /// Rules, such as those of a config.
    Rules(Vec<Rule>),
}

impl From<&str> for FilterChoice {
    fn from(names: &str) -> FilterChoice {
        FilterChoice::Names(names.to_owned())
    }
}

impl From<String> for FilterChoice {
    fn from(names: String) -> FilterChoice {
        FilterChoice::Names(names)
    }
}

impl From<Vec<Rule>> for FilterChoice {
    fn from(rules: Vec<Rule>) -> FilterChoice {
        FilterChoice::Rules(rules)
    }
}

impl Database {
    /// Returns a builder that opens the database at `uri`, a path or `file://` URI: `Database::open(uri).await?` opens its newest
    /// state. The methods of the builder select an earlier state, restrict the views, and limit memory.
    ///
    /// # Errors
    /// `.await` returns [`Error::Store`] when no database exists there or its state at the requested time was removed,
    /// [`Error::Filter`] for invalid filters. A filter that does not fit the database is an [`Error::Query`] of the first statement
    /// that uses it.
    pub fn open(uri: &str) -> DatabaseBuilder {
        DatabaseBuilder::new(Address::Uri(uri.to_owned()))
    }

    /// Returns a builder that opens the database at `location`, such as one in an object store with its settings. See
    /// [`Database::open`].
    pub fn open_location(location: &Location) -> DatabaseBuilder {
        DatabaseBuilder::new(Address::Location(location.clone()))
    }

    /// Returns a builder that opens this database again, by default in its newest state and without restrictions. What was read of the commit
    /// log and of the metadata of fragments is not read again.
    pub fn reopen(&self) -> DatabaseBuilder {
        DatabaseBuilder::new(Address::Opened(self.handle().clone()))
    }
}

impl DatabaseBuilder {
    fn new(address: Address) -> DatabaseBuilder {
        DatabaseBuilder {
            address,
            at: None,
            filters: FilterChoice::Rules(Vec::new()),
            region: None,
            period: Period::default(),
            memory: None,
            spill_folder: None,
        }
    }

    /// Opens a past state instead of the newest: `.at(database.timestamp())` the state of an open database, until a vacuum removes
    /// it; `.at("2026-11-29")` the last state of a day; `.at("paper")` the state that the tag `paper` keeps. See [`At`] for the forms
    /// of a time.
    pub fn at(mut self, at: impl Into<At>) -> DatabaseBuilder {
        self.at = Some(at.into());
        self
    }

    /// Restricts the views `atl08` and `atl08_unique` to segments in this region.
    pub fn region(mut self, region: Region) -> DatabaseBuilder {
        self.region = Some(region);
        self
    }

    /// Restricts the views `atl08` and `atl08_unique` to segments that were measured in this period.
    pub fn period(mut self, period: Period) -> DatabaseBuilder {
        self.period = period;
        self
    }

    /// Restricts the views `atl08` and `atl08_unique` to segments that pass these filters.
    pub fn filters(mut self, filters: impl Into<FilterChoice>) -> DatabaseBuilder {
        self.filters = filters.into();
        self
    }

    /// Limits the memory for rows of queries to about this many bytes, at least 64 MiB. Sorts, groups and joins spill to disk what
    /// does not fit. The default has no limit.
    pub fn memory(mut self, bytes: usize) -> DatabaseBuilder {
        self.memory = Some(bytes);
        self
    }

    /// Sets the folder to spill to when [`memory`](Self::memory) is limited. The default is the system's folder for temporary
    /// files.
    pub fn spill_folder(mut self, folder: impl Into<PathBuf>) -> DatabaseBuilder {
        self.spill_folder = Some(folder.into());
        self
    }

    async fn open(self) -> Result<Database> {
        let unread = |location: &Location| isdb_store::Database::unread(location);
        let (mut stored, is_unread) = match self.address {
            Address::Uri(uri) => (unread(&Location::parse(&uri)?)?, true),
            Address::Location(location) => (unread(&location)?, true),
            Address::Opened(stored) => (stored, false),
        };
        let filters = match self.filters {
            FilterChoice::Names(names) => choose(&names)?,
            FilterChoice::Rules(rules) => rules,
        };
        let options = ViewOptions { filters, region: self.region, period: self.period };
        let resources = self.memory.map(|memory| resources(memory, self.spill_folder)).transpose()?;
        if let Some(resources) = resources.as_ref().filter(|_| is_unread) {
            stored = stored.with_metadata_memory(resources.metadata_memory());
        }
        Database::load(&stored, self.at.as_ref(), &options, resources.as_ref()).await
    }
}

pub(super) fn resources(memory: usize, spill_folder: Option<PathBuf>) -> Result<QueryResources> {
    let temp = spill_folder.unwrap_or_else(std::env::temp_dir);
    if !temp.is_dir() {
        return Err(Error::SpillFolder { path: temp, source: ErrorKind::NotADirectory.into() });
    }
    Ok(QueryResources { memory: memory.max(isdb_query::MIN_QUERY_MEMORY), temp })
}

impl IntoFuture for DatabaseBuilder {
    type Output = Result<Database>;
    type IntoFuture = BoxFuture<'static, Result<Database>>;

    fn into_future(self) -> Self::IntoFuture {
        self.open().boxed()
    }
}
