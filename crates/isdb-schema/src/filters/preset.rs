//! A preset, parsed from its file in `sql/filters/`: comments that describe it, then one predicate, or several
//! predicates after a `-- rule: name` each.

use super::error::FilterError;
use super::rule::Rule;
use crate::catalogue::Releases;
use crate::expression::{Expression, SourceLocation};

/// A shipped filter.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// Its name, which is the name of its file.
    pub name: &'static str,
    /// Which segments stay, and why.
    pub about: String,
    /// The releases whose granules have the columns of its rules.
    pub releases: Releases,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// The content of its file.
    pub text: &'static str,
    rules: Vec<(String, String)>,
}

/// A number in a preset, written `$name` in its SQL.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its default value.
    pub default: String,
    /// A description.
    pub about: String,
}

impl Preset {
    /// Parses `text`, the file of the preset `name`.
    pub(super) fn parse(name: &'static str, text: &'static str) -> Preset {
        let mut preset = Preset {
            name,
            about: String::new(),
            releases: Releases::ALL,
            parameters: Vec::new(),
            text,
            rules: vec![(name.to_owned(), String::new())],
        };
        for line in text.lines() {
            match line.strip_prefix("--").map(str::trim) {
                None => preset.add_sql(line),
                Some(comment) => preset.add_comment(comment),
            }
        }
        preset.rules.retain(|(_, sql)| !sql.is_empty());
        preset
    }

    fn add_sql(&mut self, line: &str) {
        if let Some((_, sql)) = self.rules.last_mut().filter(|_| !line.trim().is_empty()) {
            if !sql.is_empty() {
                sql.push('\n');
            }
            sql.push_str(line);
        }
    }

    fn add_comment(&mut self, comment: &str) {
        match comment.split_once(": ") {
            Some(("releases", releases)) => {
                let numbers = releases.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<u16>>();
                let first = numbers.first().copied().unwrap_or(0);
                let last = (!releases.starts_with("since")).then(|| numbers.last().copied()).flatten();
                self.releases = Releases { first, last };
            }
            Some(("parameter", parameter)) => {
                let (name, rest) = parameter.split_once('=').unwrap_or((parameter, ""));
                let (default, about) = rest.split_once(',').unwrap_or((rest, ""));
                let [name, default, about] = [name, default, about].map(|part| part.trim().to_owned());
                self.parameters.push(Parameter { name, default, about });
            }
            Some(("rule", rule)) => self.rules.push((format!("{}.{rule}", self.name), String::new())),
            _ => {
                if !self.about.is_empty() {
                    self.about.push(' ');
                }
                self.about.push_str(comment);
            }
        }
    }

    /// The rules with the parameters set by `arguments` (`terrain=60, canopy=70`).
    pub(super) fn rules(&self, arguments: &str) -> Result<Vec<Rule>, FilterError> {
        let values = self.values(arguments)?;
        let rule = |(name, sql): &(String, String)| {
            let location = SourceLocation::named(&format!("sql/filters/{}.sql", self.name));
            let sql = substitute(sql, &values);
            Rule { predicate: Expression { name: name.clone(), sql, location }, releases: self.releases }
        };
        Ok(self.rules.iter().map(rule).collect())
    }

    /// The file with the parameters set by `arguments`.
    pub(super) fn text(&self, arguments: &str) -> Result<String, FilterError> {
        Ok(substitute(self.text, &self.values(arguments)?))
    }

    /// The names and values of the parameters: those in `arguments`, otherwise the defaults.
    fn values<'a>(&'a self, arguments: &'a str) -> Result<Vec<(&'a str, &'a str)>, FilterError> {
        let mut values: Vec<(&str, &str)> =
            self.parameters.iter().map(|parameter| (parameter.name.as_str(), parameter.default.as_str())).collect();
        for argument in arguments.split(',').map(str::trim).filter(|argument| !argument.is_empty()) {
            let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
            let Some(parameter) = values.iter_mut().find(|(known, _)| *known == name.trim()) else {
                return Err(FilterError(format!(
                    "the filter {} has no parameter {:?}{}",
                    self.name,
                    name.trim(),
                    self.parameter_names()
                )));
            };
            // Nothing but a number may get into the SQL.
            match value.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => parameter.1 = value.trim(),
                _ => {
                    let problem =
                        format!("expected a number for {}({}), found {:?}", self.name, name.trim(), value.trim());
                    return Err(FilterError(problem));
                }
            }
        }
        Ok(values)
    }

    fn parameter_names(&self) -> String {
        match self.parameters.as_slice() {
            [] => "; it has none".to_owned(),
            parameters => {
                let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
                format!("; it has {}", names.join(", "))
            }
        }
    }
}

/// `text` with each `$name` replaced by its value.
fn substitute(text: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${name}"), value))
}
