//! Removes the columns that a statement does not use from its plan, before the other rules see it.
//!
//! DataFusion 55.2 does so with the last rule of its optimizer. Until then every rule goes through all columns of the view `atl08`,
//! 119 of a complete database, of which a statement names a few.

use std::fmt::{self, Formatter};
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::{Analyzer, AnalyzerRule, OptimizerContext, OptimizerRule};

/// Makes `analyzer` remove columns before it coerces types, and after it has found the keys that `grouping()` names, which it would
/// not find if one of them were removed as dependent on another.
pub(super) fn remove_unused_columns(analyzer: &mut Analyzer) {
    let coercion = analyzer.rules.iter().position(|rule| rule.name() == "type_coercion");
    let rule = UsedColumns { rule: OptimizeProjections::new(), context: OptimizerContext::new() };
    analyzer.rules.insert(coercion.unwrap_or(analyzer.rules.len()), Arc::new(rule));
}

/// The analyzer rule.
struct UsedColumns {
    rule: OptimizeProjections,
    /// What an optimizer rule gets; this one only passes it on.
    context: OptimizerContext,
}

impl fmt::Debug for UsedColumns {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("UsedColumns")
    }
}

impl AnalyzerRule for UsedColumns {
    fn name(&self) -> &'static str {
        "used_columns"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(self.rule.rewrite(plan, &self.context)?.data)
    }
}

#[cfg(test)]
mod tests {
    use arrow::util::pretty::pretty_format_batches;
    use datafusion::execution::SessionStateBuilder;
    use datafusion::prelude::SessionContext;

    use super::*;
    use crate::testing::{DAY, Granule, Segment, TestDatabase, database};
    use crate::views::options::ViewOptions;

    async fn six_segments() -> (TestDatabase, SessionContext) {
        let segments: Vec<Segment> = (0..6_i32)
            .map(|id| Segment {
                latitude: f64::from(id),
                longitude: 1.0,
                time: i64::from(id) * DAY,
                ingest_id: i64::from(id % 3),
                beam: if id < 4 { "gt1l" } else { "gt2l" },
                segment_id_beg: (id != 2).then_some(id),
            })
            .collect();
        let granules = [Some(7), Some(7), None].map(|rgt| Granule { rgt, cycle: Some(1), region: Some(1) });
        database(&segments, &granules, &ViewOptions::default()).await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_statement_over_the_view_is_analyzed_without_the_columns_that_it_does_not_use() {
        let (_files, context) = six_segments().await;
        let state = context.state();
        for (sql, scans) in [
            (
                "SELECT id FROM atl08 WHERE latitude > 1",
                ["TableScan: segments projection=[latitude, ingest_id, id]"].as_slice(),
            ),
            (
                "SELECT count(*) FROM atl08 WHERE granule = 'g0'",
                &["TableScan: segments projection=[ingest_id]", "TableScan: granules projection=[ingest_id, granule]"],
            ),
        ] {
            let plan = state.create_logical_plan(sql).await.unwrap();
            let plan = state.analyzer().execute_and_check(plan, state.config_options(), |_, _| {}).unwrap();
            let plan = plan.display_indent().to_string();
            assert!(scans.iter().all(|scan| plan.contains(scan)), "{sql}:\n{plan}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn rows_and_columns_are_those_without_the_rule() {
        let (_files, with_rule) = six_segments().await;
        let state =
            SessionStateBuilder::new_from_existing(with_rule.state()).with_analyzer_rules(Analyzer::new().rules);
        let without = SessionContext::new_with_state(state.build());
        for sql in [
            "SELECT * FROM atl08 ORDER BY id",
            "SELECT ingest_id, rgt, grouping(rgt) AS g, count(*) AS n FROM granules GROUP BY ingest_id, rgt ORDER BY 1",
            "SELECT ingest_id, grouping(rgt) AS g, count(*) AS n FROM granules GROUP BY ingest_id, rgt ORDER BY 1",
            "SELECT beam, rgt, grouping(beam, rgt) AS g, count(*) AS n FROM atl08 GROUP BY CUBE (beam, rgt) ORDER BY 1, 2, 3",
            "SELECT id, (SELECT max(b.latitude) FROM atl08 AS b WHERE b.beam = a.beam) AS most FROM atl08 AS a ORDER BY id",
            "SELECT id FROM atl08 AS a WHERE EXISTS (SELECT 1 FROM granules AS g WHERE g.rgt = a.rgt AND g.ingest_id <> a.ingest_id) ORDER BY id",
            "SELECT id FROM atl08 WHERE ingest_id IN (SELECT ingest_id FROM granules WHERE rgt IS NULL) ORDER BY id",
            "SELECT DISTINCT ON (beam) beam, latitude FROM atl08 ORDER BY beam, latitude DESC",
            "SELECT id, a.beam FROM atl08 AS a JOIN atl08 AS b USING (id) WHERE b.latitude > '1' ORDER BY id",
            "SELECT id, sum(latitude) OVER (PARTITION BY beam ORDER BY id) AS total FROM atl08 ORDER BY id",
            "SELECT x + 1 AS y FROM (SELECT '1' || id AS text, latitude + segment_id_beg AS x FROM atl08) ORDER BY y",
            "SELECT id FROM atl08 WHERE latitude < 2 UNION ALL SELECT segment_id_beg FROM segments WHERE id > 4 ORDER BY 1",
            "WITH RECURSIVE r AS (SELECT 1 AS n, 0 AS unused UNION ALL SELECT n + 1, 0 FROM r WHERE n < 3) SELECT n FROM r ORDER BY n",
            "SELECT count(*) AS n FROM atl08_unique WHERE rgt = 7",
        ] {
            let mut answers = Vec::new();
            for context in [&with_rule, &without] {
                let frame = context.sql(sql).await.unwrap();
                let schema = frame.schema().as_arrow().clone();
                let rows = pretty_format_batches(&frame.collect().await.unwrap()).unwrap().to_string();
                answers.push((schema, rows));
            }
            assert!(answers[0].1.lines().count() > 4, "{sql} finds nothing");
            assert_eq!(answers[0], answers[1], "{sql}");
        }
    }
}
