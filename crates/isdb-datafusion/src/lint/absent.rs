//! Values that the product has and this database has not: another track, another release, a code of another release. Told by
//! the ledger alone.

use std::collections::BTreeMap;

use arrow::array::AsArray;
use arrow::datatypes::DataType;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator};
use datafusion::prelude::SessionContext;
use isdb_schema::codes::Codes;

use super::codes::{of, whole};
use super::comparison::comparisons;
use super::constant::{constant, written};
use super::origin::reads_segments;
use super::{View, Warning};
use crate::error::Result;

/// The columns of the ledger that a segment's rows share with its granule.
const OF_GRANULE: [&str; 6] = ["granule", "rgt", "cycle", "region", "release", "revision"];
/// More values than these are told by their first and last.
const MOST: usize = 6;

/// A column that has to be one of some values, or no row is found.
pub(super) struct Sought {
    /// The column as the statement names it.
    name: String,
    /// The column of the ledger that tells.
    column: &'static str,
    /// The values, as the ledger would write them, and as the statement does.
    values: Vec<(String, String)>,
    /// The releases in which a code has its meaning; the values of `release`, where the column is one of codes.
    is_code: bool,
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
        return Some(Sought { name: column.name.clone(), column: ledger, values, is_code: false });
    }
    // A code that some releases do not have; those that have it take the place of the values.
    let Codes::Numbers(codes) = of(&origin)? else { return None };
    let numbers: Vec<i64> = constants.iter().filter_map(whole).collect();
    let used = codes.iter().filter(|code| numbers.contains(&code.value));
    let mut values: Vec<(String, String)> =
        used.flat_map(|code| code.releases.names()).map(|name| (name.to_owned(), name.to_owned())).collect();
    values.sort();
    values.dedup();
    let known = codes.iter().flat_map(|code| code.releases.names());
    let is_of_all = known.into_iter().all(|name| values.iter().any(|(value, _)| value == name));
    (!is_of_all && !values.is_empty()).then(|| Sought {
        name: crate::dialect::shown(part),
        column: "release",
        values,
        is_code: true,
    })
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
        // Of another form is told elsewhere.
        let has_form = |value: &str| there.iter().all(|other| sought.column != "release" || other.len() == value.len());
        if there.is_empty() || sought.values.iter().any(|(value, _)| there.contains(value) || !has_form(value)) {
            continue;
        }
        found.push(warning(sought, there));
    }
    Ok(found)
}

fn warning(sought: &Sought, there: &[String]) -> Warning {
    let list = |values: &mut dyn Iterator<Item = &String>| {
        let values: Vec<&str> = values.map(String::as_str).collect();
        match values.as_slice() {
            [first, .., last] if values.len() > MOST => format!("{} values from {first} to {last}", values.len()),
            _ => values.join(", "),
        }
    };
    let (wanted, there) = (list(&mut sought.values.iter().map(|(_, written)| written)), list(&mut there.iter()));
    match sought.is_code {
        true => Warning {
            text: format!("{} finds nothing: that is a code of release {wanted}", sought.name),
            hint: format!("this database holds release {there}; `isdb variables` tells the codes of each release"),
        },
        false => Warning {
            text: format!("no granule in this database has {} {wanted}", sought.name),
            hint: format!("it holds {there}"),
        },
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
