//! What a session reads: a state of a database, or an array of another program.

use std::path::PathBuf;

use crate::{At, Database, DatabaseBuilder, ForeignArray, ForeignOptions, Location};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use isdb_query::{StatementSources, ViewOptions};

use crate::program::error::CliError;
use crate::program::output::Origin;

/// What is to be opened.
pub(crate) enum Source {
    Database(Location),
    Array(Location),
}

impl Source {
    /// What the filters, the region and the period restrict.
    pub(crate) fn views(&self) -> &'static str {
        match self {
            Source::Database(_) => "atl08",
            Source::Array(_) => "its view",
        }
    }
}

/// The options with which sessions are opened.
pub(crate) struct QueryOptions {
    pub(crate) source: Source,
    /// The restrictions of the views.
    pub(crate) views: ViewOptions,
    /// Memory for rows, in bytes.
    pub(crate) memory: usize,
    /// The folder to spill to; None for the system's.
    pub(crate) spill_folder: Option<PathBuf>,
}

/// What is open.
pub(crate) enum Opened {
    Database(Box<Database>),
    Array(Box<ForeignArray>),
}

impl Opened {
    /// Opens the newest state, or the state at `at`.
    pub(super) async fn new(options: &QueryOptions, at: Option<&At>) -> Result<Opened, CliError> {
        let QueryOptions { source, views, memory, spill_folder } = options;
        let location = match source {
            Source::Database(location) => location,
            Source::Array(location) => {
                let options = ForeignOptions {
                    timestamp: at.map(timestamp).transpose()?,
                    views: views.clone(),
                    memory: Some(*memory),
                    spill_folder: spill_folder.clone(),
                };
                return Ok(Opened::Array(Box::new(ForeignArray::open(location, &options).await?)));
            }
        };
        Opened::database(Database::open_location(location), options, at).await
    }

    /// Opens the newest state, or the state at `at`, with other options. What was read of the commit log of a database is not read again.
    pub(super) async fn reopen(&self, options: &QueryOptions, at: Option<&At>) -> Result<Opened, CliError> {
        match self {
            Opened::Database(database) => Opened::database(database.reopen(), options, at).await,
            Opened::Array(_) => Opened::new(options, at).await,
        }
    }

    async fn database(builder: DatabaseBuilder, options: &QueryOptions, at: Option<&At>) -> Result<Opened, CliError> {
        let QueryOptions { views, memory, spill_folder, .. } = options;
        let mut builder = builder.filters(views.filters.clone()).period(views.period).memory(*memory);
        if let Some(at) = at {
            builder = builder.at(at.clone());
        }
        if let Some(region) = &views.region {
            builder = builder.region(region.clone());
        }
        if let Some(folder) = spill_folder {
            builder = builder.spill_folder(folder);
        }
        Ok(Opened::Database(Box::new(builder.await?)))
    }

    pub(super) fn context(&self) -> &SessionContext {
        match self {
            Opened::Database(database) => database.session(),
            Opened::Array(array) => array.session(),
        }
    }

    pub(super) async fn plan(&self, sql: &str) -> crate::Result<LogicalPlan> {
        match self {
            Opened::Database(database) => database.plan(sql).await,
            Opened::Array(array) => array.plan(sql).await,
        }
    }

    /// What a statement reads of it.
    pub(super) fn sources(&self, plan: &LogicalPlan) -> Result<StatementSources, CliError> {
        Ok(match self {
            Opened::Database(database) => isdb_query::statement_sources(database.session(), plan)?,
            Opened::Array(array) => array.tables().sources(plan)?,
        })
    }

    /// The names of the views that the options restrict.
    pub(super) fn views(&self) -> &'static str {
        match self {
            Opened::Database(_) => "atl08, atl08_20m and atl08_unique",
            Opened::Array(array) => array.tables().view().unwrap_or("no table"),
        }
    }

    /// Warnings about the views.
    pub(super) async fn warnings(&self) -> Result<Vec<String>, CliError> {
        match self {
            Opened::Database(database) => Ok(database.warnings().await?),
            Opened::Array(_) => Ok(Vec::new()),
        }
    }

    /// The state that is open, for the user.
    pub(super) fn describe(&self) -> String {
        match self {
            Opened::Database(database) => {
                let timestamp = database.timestamp();
                format!("state: {timestamp} ({})", crate::time::format_milliseconds(timestamp))
            }
            Opened::Array(array) => format!("array: {}", array.uri()),
        }
    }

    /// Adds what is open to the origin of rows; for a file also what cites it.
    pub(super) async fn add_to(&self, origin: &mut Origin, is_file: bool) -> Result<(), CliError> {
        match self {
            Opened::Array(array) => origin.array = Some(array.uri().to_owned()),
            Opened::Database(database) => {
                origin.snapshot = Some(database.timestamp());
                if is_file {
                    let citation = database.cite().await?;
                    origin.tag = citation.tags().first().cloned();
                    (origin.database_region, origin.citation) = (citation.region(), Some(citation.to_string()));
                }
            }
        }
        Ok(())
    }
}

/// The time of a state of an array, which has no tags.
fn timestamp(at: &At) -> Result<u64, CliError> {
    match at {
        At::Time(timestamp) => Ok(*timestamp),
        At::Tag(tag) => {
            Err(CliError::Message(format!("expected a time in --at, found {tag}: only isdb databases have tags")))
        }
    }
}
