//! Refuses `TABLESAMPLE`, which DataFusion parses and ignores: counting a sample of 1 % would count all rows.

use datafusion::common::Result;
use datafusion::logical_expr::planner::{RelationPlanner, RelationPlannerContext, RelationPlanning};
use datafusion::sql::sqlparser::ast::TableFactor;

use crate::error::Error;

/// Refuses every sample of a table or subquery.
#[derive(Debug)]
pub(super) struct RefuseTableSample;

impl RelationPlanner for RefuseTableSample {
    fn plan_relation(&self, relation: TableFactor, _: &mut dyn RelationPlannerContext) -> Result<RelationPlanning> {
        match &relation {
            TableFactor::Table { sample: Some(_), .. } | TableFactor::Derived { sample: Some(_), .. } => {
                let hint = "write WHERE random() < 0.01 for about one row in a hundred, another one each time; \
                            segment_id_beg % 100 = 0 gives the same rows each time";
                Err(Error::statement("TABLESAMPLE is not supported", hint).into())
            }
            _ => Ok(RelationPlanning::Original(Box::new(relation))),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::error::Error;
    use crate::testing::session;

    #[tokio::test]
    async fn a_sample_is_refused_anywhere_in_a_statement() {
        for sql in [
            "SELECT count(*) FROM t TABLESAMPLE (1 PERCENT)",
            "SELECT count(*) FROM t TABLESAMPLE BERNOULLI (1)",
            "SELECT * FROM t JOIN t AS u TABLESAMPLE (5 ROWS) ON t.a = u.a",
            "SELECT (SELECT max(a) FROM t TABLESAMPLE (1 PERCENT)) AS most",
            "WITH s AS (SELECT * FROM t TABLESAMPLE (1 PERCENT)) SELECT count(*) FROM s",
            "SELECT count(*) FROM (SELECT a FROM t) TABLESAMPLE (1 PERCENT)",
        ] {
            let context = session(2);
            context.sql("CREATE TABLE t AS SELECT 1 AS a").await.unwrap();
            let refused = context.sql(sql).await.map(|_| ()).unwrap_err();
            let problem = Error::find_statement(&refused).map(|(problem, _)| problem);
            assert_eq!(problem, Some("TABLESAMPLE is not supported"), "{sql}: {refused}");
        }
    }
}
