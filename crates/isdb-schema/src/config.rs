//! The config file (`config/atl08.yml`): what to ingest and how.
//!
//! `document` has the sections as YAML, `policy` the choices that are written as words, `problem` the messages for
//! invalid YAML, `icesat2db` makes a config of one of that package. [`Config`] is the checked result; every error has line and column.

use std::ops::RangeInclusive;

use serde_yaml::{Location, Spanned};

use crate::catalogue::{self, Releases, Variable};
use crate::columns;
use crate::expression::{Expression, SourceLocation};
use crate::filters::{FilterError, NONE, Rule, append, preset_rules, presets};
use crate::suggest::did_you_mean;
use crate::units::{parse_bytes, parse_milliseconds};

mod document;
mod error;
mod icesat2db;
mod policy;
mod problem;
#[cfg(test)]
mod tests;

pub use document::json_schema;
pub use error::ConfigError;
pub use icesat2db::FromIcesat2db;
pub use policy::{Policy, Span};

use document::{ConsolidateSection, Document, DownloadSection, FilterItem, ListOrWord, StorageSection, WindowSection};
use error::line_and_column;
use problem::problem;

/// The text of the built-in config.
pub const SHIPPED: &str = include_str!("../config/atl08.yml");

/// Default number of granules in one window.
const GRANULES_PER_WINDOW: usize = 32;
/// Default size of the granule files in one window: seven whole granules, whose rows take 150 MB of memory.
const BYTES_PER_WINDOW: u64 = 600_000_000;
/// Default memory for rows in flight, if the machine has that much.
pub const MEMORY: u64 = 2_000_000_000;
/// Minimum memory for rows in flight; with less, rows would be spilled one by one.
pub const MIN_MEMORY: u64 = 256_000_000;
/// Default number of fragments worth joining at which an ingest consolidates.
const FRAGMENTS_WORTH_JOINING: u64 = 16;
/// Default time for which replaced fragments are kept: a day.
const KEEP_MS: u64 = 86_400_000;
/// Minimum lifetime of a writer's lock: a slow request must not lose it.
const LEAST_LOCK_LIFETIME_MS: u64 = 1_000;
/// Default number of granules downloaded at a time.
const CONNECTIONS: u64 = 4;

/// A checked config. Its SQL is not checked here, because that needs the columns and their types.
#[derive(Clone, Debug)]
pub struct Config {
    /// The location of the database, if specified.
    pub database: Option<String>,
    /// The object store of the database.
    pub storage: Storage,
    /// The variables to store, in catalogue order, if specified.
    pub variables: Option<Vec<&'static Variable>>,
    /// The derived columns, in the order of their names, if specified.
    pub derived: Option<Vec<Expression>>,
    /// The rules of the filters in their order, if specified.
    pub filters: Option<Vec<Rule>>,
    /// Segments in one data tile, if specified.
    pub capacity: Option<u64>,
    /// Which granules become visible together.
    pub window: Window,
    /// The number of processors to use, if specified.
    pub threads: Option<usize>,
    /// Bytes of memory for rows in flight, if specified.
    pub memory: Option<usize>,
    /// The folder for rows that do not fit in memory, if specified.
    pub spill: Option<String>,
    /// When fragments are joined, and when replaced ones are deleted.
    pub consolidate: Consolidate,
    /// Options of downloads from NASA's archive.
    pub download: Download,
}

/// The object store of a database at `s3://bucket/prefix`, as far as the config has it. Secrets are never in a config.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// The URL of a store other than AWS.
    pub endpoint: Option<String>,
    /// The region of the bucket.
    pub region: Option<String>,
    /// Whether the bucket is part of the path of a URL.
    pub path_style: Option<bool>,
    /// Whether requests without TLS are allowed.
    pub allow_http: bool,
    /// Whether requests are anonymous.
    pub anonymous: bool,
    /// The profile with the credentials.
    pub profile: Option<String>,
    /// How long a writer's lock is valid without a renewal, in milliseconds, if specified.
    pub lock_lifetime_ms: Option<u64>,
}

/// Which granules become visible together: a window ends at the first of these limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// At most this many granules.
    pub granules: usize,
    /// At most about this many bytes of granule files.
    pub bytes: u64,
    /// The calendar span that no window crosses.
    pub span: Span,
}

/// When fragments are joined, and when replaced ones are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consolidate {
    /// The aim of consolidation.
    pub policy: Policy,
    /// An ingest consolidates when this many fragments are worth joining; 0 for never.
    pub fragments: usize,
    /// How long replaced fragments are kept, in milliseconds.
    pub keep_ms: u64,
}

/// Options of downloads from NASA's archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// The folder for downloaded granules, if specified.
    pub folder: Option<String>,
    /// Whether downloaded granules are kept once they are in the database.
    pub keep: bool,
    /// The number of granules downloaded at a time.
    pub connections: usize,
}

impl Config {
    /// Parses `text`, the content of the config called `file`.
    ///
    /// # Errors
    /// For invalid YAML, unknown keys, and invalid values.
    pub fn parse(file: &str, text: &str) -> Result<Config, ConfigError> {
        let document: Document = serde_yaml::from_str(text).map_err(|error| {
            let at = error.location().map(line_and_column);
            ConfigError { file: file.to_owned(), at, problem: problem(&error) }
        })?;
        let reader = Reader { file, text };
        if document.product.value != "ATL08" {
            let problem = format!("expected product ATL08, found {:?}", document.product.value);
            return Err(reader.invalid(document.product.referenced, problem));
        }
        let capacity = document.layout.and_then(|layout| layout.capacity);
        let (threads, memory, spill) =
            document.resources.map_or((None, None, None), |section| (section.threads, section.memory, section.spill));
        let threads = reader.number_in("resources.threads", threads, 1..=u64::from(u16::MAX), "")?;
        let memory = reader.bytes("resources.memory", memory, MIN_MEMORY)?;
        Ok(Config {
            database: document.database,
            storage: document.storage.map_or_else(|| Ok(Storage::default()), |section| reader.storage(section))?,
            variables: document.variables.map(|names| reader.variables(names)).transpose()?,
            derived: document.derived.map(|columns| reader.derived(columns)).transpose()?,
            filters: document.filters.map(|filters| reader.filters(filters)).transpose()?,
            capacity: reader.number_in("layout.capacity", capacity, 100..=10_000_000, "; 4096 suits most uses")?,
            window: reader.window(document.window)?,
            threads: threads.map(to_usize),
            memory: memory.map(to_usize),
            spill,
            consolidate: reader.consolidate(document.consolidate)?,
            download: reader.download(document.download)?,
        })
    }

    /// The built-in config.
    ///
    /// # Errors
    /// Never, as a test checks.
    pub fn shipped() -> Result<Config, ConfigError> {
        Config::parse("the shipped config", SHIPPED)
    }
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Checks the sections of one file.
struct Reader<'a> {
    file: &'a str,
    text: &'a str,
}

impl Reader<'_> {
    fn invalid(&self, at: Location, problem: String) -> ConfigError {
        ConfigError { file: self.file.to_owned(), at: Some(line_and_column(at)), problem }
    }

    /// The whole number at `key`; `advice` ends the message if the number is not in `range`.
    fn number_in(
        &self,
        key: &str,
        number: Option<Spanned<u64>>,
        range: RangeInclusive<u64>,
        advice: &str,
    ) -> Result<Option<u64>, ConfigError> {
        let Some(number) = number else { return Ok(None) };
        if range.contains(&number.value) {
            return Ok(Some(number.value));
        }
        let (least, most) = range.into_inner();
        let problem = format!("{key} must be a whole number from {least} to {most}{advice}");
        Err(self.invalid(number.referenced, problem))
    }

    fn bytes(&self, key: &str, text: Option<Spanned<String>>, least: u64) -> Result<Option<u64>, ConfigError> {
        let Some(text) = text else { return Ok(None) };
        match parse_bytes(&text.value) {
            Ok(bytes) if bytes >= least => Ok(Some(bytes)),
            Ok(_) => Err(self.invalid(text.referenced, format!("{key} must be at least {least} bytes, such as 2GB"))),
            Err(error) => Err(self.invalid(text.referenced, format!("{key}: {error}"))),
        }
    }

    fn storage(&self, section: StorageSection) -> Result<Storage, ConfigError> {
        let StorageSection { endpoint, region, path_style, allow_http, anonymous, profile, lock_lifetime } = section;
        let lock_lifetime_ms = lock_lifetime.map(|text| {
            let invalid = |problem: String| self.invalid(text.referenced, format!("storage.lock_lifetime: {problem}"));
            match parse_milliseconds(&text.value) {
                Ok(lifetime) if lifetime >= LEAST_LOCK_LIFETIME_MS => Ok(lifetime),
                Ok(_) => Err(invalid(format!("expected at least 1s, found `{}`", text.value))),
                Err(error) => Err(invalid(error.to_string())),
            }
        });
        let (allow_http, anonymous) = (allow_http.unwrap_or(false), anonymous.unwrap_or(false));
        let lock_lifetime_ms = lock_lifetime_ms.transpose()?;
        Ok(Storage { endpoint, region, path_style, allow_http, anonymous, profile, lock_lifetime_ms })
    }

    fn window(&self, section: Option<WindowSection>) -> Result<Window, ConfigError> {
        let (granules, bytes, span) =
            section.map_or((None, None, None), |section| (section.granules, section.bytes, section.span));
        let granules = self.number_in("window.granules", granules, 1..=u64::from(u32::MAX), "")?;
        Ok(Window {
            granules: granules.map_or(GRANULES_PER_WINDOW, to_usize),
            bytes: self.bytes("window.bytes", bytes, 1)?.unwrap_or(BYTES_PER_WINDOW),
            span: span.unwrap_or_default(),
        })
    }

    fn consolidate(&self, section: Option<ConsolidateSection>) -> Result<Consolidate, ConfigError> {
        let (policy, fragments, keep) =
            section.map_or((None, None, None), |section| (section.policy, section.fragments, section.keep));
        let fragments = self.number_in("consolidate.fragments", fragments, 0..=u64::from(u32::MAX), "")?;
        let keep = keep.map(|keep| {
            let invalid = |error| self.invalid(keep.referenced, format!("consolidate.keep: {error}"));
            parse_milliseconds(&keep.value).map_err(invalid)
        });
        Ok(Consolidate {
            policy: policy.unwrap_or_default(),
            fragments: to_usize(fragments.unwrap_or(FRAGMENTS_WORTH_JOINING)),
            keep_ms: keep.transpose()?.unwrap_or(KEEP_MS),
        })
    }

    fn download(&self, section: Option<DownloadSection>) -> Result<Download, ConfigError> {
        let (folder, keep, connections) =
            section.map_or((None, None, None), |section| (section.folder, section.keep, section.connections));
        let connections = self.number_in("download.connections", connections, 1..=32, "; 4 suits NASA's archive")?;
        Ok(Download { folder, keep: keep.unwrap_or(false), connections: to_usize(connections.unwrap_or(CONNECTIONS)) })
    }

    fn variables(&self, names: Spanned<ListOrWord<String>>) -> Result<Vec<&'static Variable>, ConfigError> {
        let ListOrWord::Items(names) = names.value else {
            return Err(self.invalid(names.referenced, "expected a list of variables such as `- h_canopy`".to_owned()));
        };
        let mut selected = Vec::new();
        for name in names {
            let Some(variable) = catalogue::named(&name.value) else {
                let question = did_you_mean(&name.value, catalogue::variables().iter().map(|variable| variable.name));
                let problem = format!("ATL08 has no variable {:?}{question}", name.value);
                return Err(self.invalid(name.referenced, problem));
            };
            selected.push(variable.name);
        }
        let is_selected = |variable: &&Variable| selected.contains(&variable.name);
        Ok(catalogue::variables().iter().filter(is_selected).collect())
    }

    fn derived(
        &self,
        columns: impl IntoIterator<Item = (String, Spanned<String>)>,
    ) -> Result<Vec<Expression>, ConfigError> {
        let mut derived = Vec::new();
        for (name, sql) in columns {
            self.check_name("derived column", &name, &sql)?;
            if columns::is_reserved_name(&name) {
                let problem = format!("{name} is a column of the product; give the derived column another name");
                return Err(self.invalid(sql.referenced, problem));
            }
            derived.push(self.expression(name, sql));
        }
        Ok(derived)
    }

    fn filters(&self, filters: Spanned<ListOrWord<FilterItem>>) -> Result<Vec<Rule>, ConfigError> {
        let items = match filters.value {
            ListOrWord::Items(items) => items,
            ListOrWord::Word(word) if word == NONE => Vec::new(),
            _ => {
                let problem =
                    "expected a list of filters such as `- strong` or `- tall: h_canopy > 5`, or the word none";
                return Err(self.invalid(filters.referenced, problem.to_owned()));
            }
        };
        let mut rules: Vec<Rule> = Vec::new();
        for item in items {
            let at = item.referenced;
            let invalid = |FilterError(problem)| self.invalid(at, problem);
            let more = match item.value {
                FilterItem::Preset(name) if name == NONE => Vec::new(),
                FilterItem::Preset(call) => preset_rules(&call).map_err(invalid)?,
                FilterItem::Rules(own) => {
                    let mut more = Vec::new();
                    for (name, sql) in own {
                        self.check_name("filter", &name, &sql)?;
                        if name == NONE || presets().iter().any(|preset| preset.name == name) {
                            let problem = format!("{name} is the name of a preset; give the filter another name");
                            return Err(self.invalid(sql.referenced, problem));
                        }
                        let releases = Releases { first: 0, last: None };
                        more.push(Rule { predicate: self.expression(name, sql), releases });
                    }
                    more
                }
            };
            append(&mut rules, more).map_err(invalid)?;
        }
        Ok(rules)
    }

    /// Checks that SQL and reports can use a name without quotes.
    fn check_name(&self, what: &str, name: &str, sql: &Spanned<String>) -> Result<(), ConfigError> {
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        if begins && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
            return Ok(());
        }
        let problem = format!("invalid name {name:?} of a {what}: use lower-case letters, digits and underscores");
        Err(self.invalid(sql.referenced, problem))
    }

    fn expression(&self, name: String, sql: Spanned<String>) -> Expression {
        let text = sql.value.trim().to_owned();
        let location = SourceLocation::in_file(self.file, self.text, line_and_column(sql.defined), &text);
        Expression { name, sql: text, location }
    }
}
