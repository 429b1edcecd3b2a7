//! Values that the product has and this database has not: another track, another release, a code of another release. Told by
//! the ledger alone.

use std::collections::BTreeMap;

use arrow::array::AsArray;
use arrow::datatypes::DataType;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator};
use datafusion::prelude::SessionContext;
use isdb_schema::catalogue::Releases;
use isdb_schema::codes::Codes;

use super::codes::{of, whole};
use super::comparison::comparisons;
use super::constant::{constant, written};
use super::origin::reads_segments;
use super::{View, Warning};
use crate::error::Result;
use crate::session::dialect::shown;

/// The columns of the ledger that a segment's rows share with its granule.
const OF_GRANULE: [&str; 6] = ["granule", "rgt", "cycle", "region", "release", "revision"];
/// More values than these are told by their first and last.
const MOST: usize = 6;

/// A condition without which no row is found, and that granules of the ledger have to meet.
pub(super) struct Sought {
    /// The column as the statement names it, or for a code the condition as it is written.
    name: String,
    /// The column of the ledger that tells.
    column: &'static str,
    wanted: Wanted,
}

/// What a granule has to have.
enum Wanted {
    /// One of these values: as the ledger writes them, and as the statement does.
    Values(Vec<(String, String)>),
    /// One of these releases, since no other has the code.
    Releases(Vec<Releases>),
}

/// What `node` wants of every segment.
pub(super) fn sought(node: &LogicalPlan, view: &View<'_>) -> Vec<Sought> {
    let LogicalPlan::Filter(filter) = node else { return Vec::new() };
    let found: Vec<Sought> =
        split_conjunction(&filter.predicate).into_iter().filter_map(|part| of_conjunct(part, view)).collect();
    if found.is_empty() || !reads_segments(&filter.input) { Vec::new() } else { found }
}

fn of_conjunct(part: &Expr, view: &View<'_>) -> Option<Sought> {
    let comparison = comparisons(part).into_iter().next().filter(|comparison| comparison.op == Operator::Eq)?;
    let is_all = match part {
        Expr::InList(list) => list.list.len() == comparison.with.len(),
        Expr::BinaryExpr(_) => true,
        _ => false,
    };
    let column = comparison.column().filter(|_| is_all)?;
    let origin = (view.origin)(column)?;
    let constants: Vec<_> = comparison.with.iter().filter_map(|value| constant(value)).collect();
    if let Some(ledger) = OF_GRANULE.iter().find(|name| **name == origin.column) {
        let value = |value: &_| {
            let plain = whole(value).map(|number| number.to_string());
            let text = value.try_as_str().flatten().map(str::to_owned);
            (text.or(plain).unwrap_or_default(), written(value))
        };
        let values = constants.iter().map(value).collect();
        return Some(Sought { name: column.name.clone(), column: ledger, wanted: Wanted::Values(values) });
    }
    let Codes::Numbers(codes) = of(&origin)? else { return None };
    let numbers: Vec<i64> = constants.iter().filter_map(whole).collect();
    let used = codes.iter().filter(|code| numbers.contains(&code.value));
    let releases: Vec<Releases> = used.map(|code| code.releases).collect();
    let is_everywhere = releases.is_empty() || releases.iter().any(|releases| releases.is_all());
    (!is_everywhere).then(|| Sought { name: shown(part), column: "release", wanted: Wanted::Releases(releases) })
}

/// A warning for each of `sought` of whose values the ledger has none.
pub(super) async fn warnings(context: &SessionContext, sought: &[Sought]) -> Result<Vec<Warning>> {
    let mut known: BTreeMap<&str, Option<Vec<String>>> = BTreeMap::new();
    let mut found = Vec::new();
    for sought in sought {
        if !known.contains_key(sought.column) {
            known.insert(sought.column, values(context, sought.column).await?);
        }
        let Some(Some(there)) = known.get(sought.column) else { continue };
        if !there.is_empty() && !there.iter().any(|value| sought.is_met_by(value)) {
            found.push(sought.warning(there));
        }
    }
    Ok(found)
}

impl Sought {
    /// Whether a granule with `value` in the column meets the condition, or may.
    fn is_met_by(&self, value: &str) -> bool {
        match &self.wanted {
            // Names of another form, such as '7' for '007', are told elsewhere.
            Wanted::Values(values) => values.iter().any(|(wanted, _)| {
                wanted == value || (["release", "revision"].contains(&self.column) && wanted.len() != value.len())
            }),
            Wanted::Releases(releases) => {
                value.parse().map_or(true, |number| releases.iter().any(|releases| releases.contains(number)))
            }
        }
    }

    fn warning(&self, there: &[String]) -> Warning {
        let there = list(there.iter().map(String::as_str));
        match &self.wanted {
            Wanted::Values(values) => Warning {
                text: format!(
                    "no granule in this database has {} {}",
                    self.name,
                    list(values.iter().map(|(_, written)| written.as_str()))
                ),
                hint: format!("it holds {there}"),
            },
            Wanted::Releases(releases) => {
                let releases: Vec<String> = releases.iter().map(Releases::to_string).collect();
                Warning {
                    text: format!("{} finds nothing: that is a code of release {}", self.name, releases.join(", ")),
                    hint: format!(
                        "this database holds release {there}; `isdb variables` tells the codes of each release"
                    ),
                }
            }
        }
    }
}

fn list<'a>(values: impl Iterator<Item = &'a str>) -> String {
    let values: Vec<&str> = values.collect();
    match values.as_slice() {
        [first, .., last] if values.len() > MOST => format!("{} values from {first} to {last}", values.len()),
        _ => values.join(", "),
    }
}

/// The values of a column of the ledger in the granules whose segments are there, in their order. None where one of them does
/// not tell, or there is no ledger.
async fn values(context: &SessionContext, column: &str) -> Result<Option<Vec<String>>> {
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
