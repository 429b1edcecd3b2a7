//! From flags, environment and config file to what is in force.

use isdb_schema::config::Config;
use isdb_store::Location;

use crate::cli::Place;
use crate::failure::Failure;

/// The config in force and the database that it, a flag or the environment names.
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) config_is_explicit: bool,
    pub(crate) location: Location,
}

impl Settings {
    pub(crate) fn resolve(place: &Place) -> Result<Settings, Failure> {
        let config = match &place.config {
            None => Config::shipped()?,
            Some(path) => {
                let text =
                    std::fs::read_to_string(path).map_err(|source| Failure::Read { path: path.clone(), source })?;
                Config::parse(&path.to_string_lossy(), &text)?
            }
        };
        let named = place.db.as_ref().or(config.database.as_ref()).ok_or(Failure::NoDatabase)?;
        let location = Location::parse(named)?;
        Ok(Settings { config, config_is_explicit: place.config.is_some(), location })
    }
}
