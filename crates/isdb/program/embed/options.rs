//! What a front end opens, with values as its users write them.

use std::path::PathBuf;

use isdb_query::{ViewOptions, Warning};
use isdb_region::SwappedBox;
use isdb_schema::period::Period;

use crate::program::cli::{DatabaseArgs, parse_memory, parse_query_memory};
use crate::program::embed::failure::Failure;
use crate::program::error::CliError;
use crate::program::session::{QueryOptions, Source};
use crate::program::settings::{Settings, array_location, filters};
use crate::resources::query_memory;
use crate::{Location, Region, read_region};

/// A database, or an array of another program.
#[derive(Clone, Debug, Default)]
pub struct DatabaseOptions {
    /// A path or `s3://bucket/prefix`; for an array also the name of a public one. The config names it if this is None.
    pub uri: Option<String>,
    /// The file of a config.
    pub config: Option<PathBuf>,
    /// Whether no other process writes to the database, in an object store without conditional writes.
    pub single_writer: bool,
    /// Whether it is an array of another program.
    pub is_array: bool,
    /// Memory for rows, such as `2GB`; None for half of what the process may use.
    pub memory: Option<String>,
    /// The folder to spill to; None for the system's.
    pub temp: Option<PathBuf>,
}

/// Restrictions of the views, as text.
#[derive(Clone, Debug, Default)]
pub struct Restrictions {
    /// Names of filters, separated by commas.
    pub filters: Option<String>,
    /// `west,south,east,north` in degrees, GeoJSON, or the path of a GeoJSON file.
    pub region: Option<String>,
    /// The first time, such as `2020-06`.
    pub start: Option<String>,
    /// The last time.
    pub end: Option<String>,
}

impl DatabaseOptions {
    pub(super) fn arguments(&self) -> DatabaseArgs {
        DatabaseArgs { db: self.uri.clone(), single_writer: self.single_writer, config: self.config.clone() }
    }

    /// The location, and the config.
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        Ok(Settings::resolve(&self.arguments())?)
    }

    /// Parses a size of memory that is sufficient for an ingest, in bytes.
    pub(super) fn ingest_memory(text: &str) -> Result<usize, Failure> {
        parse_memory(text).map_err(|problem| Failure::invalid(&format!("memory: {problem}")))
    }

    /// Returns the location of the database.
    ///
    /// # Errors
    /// For an invalid URI or config, and without a database.
    pub fn location(&self) -> Result<Location, Failure> {
        Ok(self.settings()?.location)
    }

    fn source(&self) -> Result<Source, Failure> {
        if self.is_array {
            let arguments = DatabaseArgs { db: None, ..self.arguments() };
            return Ok(Source::Array(array_location(&arguments, self.uri.as_deref().unwrap_or_default())?));
        }
        Ok(Source::Database(self.location()?))
    }

    /// The options of a session with these restrictions.
    pub(super) fn query_options(&self, restrictions: &Restrictions) -> Result<QueryOptions, Failure> {
        let memory =
            |text: &String| parse_query_memory(text).map_err(|problem| Failure::invalid(&format!("memory: {problem}")));
        Ok(QueryOptions {
            source: self.source()?,
            views: restrictions.views()?,
            memory: self.memory.as_ref().map(memory).transpose()?.unwrap_or_else(query_memory),
            spill_folder: self.temp.clone(),
        })
    }
}

impl Restrictions {
    fn views(&self) -> Result<ViewOptions, Failure> {
        let (region, period) = self.region_and_period()?;
        let filters = self.filters.as_deref().map(filters).transpose()?.unwrap_or_default();
        Ok(ViewOptions { filters, region, period })
    }

    /// The region and the period.
    pub(super) fn region_and_period(&self) -> Result<(Option<Region>, Period), Failure> {
        let region = self.region.as_deref().map(read_region).transpose()?;
        let period = Period::parse(self.start.as_deref(), self.end.as_deref()).map_err(CliError::from)?;
        Ok((region, period))
    }

    /// Returns the warning about a region whose latitudes and longitudes are probably exchanged.
    #[must_use]
    pub fn warning(&self) -> Option<Warning> {
        let (text, hint) = SwappedBox::detect(self.region.as_ref()?)?.warning();
        Some(Warning { text, hint })
    }
}
