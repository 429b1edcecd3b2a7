//! Why a query found nothing: which of its predicates lie outside what the database covers. Only what is certain is told.

use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{ColumnStatistics, ScalarValue};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, JoinType, LogicalPlan, Operator, SkipType, TableScan};

use crate::instant::instant;

/// The coordinates, and their plural.
const COORDINATES: [(&str, &str); 3] = [("latitude", "latitudes"), ("longitude", "longitudes"), ("time", "times")];

/// Nanoseconds in a second.
const NANOSECONDS: i64 = 1_000_000_000;

/// Sentences on why `plan`, an optimized plan that gave no row, gave none. Empty where nothing certain can be said.
pub(crate) fn why_nothing(plan: &LogicalPlan) -> Vec<String> {
    let mut found = Found { scans: Vec::new(), decide: true };
    necessary(plan, &mut found);
    let mut told = certain(&found.scans);
    if told.is_empty() && found.decide && found.scans.iter().any(|scan| !scan.predicates.is_empty()) {
        told.push("nothing in the database meets all conditions together".to_owned());
    }
    told
}

/// Sentences on why the only row of `plan`, an optimized plan, sums up nothing: it is an aggregate without groups over rows
/// that cannot be there. Empty where that is not so, or not certain.
pub(crate) fn why_of_nothing(plan: &LogicalPlan) -> Vec<String> {
    match plan {
        LogicalPlan::Projection(node) => why_of_nothing(&node.input),
        LogicalPlan::Sort(node) => why_of_nothing(&node.input),
        LogicalPlan::SubqueryAlias(node) => why_of_nothing(&node.input),
        LogicalPlan::Limit(node) => why_of_nothing(&node.input),
        LogicalPlan::Aggregate(node) if node.group_expr.is_empty() => {
            let mut found = Found { scans: Vec::new(), decide: false };
            necessary(&node.input, &mut found);
            certain(&found.scans)
        }
        _ => Vec::new(),
    }
}

/// A sentence on each predicate of `scans` that no row of the database can meet.
fn certain(scans: &[Scan]) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for scan in scans {
        if scan.is_empty {
            return vec!["the database holds no segments".to_owned()];
        }
        let predicates = scan.predicates.iter().flat_map(|predicate| split_conjunction(predicate));
        told.extend(predicates.filter_map(|predicate| outside(predicate, &scan.extents)));
    }
    told.dedup();
    told
}

/// The scans of segments that a plan's rows depend on.
struct Found {
    scans: Vec<Scan>,
    /// Whether their predicates alone decide if there are rows: no join, unnesting, offset or later filter removes any.
    decide: bool,
}

/// A scan of the segments without whose rows the plan has none, and what it asks of every row.
struct Scan {
    predicates: Vec<Expr>,
    extents: Vec<Extent>,
    is_empty: bool,
}

/// The lowest and highest value of a coordinate; no row lies beyond.
struct Extent {
    column: &'static str,
    plural: &'static str,
    low: ScalarValue,
    high: ScalarValue,
}

/// Collects the scans of segments on whose rows all rows of `plan` depend.
fn necessary(plan: &LogicalPlan, found: &mut Found) {
    match plan {
        LogicalPlan::Filter(filter) => {
            let before = found.scans.len();
            necessary(&filter.input, found);
            // Above anything but the scan itself a column of the same name may be another one.
            match (filter.input.as_ref(), found.scans.get_mut(before)) {
                (LogicalPlan::TableScan(_), Some(scan)) => scan.predicates.push(filter.predicate.clone()),
                _ => found.decide = false,
            }
            found.decide &= !has_subquery(&filter.predicate);
        }
        LogicalPlan::TableScan(scan) => {
            found.scans.extend(segments(scan));
            found.decide &= !scan.filters.iter().any(has_subquery);
        }
        LogicalPlan::Unnest(node) => {
            found.decide = false;
            necessary(&node.input, found);
        }
        LogicalPlan::Projection(node) => necessary(&node.input, found),
        LogicalPlan::Sort(node) => necessary(&node.input, found),
        LogicalPlan::SubqueryAlias(node) => necessary(&node.input, found),
        LogicalPlan::Window(node) => necessary(&node.input, found),
        LogicalPlan::Distinct(node) => necessary(node.input(), found),
        LogicalPlan::Aggregate(node) if !node.group_expr.is_empty() => necessary(&node.input, found),
        LogicalPlan::Limit(node) => {
            found.decide &= matches!(node.get_skip_type(), Ok(SkipType::Literal(0)));
            necessary(&node.input, found);
        }
        LogicalPlan::Join(join) => {
            // The outer side keeps all its rows.
            found.decide &= matches!(join.join_type, JoinType::Left | JoinType::Right);
            if matches!(join.join_type, JoinType::Inner | JoinType::Left | JoinType::LeftSemi) {
                necessary(&join.left, found);
            }
            if matches!(join.join_type, JoinType::Inner | JoinType::Right | JoinType::RightSemi) {
                necessary(&join.right, found);
            }
        }
        _ => {}
    }
}

fn has_subquery(predicate: &Expr) -> bool {
    let subquery = |part: &Expr| {
        Ok(matches!(part, Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_)))
    };
    // The closure never fails.
    predicate.exists(subquery).unwrap_or(true)
}

fn segments(scan: &TableScan) -> Option<Scan> {
    if !matches!(scan.table_name.table(), "segments" | "atl08_unique") {
        return None;
    }
    let provider = source_as_provider(&scan.source).ok()?;
    let (schema, statistics) = (provider.schema(), provider.statistics()?);
    let extents = COORDINATES.iter().filter_map(|(column, plural)| {
        let index = schema.index_of(column).ok()?;
        extent(column, plural, statistics.column_statistics.get(index)?)
    });
    let is_empty = statistics.num_rows == Precision::Exact(0);
    Some(Scan { predicates: scan.filters.clone(), extents: extents.collect(), is_empty })
}

fn extent(column: &'static str, plural: &'static str, statistics: &ColumnStatistics) -> Option<Extent> {
    let low = statistics.min_value.get_value()?.clone();
    let high = statistics.max_value.get_value()?.clone();
    Some(Extent { column, plural, low, high })
}

/// The sentence on `predicate` if no row within `extents` can meet it.
fn outside(predicate: &Expr, extents: &[Extent]) -> Option<String> {
    let asked = Asked::of(predicate)?;
    let extent = extents.iter().find(|extent| extent.column == asked.column)?;
    let beyond = asked.alternatives.iter().all(|(operator, value)| extent.excludes(*operator, value));
    beyond.then(|| {
        let (low, high) = extent.shown();
        format!("{asked} lies outside the database, whose {} go from {low} to {high}", extent.plural)
    })
}

impl Extent {
    fn excludes(&self, operator: Operator, value: &ScalarValue) -> bool {
        let Ok(value) = value.cast_to(&self.low.data_type()) else { return false };
        match operator {
            Operator::Eq => value < self.low || value > self.high,
            Operator::Gt => value >= self.high,
            Operator::GtEq => value > self.high,
            Operator::Lt => value <= self.low,
            Operator::LtEq => value < self.low,
            _ => false,
        }
    }

    /// Both ends, rounded outwards.
    fn shown(&self) -> (String, String) {
        match (&self.low, &self.high) {
            (ScalarValue::Float64(Some(low)), ScalarValue::Float64(Some(high))) => {
                (((low * 1e4).floor() / 1e4).to_string(), ((high * 1e4).ceil() / 1e4).to_string())
            }
            (ScalarValue::TimestampNanosecond(Some(low), _), ScalarValue::TimestampNanosecond(Some(high), _)) => {
                let last = high.saturating_add(NANOSECONDS - 1);
                (instant(low - low.rem_euclid(NANOSECONDS)), instant(last - last.rem_euclid(NANOSECONDS)))
            }
            (low, high) => (low.to_string(), high.to_string()),
        }
    }
}

/// What a predicate asks of one column: any of some comparisons.
struct Asked<'a> {
    column: &'a str,
    alternatives: Vec<(Operator, &'a ScalarValue)>,
}

impl<'a> Asked<'a> {
    /// None for predicates of any other form.
    fn of(predicate: &'a Expr) -> Option<Asked<'a>> {
        match predicate {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
                let (mut asked, other) = (Asked::of(left)?, Asked::of(right)?);
                asked.alternatives.extend(other.alternatives);
                (asked.column == other.column).then_some(asked)
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (left.as_ref(), right.as_ref()) {
                (Expr::Column(column), Expr::Literal(value, _)) => {
                    Some(Asked { column: &column.name, alternatives: vec![(*op, value)] })
                }
                (Expr::Literal(value, _), Expr::Column(column)) => {
                    Some(Asked { column: &column.name, alternatives: vec![(op.swap()?, value)] })
                }
                _ => None,
            },
            Expr::InList(InList { expr, list, negated: false }) => {
                let Expr::Column(column) = expr.as_ref() else { return None };
                let values = list.iter().map(|value| match value {
                    Expr::Literal(value, _) => Some((Operator::Eq, value)),
                    _ => None,
                });
                Some(Asked { column: &column.name, alternatives: values.collect::<Option<_>>()? })
            }
            _ => None,
        }
    }
}

impl std::fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (operator, value)) in self.alternatives.iter().enumerate() {
            let or = if index == 0 { "" } else { " or " };
            match value {
                ScalarValue::TimestampNanosecond(Some(time), _) => {
                    write!(f, "{or}{} {operator} {}", self.column, instant(*time))?;
                }
                value => write!(f, "{or}{} {operator} {value}", self.column)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::{col, lit};

    use super::*;

    fn extents() -> Vec<Extent> {
        let degrees = |value| ScalarValue::Float64(Some(value));
        let time = |seconds: i64| ScalarValue::TimestampNanosecond(Some(seconds * NANOSECONDS), Some("UTC".into()));
        let extent = |column, plural, low, high| Extent { column, plural, low, high };
        vec![
            extent("latitude", "latitudes", degrees(48.200_01), degrees(48.3)),
            extent("time", "times", time(1_598_012_772), time(1_598_012_780)),
        ]
    }

    fn told(predicate: &Expr) -> Option<String> {
        outside(predicate, &extents())
    }

    #[test]
    fn a_bound_beyond_the_data_is_told_with_what_there_is() {
        assert_eq!(
            told(&col("latitude").gt(lit(80.0))).unwrap(),
            "latitude > 80 lies outside the database, whose latitudes go from 48.2 to 48.3"
        );
        let later = ScalarValue::TimestampNanosecond(Some(1_893_456_000 * NANOSECONDS), Some("UTC".into()));
        assert_eq!(
            told(&col("time").gt_eq(lit(later))).unwrap(),
            "time >= 2030-01-01T00:00:00Z lies outside the database, whose times go from 2020-08-21T12:26:12Z to \
             2020-08-21T12:26:20Z"
        );
    }

    #[test]
    fn only_what_no_row_can_meet_is_told() {
        let latitude = || col("latitude");
        for possible in [
            latitude().gt_eq(lit(48.3)),
            latitude().lt_eq(lit(48.200_01)),
            latitude().eq(lit(48.25)),
            latitude().eq(lit(80.0)).or(latitude().eq(lit(48.25))),
            latitude().eq(lit(80.0)).or(col("time").is_null()),
            latitude().not_eq(lit(80.0)),
            latitude().in_list(vec![lit(80.0)], true),
            col("canopy_h").gt(lit(1e9)),
        ] {
            assert_eq!(told(&possible), None, "{possible}");
        }
        for impossible in [
            latitude().gt(lit(48.3)),
            latitude().lt(lit(48.200_01)),
            lit(80.0).lt(latitude()),
            latitude().eq(lit(80.0)).or(latitude().eq(lit(81.0))),
            latitude().in_list(vec![lit(80.0), lit(81.0)], false),
        ] {
            assert!(told(&impossible).is_some(), "{impossible}");
        }
    }
}
