//! Rules: the predicates of filters, and their stored form.

use serde::{Deserialize, Serialize};

use super::error::FilterError;
use crate::catalogue::Releases;
use crate::expression::{Expression, SourceLocation};

/// The word for no filter.
pub const NONE: &str = "none";

/// One predicate. A segment stays if it is TRUE; FALSE and NULL remove the segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Name (`night`, or `boreal.strong` for a rule of a preset with several), SQL and location of the SQL.
    pub predicate: Expression,
    /// The releases whose granules have the columns of the predicate.
    pub releases: Releases,
}

/// A rule as a database stores it.
#[derive(Serialize, Deserialize)]
struct StoredRule {
    name: String,
    sql: String,
    first_release: u16,
    last_release: Option<u16>,
}

/// The rules as a database stores them, in JSON.
#[must_use]
pub fn to_json(rules: &[Rule]) -> String {
    let stored = rules.iter().map(|rule| StoredRule {
        name: rule.predicate.name.clone(),
        sql: rule.predicate.sql.clone(),
        first_release: rule.releases.first,
        last_release: rule.releases.last,
    });
    // Strings and numbers always have a JSON form.
    serde_json::to_string(&stored.collect::<Vec<_>>()).unwrap_or_default()
}

/// The rules written by [`to_json`]; `None` for any other text.
#[must_use]
pub fn from_json(text: &str) -> Option<Vec<Rule>> {
    let stored: Vec<StoredRule> = serde_json::from_str(text).ok()?;
    let rule = |stored: StoredRule| {
        let location = SourceLocation::named("the database's filters");
        let releases = Releases { first: stored.first_release, last: stored.last_release };
        Rule { predicate: Expression { name: stored.name, sql: stored.sql, location }, releases }
    };
    Some(stored.into_iter().map(rule).collect())
}

/// Whether two lists have the same rules in the same order, regardless of where they were written.
#[must_use]
pub fn same_rules(a: &[Rule], b: &[Rule]) -> bool {
    let meaning = |rule: &Rule| (rule.predicate.name.clone(), rule.predicate.sql.clone());
    a.iter().map(meaning).eq(b.iter().map(meaning))
}

/// The names of `rules` for messages: `strong, night`, or `none`.
#[must_use]
pub fn describe(rules: &[Rule]) -> String {
    match rules {
        [] => NONE.to_owned(),
        rules => rules.iter().map(|rule| rule.predicate.name.as_str()).collect::<Vec<_>>().join(", "),
    }
}

/// Appends `more` to `rules`.
///
/// # Errors
/// For a name that `rules` already have: removed segments are counted by the name of the rule.
pub(crate) fn append(rules: &mut Vec<Rule>, more: Vec<Rule>) -> Result<(), FilterError> {
    for rule in more {
        let name = &rule.predicate.name;
        if rules.iter().any(|other| other.predicate.name == *name) {
            return Err(FilterError(format!("the filter {name} is listed twice")));
        }
        rules.push(rule);
    }
    Ok(())
}
