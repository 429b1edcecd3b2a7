//! Explanations of empty results: predicates outside the extent of the database. Only certain explanations are given.

use crate::time::format_nanoseconds;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{ColumnStatistics, ScalarValue};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, JoinType, LogicalPlan, Operator, SkipType, TableScan};

/// The coordinates, and their plural.
const COORDINATES: [(&str, &str); 3] = [("latitude", "latitudes"), ("longitude", "longitudes"), ("time", "times")];

/// Nanoseconds in a second.
const NANOSECONDS: i64 = 1_000_000_000;

/// Explains why `plan`, an optimized plan, returned no rows. Empty if no explanation is certain.
pub(super) fn why_no_rows(plan: &LogicalPlan) -> Vec<String> {
    let mut found = RequiredScans { scans: Vec::new(), decide: true };
    collect_scans(plan, &mut found);
    let mut reasons = impossible_predicates(&found.scans);
    if reasons.is_empty() && found.decide && found.scans.iter().any(|scan| !scan.predicates.is_empty()) {
        reasons.push("no segment meets all conditions together".to_owned());
    }
    reasons
}

/// Explains why the only row of `plan`, an optimized plan, aggregates no rows. Empty if it is not an aggregate without groups, or
/// if no explanation is certain.
pub(super) fn why_aggregate_of_nothing(plan: &LogicalPlan) -> Vec<String> {
    match plan {
        LogicalPlan::Projection(node) => why_aggregate_of_nothing(&node.input),
        LogicalPlan::Sort(node) => why_aggregate_of_nothing(&node.input),
        LogicalPlan::SubqueryAlias(node) => why_aggregate_of_nothing(&node.input),
        LogicalPlan::Limit(node) => why_aggregate_of_nothing(&node.input),
        LogicalPlan::Aggregate(node) if node.group_expr.is_empty() => {
            let mut found = RequiredScans { scans: Vec::new(), decide: false };
            collect_scans(&node.input, &mut found);
            impossible_predicates(&found.scans)
        }
        _ => Vec::new(),
    }
}

/// Returns a sentence for each predicate of `scans` that no row of the database can meet.
fn impossible_predicates(scans: &[SegmentScan]) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    for scan in scans {
        if scan.is_empty {
            return vec!["the database has no segments".to_owned()];
        }
        let predicates = scan.predicates.iter().flat_map(|predicate| split_conjunction(predicate));
        sentences.extend(predicates.filter_map(|predicate| outside(predicate, &scan.extents)));
    }
    sentences.dedup();
    sentences
}

/// The scans of segments that a plan's rows depend on.
struct RequiredScans {
    scans: Vec<SegmentScan>,
    /// Whether their predicates alone determine whether rows exist: no join, unnesting, offset or later filter removes any.
    decide: bool,
}

/// A scan of segments and the predicates on every row of it.
struct SegmentScan {
    predicates: Vec<Expr>,
    extents: Vec<CoordinateExtent>,
    is_empty: bool,
}

/// The lowest and the highest value of a coordinate, of all rows.
struct CoordinateExtent {
    column: &'static str,
    plural: &'static str,
    low: ScalarValue,
    high: ScalarValue,
}

/// Collects the scans of segments that all rows of `plan` depend on.
fn collect_scans(plan: &LogicalPlan, found: &mut RequiredScans) {
    match plan {
        LogicalPlan::Filter(filter) => {
            let before = found.scans.len();
            collect_scans(&filter.input, found);
            // Above any node other than the scan, a column of the same name may be another column.
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
            collect_scans(&node.input, found);
        }
        LogicalPlan::Projection(node) => collect_scans(&node.input, found),
        LogicalPlan::Sort(node) => collect_scans(&node.input, found),
        LogicalPlan::SubqueryAlias(node) => collect_scans(&node.input, found),
        LogicalPlan::Window(node) => collect_scans(&node.input, found),
        LogicalPlan::Distinct(node) => collect_scans(node.input(), found),
        LogicalPlan::Aggregate(node) if !node.group_expr.is_empty() => collect_scans(&node.input, found),
        LogicalPlan::Limit(node) => {
            found.decide &= matches!(node.get_skip_type(), Ok(SkipType::Literal(0)));
            collect_scans(&node.input, found);
        }
        LogicalPlan::Join(join) => {
            // The outer side keeps all its rows.
            found.decide &= matches!(join.join_type, JoinType::Left | JoinType::Right);
            if matches!(join.join_type, JoinType::Inner | JoinType::Left | JoinType::LeftSemi) {
                collect_scans(&join.left, found);
            }
            if matches!(join.join_type, JoinType::Inner | JoinType::Right | JoinType::RightSemi) {
                collect_scans(&join.right, found);
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

fn segments(scan: &TableScan) -> Option<SegmentScan> {
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
    Some(SegmentScan { predicates: scan.filters.clone(), extents: extents.collect(), is_empty })
}

fn extent(column: &'static str, plural: &'static str, statistics: &ColumnStatistics) -> Option<CoordinateExtent> {
    let low = statistics.min_value.get_value()?.clone();
    let high = statistics.max_value.get_value()?.clone();
    Some(CoordinateExtent { column, plural, low, high })
}

/// Returns the sentence about `predicate` if no row within `extents` can meet it.
fn outside(predicate: &Expr, extents: &[CoordinateExtent]) -> Option<String> {
    let comparison = Comparison::from_predicate(predicate)?;
    let extent = extents.iter().find(|extent| extent.column == comparison.column)?;
    let is_outside = comparison.alternatives.iter().all(|(operator, value)| extent.excludes(*operator, value));
    is_outside.then(|| {
        let (low, high) = extent.rounded();
        format!("{comparison} is outside the database, whose {} range from {low} to {high}", extent.plural)
    })
}

impl CoordinateExtent {
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

    /// Returns both ends, rounded outwards.
    fn rounded(&self) -> (String, String) {
        match (&self.low, &self.high) {
            (ScalarValue::Float64(Some(low)), ScalarValue::Float64(Some(high))) => {
                (((low * 1e4).floor() / 1e4).to_string(), ((high * 1e4).ceil() / 1e4).to_string())
            }
            (ScalarValue::TimestampNanosecond(Some(low), _), ScalarValue::TimestampNanosecond(Some(high), _)) => {
                let last = high.saturating_add(NANOSECONDS - 1);
                (
                    format_nanoseconds(low - low.rem_euclid(NANOSECONDS)),
                    format_nanoseconds(last - last.rem_euclid(NANOSECONDS)),
                )
            }
            (low, high) => (low.to_string(), high.to_string()),
        }
    }
}

/// A predicate on one column: at least one of some comparisons.
struct Comparison<'a> {
    column: &'a str,
    alternatives: Vec<(Operator, &'a ScalarValue)>,
}

impl<'a> Comparison<'a> {
    /// Parses a predicate; None for a predicate of another form.
    fn from_predicate(predicate: &'a Expr) -> Option<Comparison<'a>> {
        match predicate {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
                let (mut either, other) = (Comparison::from_predicate(left)?, Comparison::from_predicate(right)?);
                either.alternatives.extend(other.alternatives);
                (either.column == other.column).then_some(either)
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (left.as_ref(), right.as_ref()) {
                (Expr::Column(column), Expr::Literal(value, _)) => {
                    Some(Comparison { column: &column.name, alternatives: vec![(*op, value)] })
                }
                (Expr::Literal(value, _), Expr::Column(column)) => {
                    Some(Comparison { column: &column.name, alternatives: vec![(op.swap()?, value)] })
                }
                _ => None,
            },
            Expr::InList(InList { expr, list, negated: false }) => {
                let Expr::Column(column) = expr.as_ref() else { return None };
                let values = list.iter().map(|value| match value {
                    Expr::Literal(value, _) => Some((Operator::Eq, value)),
                    _ => None,
                });
                Some(Comparison { column: &column.name, alternatives: values.collect::<Option<_>>()? })
            }
            _ => None,
        }
    }
}

impl std::fmt::Display for Comparison<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (operator, value)) in self.alternatives.iter().enumerate() {
            let or = if index == 0 { "" } else { " or " };
            match value {
                ScalarValue::TimestampNanosecond(Some(time), _) => {
                    write!(f, "{or}{} {operator} {}", self.column, format_nanoseconds(*time))?;
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

    fn extents() -> Vec<CoordinateExtent> {
        let degrees = |value| ScalarValue::Float64(Some(value));
        let time = |seconds: i64| ScalarValue::TimestampNanosecond(Some(seconds * NANOSECONDS), Some("UTC".into()));
        let extent = |column, plural, low, high| CoordinateExtent { column, plural, low, high };
        vec![
            extent("latitude", "latitudes", degrees(48.200_01), degrees(48.3)),
            extent("time", "times", time(1_598_012_772), time(1_598_012_780)),
        ]
    }

    fn explanation(predicate: &Expr) -> Option<String> {
        outside(predicate, &extents())
    }

    #[test]
    fn a_predicate_outside_the_database_is_explained_by_its_extent() {
        assert_eq!(
            explanation(&col("latitude").gt(lit(80.0))).unwrap(),
            "latitude > 80 is outside the database, whose latitudes range from 48.2 to 48.3"
        );
        let later = ScalarValue::TimestampNanosecond(Some(1_893_456_000 * NANOSECONDS), Some("UTC".into()));
        assert_eq!(
            explanation(&col("time").gt_eq(lit(later))).unwrap(),
            "time >= 2030-01-01T00:00:00Z is outside the database, whose times range from 2020-08-21T12:26:12Z to \
             2020-08-21T12:26:20Z"
        );
    }

    #[test]
    fn predicates_that_a_row_may_meet_are_not_explained() {
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
            assert_eq!(explanation(&possible), None, "{possible}");
        }
        for impossible in [
            latitude().gt(lit(48.3)),
            latitude().lt(lit(48.200_01)),
            lit(80.0).lt(latitude()),
            latitude().eq(lit(80.0)).or(latitude().eq(lit(81.0))),
            latitude().in_list(vec![lit(80.0), lit(81.0)], false),
        ] {
            assert!(explanation(&impossible).is_some(), "{impossible}");
        }
    }
}
