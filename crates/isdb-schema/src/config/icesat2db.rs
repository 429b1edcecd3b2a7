//! The `data_config.yml` of the Python package icesat2db as a config.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::{ConfigError, line_and_column};
use super::problem::problem;
use crate::catalogue::{self, Variable};

/// The group of a beam that paths of variables begin with.
const GROUP: &str = "land_segments/";
/// Variables that a segment always has, or that `time`, `beam` and the ids of a segment have.
const ALWAYS: [&str; 7] = ["segment_id", "beam_id", "delta_time", "sc_orient", "rgt", "latitude", "longitude"];
/// The collections of ATL08 in NASA's archive, and their releases.
const COLLECTIONS: [(&str, u16); 1] = [("C3565574177-NSIDC_CPRD", 7)];
/// The product that icesat2db names.
const PRODUCT: &str = "ATL08";
/// The options of the array that have a counterpart.
const KNOWN: [&str; 8] =
    ["storage_type", "local_path", "overwrite", "s3_bucket", "url", "region", "temporal_batching", "spatial_range"];

/// A config made of one of icesat2db, and the options that are arguments in isdb.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FromIcesat2db {
    /// The config.
    pub text: String,
    /// Where the database is.
    pub database: Option<String>,
    /// The part of the globe: west, south, east, north.
    pub region: Option<[f64; 4]>,
    /// The release of the granules.
    pub release: Option<u16>,
    /// What the config does not say, in sentences.
    pub notes: Vec<String>,
}

#[derive(Deserialize)]
struct TheirConfig {
    tiledb: TheirArray,
    data_dir: Option<String>,
    earth_data_info: Option<Archive>,
    level_atl08: Level,
}

#[derive(Deserialize)]
struct TheirArray {
    storage_type: Option<String>,
    local_path: Option<String>,
    s3_bucket: Option<String>,
    url: Option<String>,
    region: Option<String>,
    temporal_batching: Option<String>,
    spatial_range: Option<Range>,
}

#[derive(Deserialize)]
struct Range {
    lat_min: f64,
    lat_max: f64,
    lon_min: f64,
    lon_max: f64,
}

#[derive(Deserialize)]
struct Archive {
    #[serde(rename = "CMR_PRODUCT_IDS")]
    products: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Level {
    variables: BTreeMap<String, Dataset>,
}

#[derive(Deserialize)]
struct Dataset {
    #[serde(rename = "SDS_Name")]
    path: String,
}

/// The names of the options of the array.
#[derive(Deserialize)]
struct Options {
    tiledb: BTreeMap<String, IgnoredAny>,
}

impl FromIcesat2db {
    /// Converts `text`, the content of the config called `file`.
    ///
    /// # Errors
    /// For invalid YAML, and without the sections `tiledb` and `level_atl08`.
    pub fn parse(file: &str, text: &str) -> Result<FromIcesat2db, ConfigError> {
        let invalid = |error: &serde_yaml::Error| {
            let at = error.location().map(line_and_column);
            ConfigError { file: file.to_owned(), at, problem: problem(error) }
        };
        let document: TheirConfig = serde_yaml::from_str(text).map_err(|error| invalid(&error))?;
        let options: Options = serde_yaml::from_str(text).map_err(|error| invalid(&error))?;
        let (variables, derived, mut notes) = variables(&document.level_atl08.variables);
        let database = database(&document.tiledb);
        let region = document.tiledb.spatial_range.as_ref().and_then(Range::part_of_globe);
        if let Some([west, south, east, north]) = region {
            notes.push(format!("the spatial range is an argument: --region {west},{south},{east},{north}"));
        }
        let products = document.earth_data_info.and_then(|archive| archive.products).unwrap_or_default();
        let release = products.get(PRODUCT).and_then(|id| COLLECTIONS.iter().find(|(known, _)| known == id));
        let release = release.map(|(_, release)| *release);
        if let Some(release) = release {
            notes.push(format!("the release is an argument: --release {release:03}"));
        }
        let dropped: Vec<&str> = options.tiledb.keys().map(String::as_str).filter(|key| !KNOWN.contains(key)).collect();
        if !dropped.is_empty() {
            notes.push(format!("without a counterpart: {}", dropped.join(", ")));
        }
        if options.tiledb.contains_key("overwrite") {
            notes.push("overwrite is not needed: granules that are stored already are skipped".to_owned());
        }
        let folder = document.data_dir.filter(|folder| !folder.is_empty());
        let parts = Parts { variables, derived, database: database.as_deref(), folder: folder.as_deref() };
        let text = parts.render(file, &document.tiledb, &notes);
        Ok(FromIcesat2db { text, database, region, release, notes })
    }
}

impl Range {
    /// The box; None for the whole globe.
    fn part_of_globe(&self) -> Option<[f64; 4]> {
        let globe = self.lat_min <= -90.0 && self.lat_max >= 90.0 && self.lon_min <= -180.0 && self.lon_max >= 180.0;
        (!globe).then_some([self.lon_min, self.lat_min, self.lon_max, self.lat_max])
    }
}

/// The folder or the prefix of the database.
fn database(storage: &TheirArray) -> Option<String> {
    match storage.storage_type.as_deref() {
        Some("s3") => storage.s3_bucket.as_ref().map(|bucket| format!("s3://{bucket}/atl08.isdb")),
        _ => storage.local_path.as_ref().map(|path| format!("{}/atl08.isdb", path.trim_end_matches('/'))),
    }
}

/// The variables by their names in the product, the columns under other names, and notes on what ATL08 does not have.
fn variables(wanted: &BTreeMap<String, Dataset>) -> (Vec<&'static str>, Vec<(String, &'static str)>, Vec<String>) {
    let (mut names, mut derived, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for (name, dataset) in wanted {
        let path = dataset.path.trim_start_matches('/').trim_start_matches(GROUP);
        let found: Option<&'static Variable> = catalogue::variables().iter().find(|variable| variable.path == path);
        match found {
            Some(variable) => {
                names.push(variable.name);
                if variable.name != name {
                    derived.push((name.clone(), variable.name));
                }
            }
            None if ALWAYS.contains(&name.as_str()) => {}
            None => notes.push(format!("ATL08 has no dataset {path}, which {name} names")),
        }
    }
    names.dedup();
    (names, derived, notes)
}

/// The parts of a config.
struct Parts<'a> {
    variables: Vec<&'static str>,
    derived: Vec<(String, &'static str)>,
    database: Option<&'a str>,
    folder: Option<&'a str>,
}

impl Parts<'_> {
    fn render(&self, file: &str, storage: &TheirArray, notes: &[String]) -> String {
        let mut lines = vec![format!("# Made of {file}, a config of icesat2db."), "product: ATL08".to_owned()];
        lines.extend(self.database.map(|database| format!("database: {}", quoted(database))));
        if storage.storage_type.as_deref() == Some("s3") {
            lines.push("storage:".to_owned());
            lines.extend(storage.url.as_ref().map(|url| format!("  endpoint: {}", quoted(url))));
            lines.extend(storage.region.as_ref().map(|region| format!("  region: {}", quoted(region))));
        }
        lines.push(format!("variables: [{}]", self.variables.join(", ")));
        if !self.derived.is_empty() {
            lines.push("derived:".to_owned());
            lines.extend(self.derived.iter().map(|(name, variable)| format!("  {name}: {variable}")));
        }
        lines.push("# What the code of icesat2db removes; it keeps segments without a terrain height.".to_owned());
        lines.push("filters: [icesat2db]".to_owned());
        if let Some(span) = storage.temporal_batching.as_deref().and_then(span) {
            lines.extend(["window:".to_owned(), format!("  span: {span}")]);
        }
        if let Some(folder) = self.folder {
            let folder = format!("{}/download", folder.trim_end_matches('/'));
            lines.extend(["download:".to_owned(), format!("  folder: {}", quoted(&folder))]);
        }
        lines.extend(notes.iter().map(|note| format!("# {note}")));
        lines.join("\n") + "\n"
    }
}

/// The calendar span of a batch. No window crosses a quarter.
fn span(batching: &str) -> Option<&'static str> {
    match batching {
        "daily" => Some("day"),
        "weekly" => Some("week"),
        "annual" => Some("quarter"),
        _ => None,
    }
}

/// A text in YAML.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Span};

    const THEIRS: &str = "\
tiledb:
  storage_type: 'local'
  local_path: /data/forest/
  overwrite: true
  temporal_batching: weekly
  spatial_range: {lat_min: -8.0, lat_max: -6, lon_min: -62.5, lon_max: -60.0}
  capacity: 200000
data_dir: /scratch
earth_data_info:
  CMR_PRODUCT_IDS: {ATL08: 'C3565574177-NSIDC_CPRD'}
level_atl08:
  variables:
    h_canopy: {SDS_Name: land_segments/canopy/h_canopy, dtype: float32}
    night: {SDS_Name: land_segments/night_flag, dtype: int8}
    segment_id: {SDS_Name: segment_id}
    wave: {SDS_Name: land_segments/wave_height}
";

    #[test]
    fn a_config_of_icesat2db_becomes_a_valid_one() {
        let converted = FromIcesat2db::parse("data_config.yml", THEIRS).unwrap();
        let config = Config::parse("mine.yml", &converted.text).unwrap();
        assert_eq!(config.database.as_deref(), Some("/data/forest/atl08.isdb"));
        let names: Vec<&str> = config.variables.unwrap().iter().map(|variable| variable.name).collect();
        assert_eq!(names, ["night_flag", "h_canopy"], "in the order of the catalogue");
        assert_eq!(config.derived.unwrap().len(), 1);
        assert_eq!(config.window.span, Span::Week);
        assert_eq!(config.download.folder.as_deref(), Some("/scratch/download"));
        assert!(!config.filters.unwrap().is_empty());
        assert_eq!((converted.region, converted.release), (Some([-62.5, -8.0, -60.0, -6.0]), Some(7)));
        let notes = converted.notes.join("\n");
        for part in ["--region -62.5,-8,-60,-6", "--release 007", "wave_height", "capacity", "overwrite"] {
            assert!(notes.contains(part) && converted.text.contains(part), "{part}: {notes}");
        }
    }

    #[test]
    fn the_whole_globe_is_not_a_region_and_another_file_is_refused() {
        let globe = THEIRS.replace(
            "{lat_min: -8.0, lat_max: -6, lon_min: -62.5, lon_max: -60.0}",
            "{lat_min: -90, lat_max: 90, lon_min: -180, lon_max: 180}",
        );
        assert_eq!(FromIcesat2db::parse("a.yml", &globe).unwrap().region, None);
        let error = FromIcesat2db::parse("a.yml", "product: ATL08\n").unwrap_err();
        assert!(error.to_string().contains("tiledb"), "{error}");
    }
}
