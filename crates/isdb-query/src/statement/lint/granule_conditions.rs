//! Warns about conditions that no granule of the database meets: another track, another release, a code of another release.
//! Reads the ledger only.

use std::collections::BTreeMap;

use arrow::array::AsArray;
use arrow::datatypes::DataType;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator};
use datafusion::prelude::SessionContext;
use isdb_schema::catalogue::Releases;
use isdb_schema::codes::Codes;

use super::codes::column_codes;
use super::column_origin::reads_segments;
use super::columns::Columns;
use super::comparison::comparisons;
use super::constant::{as_integer, constant};
use super::warning::Warning;
use crate::error::Result;
use crate::sql_text::{sql_literal, sql_text};

/// Columns of the ledger that the segments of a granule have too.
const GRANULE_COLUMNS: [&str; 6] = ["granule", "rgt", "cycle", "region", "release", "revision"];
/// Maximum number of values that a warning lists; of a longer list it names only the first and the last.
const MAX_LISTED: usize = 6;

/// A condition on a column of the ledger. A statement finds no segment if no granule meets it.
pub(super) struct GranuleCondition {
    /// The column as the statement names it; for a code, the whole condition.
    name: String,
    /// The column of the ledger.
    column: &'static str,
    expected: ExpectedValues,
}

/// Values of the column that meet a condition.
enum ExpectedValues {
    /// Any of these values, as text and as SQL literal.
    Values(Vec<(String, String)>),
    /// Any of these releases: no other release has the code.
    Releases(Vec<Releases>),
}

/// Returns the conditions that the filter `node` places on the granules of all its segments; none for other nodes.
pub(super) fn granule_conditions(node: &LogicalPlan, columns: &Columns<'_>) -> Vec<GranuleCondition> {
    let LogicalPlan::Filter(filter) = node else { return Vec::new() };
    let found: Vec<GranuleCondition> =
        split_conjunction(&filter.predicate).into_iter().filter_map(|part| granule_condition(part, columns)).collect();
    if found.is_empty() || !reads_segments(&filter.input) { Vec::new() } else { found }
}

fn granule_condition(part: &Expr, columns: &Columns<'_>) -> Option<GranuleCondition> {
    let comparison = comparisons(part).into_iter().next().filter(|comparison| comparison.op == Operator::Eq)?;
    let is_all = match part {
        Expr::InList(list) => list.list.len() == comparison.constants.len(),
        Expr::BinaryExpr(_) => true,
        _ => false,
    };
    let column = comparison.column().filter(|_| is_all)?;
    let origin = (columns.origin)(column)?;
    let constants: Vec<_> = comparison.constants.iter().filter_map(|value| constant(value)).collect();
    if let Some(ledger) = GRANULE_COLUMNS.iter().find(|name| **name == origin.column) {
        let value = |value: &_| {
            let plain = as_integer(value).map(|number| number.to_string());
            let text = value.try_as_str().flatten().map(str::to_owned);
            (text.or(plain).unwrap_or_default(), sql_literal(value))
        };
        let values = constants.iter().map(value).collect();
        return Some(GranuleCondition {
            name: column.name.clone(),
            column: ledger,
            expected: ExpectedValues::Values(values),
        });
    }
    let Codes::Numbers(codes) = column_codes(&origin)? else { return None };
    let numbers: Vec<i64> = constants.iter().filter_map(as_integer).collect();
    let used = codes.iter().filter(|code| numbers.contains(&code.value));
    let releases: Vec<Releases> = used.map(|code| code.releases).collect();
    let is_everywhere = releases.is_empty() || releases.iter().any(|releases| releases.is_all());
    (!is_everywhere).then(|| GranuleCondition {
        name: sql_text(part),
        column: "release",
        expected: ExpectedValues::Releases(releases),
    })
}

/// Returns a warning for each of the `conditions` that no granule in the ledger meets.
pub(super) async fn check(context: &SessionContext, conditions: &[GranuleCondition]) -> Result<Vec<Warning>> {
    let mut known: BTreeMap<&str, Option<Vec<String>>> = BTreeMap::new();
    let mut found = Vec::new();
    for condition in conditions {
        if !known.contains_key(condition.column) {
            known.insert(condition.column, ledger_values(context, condition.column).await?);
        }
        let Some(Some(stored)) = known.get(condition.column) else { continue };
        if !stored.is_empty() && !stored.iter().any(|value| condition.is_met_by(value)) {
            found.push(condition.warning(stored));
        }
    }
    Ok(found)
}

impl GranuleCondition {
    /// Whether a granule with `value` in the column meets the condition, or may meet it.
    fn is_met_by(&self, value: &str) -> bool {
        match &self.expected {
            // `padded_numbers` warns about '7' for '007'.
            ExpectedValues::Values(values) => values.iter().any(|(expected, _)| {
                expected == value || (["release", "revision"].contains(&self.column) && expected.len() != value.len())
            }),
            ExpectedValues::Releases(releases) => {
                value.parse().map_or(true, |number| releases.iter().any(|releases| releases.contains(number)))
            }
        }
    }

    fn warning(&self, stored: &[String]) -> Warning {
        let stored = list(stored.iter().map(String::as_str));
        match &self.expected {
            ExpectedValues::Values(values) => Warning {
                text: format!(
                    "no granule in this database has {} {}",
                    self.name,
                    list(values.iter().map(|(_, literal)| literal.as_str()))
                ),
                hint: format!("it has {stored}"),
            },
            ExpectedValues::Releases(releases) => {
                let releases: Vec<String> = releases.iter().map(Releases::to_string).collect();
                Warning {
                    text: format!("{} finds nothing: that is a code of release {}", self.name, releases.join(", ")),
                    hint: format!(
                        "this database has release {stored}; `isdb variables` lists the codes of each release"
                    ),
                }
            }
        }
    }
}

fn list<'a>(values: impl Iterator<Item = &'a str>) -> String {
    let values: Vec<&str> = values.collect();
    match values.as_slice() {
        [first, .., last] if values.len() > MAX_LISTED => format!("{} values from {first} to {last}", values.len()),
        _ => values.join(", "),
    }
}

/// Returns the distinct values of a ledger column in the ingested granules, in ascending order. None if the column is NULL for a
/// granule, or without a ledger.
async fn ledger_values(context: &SessionContext, column: &str) -> Result<Option<Vec<String>>> {
    if !context.table_exist("granules_current")? {
        return Ok(None);
    }
    let sql = format!(
        "SELECT DISTINCT {column} FROM granules_current WHERE state = 'ingested' ORDER BY {column} NULLS FIRST"
    );
    let mut values = Vec::new();
    for batch in context.sql(&sql).await?.collect().await? {
        let texts = arrow::compute::cast(batch.column(0), &DataType::Utf8).map_err(DataFusionError::from)?;
        let texts = texts.as_string::<i32>();
        for text in texts {
            let Some(text) = text else { return Ok(None) };
            values.push(text.to_owned());
        }
    }
    Ok(Some(values))
}
