//! The view `atl08` through quality filters, and whether these fit what the database holds: a filter that a granule cannot
//! answer must not look like an answer.

use arrow::array::{Array as _, AsArray, LargeStringArray};
use datafusion::dataframe::DataFrame;
use datafusion::prelude::SessionContext;
use isdb_schema::catalogue::{Variable, variables};
use isdb_schema::filters::Rule;
use isdb_schema::segments::LEADING_VARIABLES;

use crate::error::{Error, Result};
use crate::expression::Scope;

/// The rows of `view` that meet all of `rules`, and for people, which filters some granules of the ledger in `context` cannot
/// answer.
///
/// # Errors
/// [`Error::Expression`] for a filter that looks at what the database does not store, [`Error::Release`] when a granule in
/// the database is of a release that a filter has no meaning for, [`Error::Lacking`] when no granule has what a filter needs.
pub(crate) async fn filtered(
    context: &SessionContext,
    view: DataFrame,
    rules: &[Rule],
) -> Result<(DataFrame, Vec<String>)> {
    if rules.is_empty() {
        return Ok((view, Vec::new()));
    }
    let scope = Scope::of_table(view.schema().as_arrow())?;
    let mut shown = view;
    let mut looked_at = Vec::with_capacity(rules.len());
    for rule in rules {
        let bound = scope.predicate(&rule.predicate)?;
        looked_at.push((rule.predicate.name.as_str(), bound.columns));
        shown = shown.filter(bound.expr)?;
    }
    let granules = ingested(context).await?;
    for granule in &granules {
        releases_fit(rules, granule.release.as_deref(), "a granule of the database")?;
    }
    let mut notes = Vec::new();
    for (filter, columns) in looked_at {
        for variable in columns.iter().filter_map(|column| of_column(column)) {
            let lacking = granules.iter().filter(|granule| !granule.has(variable)).count();
            if lacking > 0 && lacking == granules.len() {
                return Err(Error::Lacking { filter: filter.to_owned(), variable: variable.name });
            }
            if lacking > 0 {
                let of = granules.len();
                notes.push(format!("{filter} removes {lacking} of {of} granules, which do not have {}", variable.name));
            }
        }
    }
    Ok((shown, notes))
}

/// What the ledger tells of a granule's columns.
struct Ingested {
    release: Option<String>,
    variables: String,
    missing: String,
}

impl Ingested {
    /// Whether the granule brought values of `variable`.
    fn has(&self, variable: &Variable) -> bool {
        let is_in = |list: &str| list.split(' ').any(|name| name == variable.name);
        let release = self.release.as_deref().and_then(|release| release.parse().ok());
        let is_of_release = release.is_none_or(|release| variable.releases.contains(release));
        let was_asked = LEADING_VARIABLES.contains(&variable.name) || is_in(&self.variables);
        is_of_release && was_asked && !is_in(&self.missing)
    }
}

async fn ingested(context: &SessionContext) -> Result<Vec<Ingested>> {
    let sql = "SELECT release, variables, missing_variables FROM granules_current WHERE state = 'ingested'";
    let mut granules = Vec::new();
    for batch in context.sql(sql).await?.collect().await? {
        let [release, variables, missing] = [0, 1, 2].map(|index| batch.column(index).as_string::<i64>());
        let text = |of: &LargeStringArray, row| of.is_valid(row).then(|| of.value(row).to_owned());
        granules.extend((0..batch.num_rows()).map(|row| Ingested {
            release: text(release, row),
            variables: text(variables, row).unwrap_or_default(),
            missing: text(missing, row).unwrap_or_default(),
        }));
    }
    Ok(granules)
}

/// The variable that a column of the view shows, by its own or its plain name.
fn of_column(column: &str) -> Option<&'static Variable> {
    variables().iter().find(|variable| variable.name == column || variable.plain == Some(column))
}

/// Whether every rule can be applied to `what`, which is of `release` (`007`).
///
/// # Errors
/// [`Error::Release`], also when the release is not known and the rule is not for all of them.
pub fn releases_fit(rules: &[Rule], release: Option<&str>, what: &str) -> Result<()> {
    let number = release.and_then(|release| release.parse::<u16>().ok());
    let fits = |rule: &&Rule| match number {
        Some(number) => rule.releases.contains(number),
        None => rule.releases.is_all(),
    };
    match rules.iter().find(|rule| !fits(rule)) {
        None => Ok(()),
        Some(rule) => Err(Error::Release {
            filter: rule.predicate.name.clone(),
            valid: rule.releases.to_string(),
            what: what.to_owned(),
            release: release.map_or_else(|| "an unknown release".to_owned(), |release| format!("release {release}")),
        }),
    }
}
