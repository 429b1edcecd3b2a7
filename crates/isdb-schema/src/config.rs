//! The config file (`config/atl08.yml`): what to ingest and how. Parsed and checked once; every error says line and column.

use std::collections::BTreeSet;

use serde_yaml::{Location, Spanned};

use crate::catalogue::{self, Releases, Variable};
use crate::columns;
use crate::expression::{Expression, Place};
use crate::filters::{FilterError, NONE, Rule, preset_rules};
use crate::suggest::near;

mod document;

pub use document::json_schema;

use document::{Document, Filter};

/// The shipped config, as `isdb` carries it.
pub const SHIPPED: &str = include_str!("../../../config/atl08.yml");

/// Granules of one window unless a config says otherwise.
const GRANULES_PER_WINDOW: usize = 32;

/// A checked config. The SQL in it is not looked at here, since columns and types are known further up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the database is, if the config says so.
    pub database: Option<String>,
    /// The variables to store, in catalogue order.
    pub variables: Vec<&'static Variable>,
    /// Columns to compute, in the order of their names.
    pub derived: Vec<Expression>,
    /// The filters in their order, or `None` if the config does not speak of them.
    pub filters: Option<Vec<Rule>>,
    /// Segments of one data tile, if the config says so.
    pub capacity: Option<u64>,
    /// At most this many granules become visible in one commit.
    pub granules_per_window: usize,
    /// How many processors to use, if the config says so.
    pub threads: Option<usize>,
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
            let error = error.without_snippet();
            let at = error.location().map(line_and_column);
            ConfigError { file: file.to_owned(), at, problem: error.to_string() }
        })?;
        let reader = Reader { file, text };
        if document.product.value != "ATL08" {
            let problem = format!("product {:?} is not known; ATL08 is", document.product.value);
            return Err(reader.wrong(document.product.referenced, problem));
        }
        let window = document.window.and_then(|window| window.granules);
        if let Some(zero) = window.as_ref().filter(|granules| granules.value == 0) {
            return Err(reader.wrong(zero.referenced, "window.granules must be 1 or more".to_owned()));
        }
        let threads = document.resources.and_then(|resources| resources.threads);
        if let Some(zero) = threads.as_ref().filter(|threads| threads.value == 0) {
            return Err(reader.wrong(zero.referenced, "resources.threads must be 1 or more".to_owned()));
        }
        let capacity = document.layout.and_then(|layout| layout.capacity);
        if let Some(odd) = capacity.as_ref().filter(|capacity| !(100..=10_000_000).contains(&capacity.value)) {
            let problem = "layout.capacity must be from 100 to 10000000 segments; 10000 suits most uses";
            return Err(reader.wrong(odd.referenced, problem.to_owned()));
        }
        let variables = match &document.variables {
            None => catalogue::variables().iter().collect(),
            Some(names) => reader.variables(names)?,
        };
        let derived = reader.derived(document.derived.unwrap_or_default())?;
        let filters = document.filters.map(|filters| reader.filters(filters)).transpose()?;
        Ok(Config {
            database: document.database,
            variables,
            derived,
            filters,
            capacity: capacity.map(|capacity| capacity.value),
            granules_per_window: window.map_or(GRANULES_PER_WINDOW, |granules| granules.value as usize),
            threads: threads.map(|threads| usize::from(threads.value)),
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

    fn variables(&self, names: &[Spanned<String>]) -> Result<Vec<&'static Variable>, ConfigError> {
        for name in names.iter().filter(|name| catalogue::variable(&name.value).is_none()) {
            let near = near(&name.value, catalogue::variables().iter().map(|variable| variable.name));
            let near = if near.is_empty() { String::new() } else { format!("; near it: {}", near.join(", ")) };
            let problem = format!("ATL08 has no variable {:?}{near}", name.value);
            return Err(self.wrong(name.referenced, problem));
        }
        let wanted = |variable: &&Variable| names.iter().any(|name| name.value == variable.name);
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

    fn filters(&self, items: Vec<Spanned<Filter>>) -> Result<Vec<Rule>, ConfigError> {
        let mut rules: Vec<Rule> = Vec::new();
        for item in items {
            let at = item.referenced;
            let chosen = match item.value {
                Filter::Preset(name) if name == NONE => Vec::new(),
                Filter::Preset(call) => preset_rules(&call).map_err(|FilterError(problem)| self.wrong(at, problem))?,
                Filter::Own(own) => {
                    let mut chosen = Vec::new();
                    for (name, sql) in own {
                        self.check_name("filter", &name, &sql)?;
                        let releases = Releases { first: 0, last: None };
                        chosen.push(Rule { predicate: self.expression(name, sql), releases });
                    }
                    chosen
                }
            };
            rules.extend(chosen);
        }
        let mut names = BTreeSet::new();
        match rules.iter().find(|rule| !names.insert(rule.predicate.name.as_str())) {
            None => Ok(rules),
            Some(twice) => Err(ConfigError {
                file: self.file.to_owned(),
                at: None,
                problem: format!("there are two filters {:?}; each needs a name of its own", twice.predicate.name),
            }),
        }
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
        let place = Place::find(self.file, self.text, line_and_column(sql.referenced), &text);
        Expression { name, sql: text, place }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_config_is_right_and_takes_every_variable() {
        let config = Config::shipped().unwrap();
        assert_eq!(config.variables.len(), catalogue::variables().len());
        assert_eq!(config.database, None);
    }

    #[test]
    fn a_misspelt_variable_is_told_with_its_line_and_what_is_near() {
        let text = "product: ATL08\nvariables:\n  - h_canopy\n  - canopy_h\nwindow:\n  granules: 4\n";
        let error = Config::parse("mine.yml", text).unwrap_err();
        assert_eq!(error.at, Some((4, 5)));
        assert!(error.to_string().starts_with("mine.yml:4:5: ATL08 has no variable \"canopy_h\""), "{error}");
        assert!(error.to_string().contains("canopy_h_metrics"), "{error}");
    }

    #[test]
    fn an_unknown_key_is_an_error_and_not_ignored() {
        let error = Config::parse("mine.yml", "product: ATL08\nwindow:\n  granules: 4\n  days: 3\n").unwrap_err();
        assert_eq!(error.at.map(|at| at.0), Some(4), "{error}");
        assert!(error.to_string().contains("days"), "{error}");
    }

    #[test]
    fn a_subset_of_variables_keeps_the_catalogue_s_order() {
        let text = "product: ATL08\nvariables: [h_te_best_fit, h_canopy]\nwindow: {granules: 1}\n";
        let names: Vec<_> = Config::parse("mine.yml", text).unwrap().variables.iter().map(|v| v.name).collect();
        assert_eq!(names, ["h_canopy", "h_te_best_fit"]);
    }

    #[test]
    fn filters_are_presets_and_own_rules_in_the_order_written() {
        let text = "product: ATL08\nfilters:\n  - strong\n  - tall: h_canopy > 5\n  - quality_007(terrain=70)\n";
        let rules = Config::parse("mine.yml", text).unwrap().filters.unwrap();
        let names: Vec<_> = rules.iter().map(|rule| rule.predicate.name.as_str()).collect();
        assert_eq!(names, ["strong", "tall", "quality_007.terrain", "quality_007.canopy"]);
        assert_eq!(rules[1].predicate.place.locate(1, 1), "mine.yml:4:11");
        assert!(rules[1].releases.contains(4));
        assert_eq!(rules[2].predicate.sql, "te_quality_score >= 70");
    }

    #[test]
    fn a_wrong_filter_is_told_with_its_line() {
        for (item, problem) in [
            ("nigth", "near it: night"),
            ("quality_007(te=1)", "it has terrain, canopy"),
            ("{Tall: h_canopy > 5}", "lower-case"),
            ("[1]", "name of a preset"),
        ] {
            let text = format!("product: ATL08\nfilters:\n  - strong\n  - {item}\n");
            let error = Config::parse("mine.yml", &text).unwrap_err();
            assert_eq!(error.at.map(|at| at.0), Some(4), "{error}");
            assert!(error.to_string().contains(problem), "{error}");
        }
        let twice = Config::parse("mine.yml", "product: ATL08\nfilters: [strong, strong]\n").unwrap_err();
        assert!(twice.to_string().contains("two filters \"strong\""), "{twice}");
    }

    #[test]
    fn a_derived_column_cannot_take_the_place_of_the_product_s() {
        let derived = |line: &str| Config::parse("mine.yml", &format!("product: ATL08\nderived:\n  {line}\n"));
        let config = derived("above_dem: h_te_best_fit - dem_h").unwrap();
        assert_eq!(
            (config.derived[0].name.as_str(), config.derived[0].sql.as_str()),
            ("above_dem", "h_te_best_fit - dem_h")
        );
        for name in ["h_canopy", "time", "ingest_id", "granule"] {
            let error = derived(&format!("{name}: 1")).unwrap_err();
            assert!(error.to_string().contains("column of the product"), "{error}");
        }
    }

    #[test]
    fn numbers_that_cannot_be_meant_are_told_with_what_can() {
        for part in ["window: {granules: 0}", "layout: {capacity: 5}", "resources: {threads: 0}"] {
            let error = Config::parse("mine.yml", &format!("product: ATL08\n{part}\n")).unwrap_err();
            assert_eq!(error.at.map(|at| at.0), Some(2), "{error}");
        }
    }

    #[test]
    fn the_json_schema_in_config_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/atl08.schema.json");
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(written, json_schema(), "write it again: isdb config schema > config/atl08.schema.json");
    }
}
