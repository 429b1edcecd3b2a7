//! From flags, environment and config file to what is in force.

use std::path::{Path, PathBuf};

use isdb_ingest::SelectionRequest;
use isdb_query::Warning;
use isdb_region::{Region, RegionError, SwappedBox};
use isdb_schema::config::Config;
use isdb_schema::period::Period;
use isdb_store::Location;

use crate::cli::{Place, Where};
use crate::failure::{self, Failure};

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
pub(crate) fn asked(config: &Config) -> SelectionRequest {
    SelectionRequest {
        variables: config.variables.clone(),
        derived: config.derived.clone(),
        filters: config.filters.clone(),
        capacity: config.capacity,
    }
}

/// The region and the period that flags ask for.
pub(crate) fn region_and_period(asked: &Where) -> Result<(Option<Region>, Period), Failure> {
    let region = match (&asked.region, &asked.bbox) {
        (Some(region), _) => Some(region_of(region)?),
        (None, Some(numbers)) => Some(told_as("--bbox", box_of(numbers))?),
        (None, None) => None,
    };
    if let Some(swapped) = asked.region.as_ref().or(asked.bbox.as_ref()).and_then(|text| SwappedBox::detect(text)) {
        let (text, hint) = swapped.warning();
        failure::warn(&Warning { text, hint });
    }
    Ok((region, Period::parse(asked.start.as_deref(), asked.end.as_deref())?))
}

/// The region of four numbers, of GeoJSON, or of the GeoJSON file at that path.
pub(crate) fn region_of(given: &str) -> Result<Region, Failure> {
    match Region::parse(given) {
        Err(RegionError::Text { .. }) if !is_numbers(given) => {
            let path = PathBuf::from(given);
            match std::fs::read(&path) {
                Ok(bytes) => told_as(given, Region::from_geojson_bytes(&bytes)),
                Err(source) => Err(Failure::RegionFile { path, source }),
            }
        }
        read => told_as("--region", read),
    }
}

/// The region of four numbers alone.
fn box_of(given: &str) -> Result<Region, RegionError> {
    if is_numbers(given) { Region::parse(given) } else { Err(RegionError::Text { text: given.to_owned() }) }
}

/// Whether `given` is numbers between commas, if not four.
fn is_numbers(given: &str) -> bool {
    given.split(',').all(|number| number.trim().parse::<f64>().is_ok())
}

fn told_as(given: &str, region: Result<Region, RegionError>) -> Result<Region, Failure> {
    region.map_err(|source| Failure::Region { given: given.to_owned(), source })
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
