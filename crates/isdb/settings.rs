//! From flags, environment and config file to what is in force.

use std::path::Path;

use isdb_ingest::Asked;
use isdb_schema::config::Config;
use isdb_store::Location;

use crate::cli::Place;
use crate::failure::Failure;

/// The config in force and the database that it, a flag or the environment names.
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) location: Location,
}

impl Settings {
    pub(crate) fn resolve(place: &Place) -> Result<Settings, Failure> {
        let config = config(place)?;
        let location = location(place, &config)?.ok_or(Failure::NoDatabase)?;
        Ok(Settings { config, location })
    }
}

/// The database that a flag, the environment or the config names, for commands that can do without one.
pub(crate) fn named(place: &Place) -> Result<Option<Location>, Failure> {
    location(place, &config(place)?)
}

fn config(place: &Place) -> Result<Config, Failure> {
    match &place.config {
        None => Ok(Config::shipped()?),
        Some(path) => read(path),
    }
}

/// What a config asks an ingest to take of granules. What it leaves open, the database decides.
pub(crate) fn asked(config: &Config) -> Asked {
    Asked {
        variables: config.variables.clone(),
        derived: config.derived.clone(),
        filters: config.filters.clone(),
        capacity: config.capacity,
    }
}

/// The config in the file at `path`.
pub(crate) fn read(path: &Path) -> Result<Config, Failure> {
    let text = std::fs::read_to_string(path).map_err(|source| Failure::Read { path: path.to_path_buf(), source })?;
    Ok(Config::parse(&path.to_string_lossy(), &text)?)
}

fn location(place: &Place, config: &Config) -> Result<Option<Location>, Failure> {
    let named = place.db.as_ref().or(config.database.as_ref());
    Ok(named.map(|text| Location::parse(text)).transpose()?)
}
