//! The config file (`config/atl08.yml`): what to ingest and how. Parsed and checked once; every error says line and column.

use serde::Deserialize;
use serde_yaml::Spanned;

use crate::catalogue::{self, Variable};
use crate::suggest;

/// The shipped config, as `isdb` carries it.
pub const SHIPPED: &str = include_str!("../../../config/atl08.yml");

/// A checked config.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the database is, if the config says so.
    pub database: Option<String>,
    /// The variables to store, in catalogue order.
    pub variables: Vec<&'static Variable>,
    /// At most this many granules become visible in one commit.
    pub granules_per_window: usize,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    database: Option<String>,
    product: Spanned<String>,
    variables: Option<Vec<Spanned<String>>>,
    window: Window,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Window {
    granules: Spanned<u32>,
}

impl Config {
    /// Reads `text`, the content of the config called `file`.
    pub fn parse(file: &str, text: &str) -> Result<Config, ConfigError> {
        let document: Document = serde_yaml::from_str(text).map_err(|error| {
            let error = error.without_snippet();
            let at = error.location().map(|at| (at.line(), at.column()));
            ConfigError { file: file.to_owned(), at, problem: error.to_string() }
        })?;
        let wrong = |at: serde_yaml::Location, problem: String| ConfigError {
            file: file.to_owned(),
            at: Some((at.line(), at.column())),
            problem,
        };
        if document.product.value != "ATL08" {
            let problem = format!("product {:?} is not known; ATL08 is", document.product.value);
            return Err(wrong(document.product.referenced, problem));
        }
        if document.window.granules.value == 0 {
            return Err(wrong(document.window.granules.referenced, "window.granules must be 1 or more".to_owned()));
        }
        let variables = match &document.variables {
            None => catalogue::variables().iter().collect(),
            Some(names) => {
                for name in names {
                    if catalogue::variable(&name.value).is_none() {
                        let problem = format!("ATL08 has no variable {:?}{}", name.value, near(&name.value));
                        return Err(wrong(name.referenced, problem));
                    }
                }
                let wanted = |variable: &&Variable| names.iter().any(|name| name.value == variable.name);
                catalogue::variables().iter().filter(wanted).collect()
            }
        };
        Ok(Config {
            database: document.database,
            variables,
            granules_per_window: document.window.granules.value as usize,
        })
    }

    /// The config that is built in.
    pub fn shipped() -> Result<Config, ConfigError> {
        Config::parse("the shipped config", SHIPPED)
    }
}

/// The names of the catalogue near to what was typed, as the end of a sentence.
fn near(typed: &str) -> String {
    let close = suggest::near(typed, catalogue::variables().iter().map(|variable| variable.name));
    if close.is_empty() { String::new() } else { format!("; near it: {}", close.join(", ")) }
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
}
