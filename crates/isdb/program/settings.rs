//! Settings of a command: flags, environment and config file combined.

use std::path::Path;
use std::time::Duration;

use crate::filters::{choose, describe};
use crate::resources::query_memory;
use crate::{
    Config, Location, PublicArray, Region, StorageCredentials, StorageSettings, read_region, storage_settings,
};
use isdb_query::{ViewOptions, Warning};
use isdb_region::{RegionError, SwappedBox};
use isdb_schema::config::Storage;
use isdb_schema::filters::Rule;
use isdb_schema::period::Period;

use crate::program::cli::{DatabaseArgs, ReadArgs, RegionArgs};
use crate::program::error::{CliError, print_warning};
use crate::program::session::{QueryOptions, Source};

/// The config of a command and its database.
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) location: Location,
}

impl Settings {
    /// Resolves the settings of a command that needs a database.
    pub(crate) fn resolve(arguments: &DatabaseArgs) -> Result<Settings, CliError> {
        let config = config(arguments)?;
        let location = location(arguments, &config)?.ok_or(CliError::NoDatabase)?;
        Ok(Settings { config, location })
    }
}

/// Returns the location of the database, for commands that also work without one.
pub(crate) fn optional_location(arguments: &DatabaseArgs) -> Result<Option<Location>, CliError> {
    location(arguments, &config(arguments)?)
}

/// Returns the location of a database that a command names itself, in place of `--db`.
pub(crate) fn named_location(arguments: &DatabaseArgs, text: &str) -> Result<Location, CliError> {
    parse_location(arguments, &config(arguments)?, text)
}

fn config(arguments: &DatabaseArgs) -> Result<Config, CliError> {
    match &arguments.config {
        None => Ok(Config::shipped()?),
        Some(path) => read_config(path),
    }
}

/// Reads the config in the file at `path`.
pub(crate) fn read_config(path: &Path) -> Result<Config, CliError> {
    Ok(Config::parse(&path.to_string_lossy(), &read(path)?)?)
}

/// Reads the text of the file at `path`.
pub(crate) fn read(path: &Path) -> Result<String, CliError> {
    Ok(std::fs::read_to_string(path).map_err(|source| crate::Error::Read { path: path.to_path_buf(), source })?)
}

fn location(arguments: &DatabaseArgs, config: &Config) -> Result<Option<Location>, CliError> {
    let Some(text) = arguments.db.as_ref().or(config.database.as_ref()) else { return Ok(None) };
    if arguments.db.as_ref().is_some_and(String::is_empty) {
        let (expected, flag) = ("the path of a database", "--db or ISDB_DB");
        return Err(CliError::Empty { expected, flag, hint: "write --db PATH, or unset ISDB_DB" });
    }
    parse_location(arguments, config, text).map(Some)
}

/// Returns the settings of the object store of granules.
pub(crate) fn granule_storage(arguments: &DatabaseArgs) -> Result<StorageSettings, CliError> {
    storage(arguments, &config(arguments)?.storage)
}

/// Returns the location of an array of another program: a path, a URL, or the name of a public array.
pub(crate) fn array_location(arguments: &DatabaseArgs, text: &str) -> Result<Location, CliError> {
    if text.is_empty() {
        let hint = "write --array PATH, s3://bucket/prefix or the name of a public array";
        return Err(CliError::Empty { expected: "an array", flag: "--array", hint });
    }
    match PublicArray::named(text) {
        Some(array) => Ok(array.location()?),
        None => parse_location(arguments, &config(arguments)?, text),
    }
}

/// The location `text` with the settings of its store.
fn parse_location(arguments: &DatabaseArgs, config: &Config, text: &str) -> Result<Location, CliError> {
    let settings = match text.starts_with("s3://") {
        true => storage(arguments, &config.storage)?,
        false => StorageSettings::default(),
    };
    Ok(Location::with_settings(text, &settings).map_err(crate::Error::from)?)
}

/// The settings of an object store: those of the flags and the config, completed by the environment.
fn storage(arguments: &DatabaseArgs, config: &Storage) -> Result<StorageSettings, CliError> {
    let defaults = StorageSettings::default();
    let settings = StorageSettings {
        endpoint: config.endpoint.clone(),
        region: config.region.clone(),
        path_style: config.path_style,
        allow_http: config.allow_http,
        credentials: if config.anonymous { StorageCredentials::Anonymous } else { defaults.credentials },
        single_writer: arguments.single_writer,
        lock_lifetime: config.lock_lifetime_ms.map_or(defaults.lock_lifetime, Duration::from_millis),
    };
    Ok(storage_settings(settings, config.profile.as_deref())?)
}

/// Returns the options of the sessions of a command, and prints what restricts its views.
pub(crate) fn query_options(source: Source, arguments: &ReadArgs) -> Result<QueryOptions, CliError> {
    let filters = arguments.filters.as_deref().map(filters).transpose()?.unwrap_or_default();
    let (region, period) = region_and_period(&arguments.region)?;
    let view = source.views();
    if !filters.is_empty() {
        eprintln!("filters: {} (in {view})", describe(&filters));
    }
    if !period.is_everything() {
        eprintln!("period: {period} (in {view})");
    }
    Ok(QueryOptions {
        source,
        views: ViewOptions { filters, region, period },
        memory: arguments.memory.unwrap_or_else(query_memory),
        spill_folder: arguments.temp.clone(),
    })
}

/// Parses the list of filters of a flag.
pub(crate) fn filters(list: &str) -> Result<Vec<Rule>, CliError> {
    if list.trim().is_empty() {
        let hint = "`isdb filters` lists the filters; --filters none keeps every segment";
        return Err(CliError::Empty { expected: "names of filters", flag: "--filters", hint });
    }
    Ok(choose(list)?)
}

/// Reads the region and the period of flags.
pub(crate) fn region_and_period(arguments: &RegionArgs) -> Result<(Option<Region>, Period), CliError> {
    let region = match (&arguments.region, &arguments.bbox) {
        (Some(region), _) => Some(read_region(region)?),
        (None, Some(numbers)) => Some(read_box(numbers)?),
        (None, None) => None,
    };
    let text = arguments.region.as_ref().or(arguments.bbox.as_ref());
    if let Some(swapped) = text.and_then(|text| SwappedBox::detect(text)) {
        let (text, hint) = swapped.warning();
        print_warning(&Warning { text, hint });
    }
    Ok((region, Period::parse(arguments.start.as_deref(), arguments.end.as_deref())?))
}

/// Reads a region of four numbers; GeoJSON is not accepted.
fn read_box(text: &str) -> Result<Region, CliError> {
    let is_numbers = text.split(',').all(|number| number.trim().parse::<f64>().is_ok());
    let parsed = if is_numbers { Region::parse(text) } else { Err(RegionError::Text { text: text.to_owned() }) };
    Ok(parsed.map_err(|source| crate::Error::Region { path: None, source })?)
}
