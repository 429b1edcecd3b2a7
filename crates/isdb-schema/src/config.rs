//! The config file (`config/atl08.yml`): what to ingest and how. Parsed and checked once; every error says line and column.

use std::ops::RangeInclusive;

use serde_yaml::{Location, Spanned};

use crate::catalogue::{self, Releases, Variable};
use crate::columns;
use crate::expression::{Expression, Place};
use crate::filters::{FilterError, NONE, Rule, append, preset_rules, presets};
use crate::suggest::near_told;
use crate::units::{bytes, milliseconds};

mod document;
mod policy;
mod problem;
#[cfg(test)]
mod tests;

pub use document::json_schema;
pub use policy::{Policy, Span};

use document::{Document, Filter, Listed, Text, Whole};
use problem::problem;

/// The shipped config, as `isdb` carries it.
pub const SHIPPED: &str = include_str!("../../../config/atl08.yml");

/// Granules of one window unless a config says otherwise.
const GRANULES_PER_WINDOW: usize = 32;
/// Bytes of granule files in one window unless a config says otherwise.
const BYTES_PER_WINDOW: u64 = 4_000_000_000;
/// Memory for rows in flight unless a config says otherwise, and where there is as much.
pub const MEMORY: u64 = 2_000_000_000;
/// Less memory would spill row by row.
pub const LEAST_MEMORY: u64 = 256_000_000;
/// Fragments that an ingest joins by itself unless a config says otherwise.
const FRAGMENTS_WORTH: u64 = 16;
/// How long replaced fragments stay unless a config says otherwise: a day.
const KEEP_MS: u64 = 86_400_000;

/// Granules fetched at a time unless a config says otherwise.
const CONNECTIONS: u64 = 4;

/// A checked config. The SQL in it is not looked at here, since columns and types are known further up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the database is, if the config says so.
    pub database: Option<String>,
    /// The variables to store, in catalogue order, or `None` if the config does not speak of them.
    pub variables: Option<Vec<&'static Variable>>,
    /// Columns to compute, in the order of their names, or `None` if the config does not speak of them.
    pub derived: Option<Vec<Expression>>,
    /// The filters in their order, or `None` if the config does not speak of them.
    pub filters: Option<Vec<Rule>>,
    /// Segments of one data tile, if the config says so.
    pub capacity: Option<u64>,
    /// Which granules become visible together.
    pub window: Window,
    /// How many processors to use, if the config says so.
    pub threads: Option<usize>,
    /// Bytes of memory for rows in flight, if the config says so.
    pub memory: Option<usize>,
    /// How fragments are kept few, and when old ones go.
    pub consolidate: Consolidate,
    /// How granules of NASA's archive are fetched.
    pub download: Download,
}

/// Which granules become visible together: a window ends where the first of these is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// At most this many granules.
    pub granules: usize,
    /// At most about this many bytes of granule files.
    pub bytes: u64,
    /// The calendar span that no window crosses.
    pub span: Span,
}

/// How fragments are kept few, and when old ones go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consolidate {
    /// What it is for.
    pub policy: Policy,
    /// An ingest consolidates by itself when so many fragments are worth joining; 0 for never.
    pub fragments: usize,
    /// How long replaced fragments stay, in milliseconds.
    pub keep_ms: u64,
}

/// How granules of NASA's archive are fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// The folder they come into, if the config says so.
    pub folder: Option<String>,
    /// Whether they stay when they are in the database.
    pub keep: bool,
    /// How many come at a time.
    pub connections: usize,
}

/// What is wrong with a config, and where.
#[derive(Debug, thiserror::Error)]
#[error("{file}{}: {problem}", position(*.at))]
#[non_exhaustive]
pub struct ConfigError {
    /// The file, as the user named it.
    pub file: String,
    /// Line and column, both from 1, where the parser knows them.
    pub at: Option<(u64, u64)>,
    /// What is wrong, and what would be right.
    pub problem: String,
}

fn position(at: Option<(u64, u64)>) -> String {
    at.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default()
}

impl Config {
    /// Reads `text`, the content of the config called `file`.
    ///
    /// # Errors
    /// For YAML that cannot be read, keys that a config does not have, and values that cannot be meant.
    pub fn parse(file: &str, text: &str) -> Result<Config, ConfigError> {
        let document: Document = serde_yaml::from_str(text).map_err(|error| {
            let at = error.location().map(line_and_column);
            ConfigError { file: file.to_owned(), at, problem: problem(&error) }
        })?;
        let reader = Reader { file, text };
        if document.product.value != "ATL08" {
            let problem = format!("product {:?} is not known; ATL08 is", document.product.value);
            return Err(reader.wrong(document.product.referenced, problem));
        }
        let capacity = document.layout.and_then(|layout| layout.capacity);
        let (threads, memory) = document.resources.map_or((None, None), |given| (given.threads, given.memory));
        let threads = reader.whole("resources.threads", threads, 1..=u64::from(u16::MAX), "")?;
        let memory = reader.bytes("resources.memory", memory, LEAST_MEMORY)?;
        Ok(Config {
            database: document.database,
            variables: document.variables.map(|names| reader.variables(names)).transpose()?,
            derived: document.derived.map(|columns| reader.derived(columns)).transpose()?,
            filters: document.filters.map(|filters| reader.filters(filters)).transpose()?,
            capacity: reader.whole("layout.capacity", capacity, 100..=10_000_000, "; 10000 suits most uses")?,
            window: reader.window(document.window)?,
            threads: threads.map(size),
            memory: memory.map(size),
            consolidate: reader.consolidate(document.consolidate)?,
            download: reader.download(document.download)?,
        })
    }

    /// The config that is built in.
    ///
    /// # Errors
    /// Never, as a test checks.
    pub fn shipped() -> Result<Config, ConfigError> {
        Config::parse("the shipped config", SHIPPED)
    }
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn line_and_column(at: Location) -> (u64, u64) {
    (at.line(), at.column())
}

/// What turns parts of one file into parts of a config.
struct Reader<'a> {
    file: &'a str,
    text: &'a str,
}

impl Reader<'_> {
    fn wrong(&self, at: Location, problem: String) -> ConfigError {
        ConfigError { file: self.file.to_owned(), at: Some(line_and_column(at)), problem }
    }

    /// The whole number at `key`; `advice` ends what is told of one that is not in `range`.
    fn whole(
        &self,
        key: &str,
        number: Option<Spanned<Whole>>,
        range: RangeInclusive<u64>,
        advice: &str,
    ) -> Result<Option<u64>, ConfigError> {
        let Some(number) = number else { return Ok(None) };
        match number.value.0 {
            Some(value) if range.contains(&value) => Ok(Some(value)),
            _ => {
                let (least, most) = range.into_inner();
                let problem = format!("{key} must be a whole number from {least} to {most}{advice}");
                Err(self.wrong(number.referenced, problem))
            }
        }
    }

    fn bytes(&self, key: &str, text: Option<Spanned<Text>>, least: u64) -> Result<Option<u64>, ConfigError> {
        let Some(text) = text else { return Ok(None) };
        match bytes(&text.value.0) {
            Some(bytes) if bytes >= least => Ok(Some(bytes)),
            _ => {
                let problem = format!("{key} must be an amount of at least {} MB, such as 2GB", least / 1_000_000);
                Err(self.wrong(text.referenced, problem))
            }
        }
    }

    fn word<T>(
        &self,
        key: &str,
        text: Option<Spanned<Text>>,
        parse: fn(&str) -> Option<T>,
        words: &str,
    ) -> Result<Option<T>, ConfigError> {
        let Some(text) = text else { return Ok(None) };
        let parsed = parse(&text.value.0);
        parsed.map(Some).ok_or_else(|| self.wrong(text.referenced, format!("{key} must be {words}")))
    }

    fn window(&self, given: Option<document::Window>) -> Result<Window, ConfigError> {
        let (granules, bytes, span) =
            given.map_or((None, None, None), |given| (given.granules, given.bytes, given.span));
        let granules = self.whole("window.granules", granules, 1..=u64::from(u32::MAX), "")?;
        let span = self.word("window.span", span, Span::parse, "one of day, week, month, quarter")?;
        Ok(Window {
            granules: granules.map_or(GRANULES_PER_WINDOW, size),
            bytes: self.bytes("window.bytes", bytes, 1)?.unwrap_or(BYTES_PER_WINDOW),
            span: span.unwrap_or_default(),
        })
    }

    fn consolidate(&self, given: Option<document::Consolidate>) -> Result<Consolidate, ConfigError> {
        let (policy, fragments, keep) =
            given.map_or((None, None, None), |given| (given.policy, given.fragments, given.keep));
        let policy = self.word("consolidate.policy", policy, Policy::parse, "one of space, size, none")?;
        let fragments = self.whole("consolidate.fragments", fragments, 0..=u64::from(u32::MAX), "")?;
        let keep = self.word("consolidate.keep", keep, milliseconds, "a span of time such as 12h or 1d")?;
        Ok(Consolidate {
            policy: policy.unwrap_or_default(),
            fragments: size(fragments.unwrap_or(FRAGMENTS_WORTH)),
            keep_ms: keep.unwrap_or(KEEP_MS),
        })
    }

    fn download(&self, given: Option<document::Download>) -> Result<Download, ConfigError> {
        let (folder, keep, connections) =
            given.map_or((None, None, None), |given| (given.folder, given.keep, given.connections));
        let connections = self.whole("download.connections", connections, 1..=32, "; 4 suits NASA's archive")?;
        Ok(Download { folder, keep: keep.unwrap_or(false), connections: size(connections.unwrap_or(CONNECTIONS)) })
    }

    fn variables(&self, names: Spanned<Listed<String>>) -> Result<Vec<&'static Variable>, ConfigError> {
        let Listed::Items(names) = names.value else {
            return Err(self.wrong(names.referenced, "variables is a list: `- h_canopy`".to_owned()));
        };
        let mut wanted = Vec::new();
        for name in names {
            let Some(variable) = catalogue::named(&name.value) else {
                let near = near_told(&name.value, catalogue::variables().iter().map(|variable| variable.name));
                let problem = format!("ATL08 has no variable {:?}{near}", name.value);
                return Err(self.wrong(name.referenced, problem));
            };
            wanted.push(variable.name);
        }
        let wanted = |variable: &&Variable| wanted.contains(&variable.name);
        Ok(catalogue::variables().iter().filter(wanted).collect())
    }

    fn derived(
        &self,
        columns: impl IntoIterator<Item = (String, Spanned<String>)>,
    ) -> Result<Vec<Expression>, ConfigError> {
        let mut derived = Vec::new();
        for (name, sql) in columns {
            self.check_name("derived column", &name, &sql)?;
            if columns::is_of_the_product(&name) {
                let problem = format!("{name} is a column of the product; give the derived column another name");
                return Err(self.wrong(sql.referenced, problem));
            }
            derived.push(self.expression(name, sql));
        }
        Ok(derived)
    }

    fn filters(&self, filters: Spanned<Listed<Filter>>) -> Result<Vec<Rule>, ConfigError> {
        let items = match filters.value {
            Listed::Items(items) => items,
            Listed::Word(word) if word == NONE => Vec::new(),
            _ => {
                let problem = "filters is a list: `- strong`, `- tall: h_canopy > 5`; or the word none";
                return Err(self.wrong(filters.referenced, problem.to_owned()));
            }
        };
        let mut rules: Vec<Rule> = Vec::new();
        for item in items {
            let at = item.referenced;
            let told = |FilterError(problem)| self.wrong(at, problem);
            let chosen = match item.value {
                Filter::Preset(name) if name == NONE => Vec::new(),
                Filter::Preset(call) => preset_rules(&call).map_err(told)?,
                Filter::Own(own) => {
                    let mut chosen = Vec::new();
                    for (name, sql) in own {
                        self.check_name("filter", &name, &sql)?;
                        if name == NONE || presets().iter().any(|preset| preset.name == name) {
                            let problem = format!("{name} is a word of isdb's own; give the filter another name");
                            return Err(self.wrong(sql.referenced, problem));
                        }
                        let releases = Releases { first: 0, last: None };
                        chosen.push(Rule { predicate: self.expression(name, sql), releases });
                    }
                    chosen
                }
            };
            append(&mut rules, chosen).map_err(told)?;
        }
        Ok(rules)
    }

    /// A name that SQL takes without quotes, and a report without trouble.
    fn check_name(&self, what: &str, name: &str, sql: &Spanned<String>) -> Result<(), ConfigError> {
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        if begins && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
            return Ok(());
        }
        let problem = format!("the {what} {name:?} needs a name of lower-case letters, digits and underscores");
        Err(self.wrong(sql.referenced, problem))
    }

    fn expression(&self, name: String, sql: Spanned<String>) -> Expression {
        let text = sql.value.trim().to_owned();
        let place = Place::find(self.file, self.text, line_and_column(sql.defined), &text);
        Expression { name, sql: text, place }
    }
}
