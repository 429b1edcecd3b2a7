//! Quality filters of the view `atl08`, and whether they can be applied to the granules of the database. A filter on a variable
//! that a granule does not have would silently remove all of its segments.

use arrow::array::{Array as _, AsArray, LargeStringArray};
use datafusion::dataframe::DataFrame;
use datafusion::prelude::SessionContext;
use isdb_schema::catalogue::{Variable, variables};
use isdb_schema::filters::Rule;
use isdb_schema::segments::LEADING_VARIABLES;

use crate::error::{Error, Result};
use crate::expression::ExpressionBinder;

/// Returns the rows of `view` that pass all of `rules`, and warnings about filters that need a variable which some granules of
/// the ledger in `context` do not have.
///
/// # Errors
/// [`Error::Expression`] for a filter on a column that the database does not store, [`Error::Release`] when a granule is of a
/// release that a filter is not defined for, [`Error::MissingVariable`] when no granule has the variable that a filter needs.
pub(super) async fn apply_filters(
    context: &SessionContext,
    view: DataFrame,
    rules: &[Rule],
) -> Result<(DataFrame, Vec<String>)> {
    if rules.is_empty() {
        return Ok((view, Vec::new()));
    }
    let binder = ExpressionBinder::for_table(view.schema().as_arrow())?;
    let mut rows = view;
    let mut used_columns = Vec::with_capacity(rules.len());
    for rule in rules {
        let bound = binder.bind_predicate(&rule.predicate)?;
        used_columns.push((rule.predicate.name.as_str(), bound.columns));
        rows = rows.filter(bound.expr)?;
    }
    let granules = ingested_granules(context).await?;
    for granule in &granules {
        check_releases(rules, granule.release.as_deref(), "a granule of the database")?;
    }
    let mut warnings = Vec::new();
    for (filter, columns) in used_columns {
        for variable in columns.iter().filter_map(|column| variable_of_column(column)) {
            let lacking = granules.iter().filter(|granule| !granule.has(variable)).count();
            if lacking > 0 && lacking == granules.len() {
                return Err(Error::MissingVariable { filter: filter.to_owned(), variable: variable.name });
            }
            if lacking > 0 {
                let (all, name) = (granules.len(), variable.name);
                warnings.push(format!("{filter} removes {lacking} of {all} granules, which do not have {name}"));
            }
        }
    }
    Ok((rows, warnings))
}

/// Release and variables of a granule, from the ledger.
struct IngestedGranule {
    release: Option<String>,
    variables: String,
    missing: String,
}

impl IngestedGranule {
    /// Whether the granule has values of `variable`.
    fn has(&self, variable: &Variable) -> bool {
        let is_in = |list: &str| list.split(' ').any(|name| name == variable.name);
        let release = self.release.as_deref().and_then(|release| release.parse().ok());
        let is_of_release = release.is_none_or(|release| variable.releases.contains(release));
        let was_selected = LEADING_VARIABLES.contains(&variable.name) || is_in(&self.variables);
        is_of_release && was_selected && !is_in(&self.missing)
    }
}

async fn ingested_granules(context: &SessionContext) -> Result<Vec<IngestedGranule>> {
    let sql = "SELECT release, variables, missing_variables FROM granules_current WHERE state = 'ingested'";
    let mut granules = Vec::new();
    for batch in context.sql(sql).await?.collect().await? {
        let [release, variables, missing] = [0, 1, 2].map(|index| batch.column(index).as_string::<i64>());
        let text = |column: &LargeStringArray, row| column.is_valid(row).then(|| column.value(row).to_owned());
        granules.extend((0..batch.num_rows()).map(|row| IngestedGranule {
            release: text(release, row),
            variables: text(variables, row).unwrap_or_default(),
            missing: text(missing, row).unwrap_or_default(),
        }));
    }
    Ok(granules)
}

/// Finds the variable of a column of the view, by its own or its plain name.
fn variable_of_column(column: &str) -> Option<&'static Variable> {
    variables().iter().find(|variable| variable.name == column || variable.plain == Some(column))
}

/// Checks that every rule is defined for `release` (`007`), the release of `what`: a granule, or the database.
///
/// # Errors
/// [`Error::Release`], also when the release is unknown and a rule is not defined for all releases.
pub fn check_releases(rules: &[Rule], release: Option<&str>, what: &str) -> Result<()> {
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
