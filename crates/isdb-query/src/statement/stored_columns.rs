//! Finds the columns that a statement returns as they are stored.

use datafusion::logical_expr::{Expr, JoinType, LogicalPlan};

/// Whether each column of the rows of `plan` is a column of a table, with its values unchanged. A column that was computed of one may have
/// the same name and metadata: DataFusion keeps them for a negated column, for example.
#[must_use]
pub fn stored_columns(plan: &LogicalPlan) -> Vec<bool> {
    (0..plan.schema().fields().len()).map(|column| is_stored(plan, column)).collect()
}

fn is_stored(plan: &LogicalPlan, column: usize) -> bool {
    match plan {
        LogicalPlan::TableScan(_) => true,
        LogicalPlan::Projection(node) => node.expr.get(column).is_some_and(|expr| is_stored_in(&node.input, expr)),
        LogicalPlan::Aggregate(node) => node.group_expr.get(column).is_some_and(|expr| is_stored_in(&node.input, expr)),
        LogicalPlan::Window(node) => column < node.input.schema().fields().len() && is_stored(&node.input, column),
        LogicalPlan::Join(join) => {
            let left = match join.join_type {
                JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => 0,
                _ => join.left.schema().fields().len(),
            };
            match column.checked_sub(left) {
                None => is_stored(&join.left, column),
                Some(column) => column < join.right.schema().fields().len() && is_stored(&join.right, column),
            }
        }
        LogicalPlan::Union(node) => node.inputs.iter().all(|input| is_stored(input, column)),
        LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Distinct(datafusion::logical_expr::Distinct::All(_)) => {
            plan.inputs().first().is_some_and(|input| is_stored(input, column))
        }
        _ => false,
    }
}

fn is_stored_in(input: &LogicalPlan, expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => is_stored_in(input, &alias.expr),
        Expr::Column(name) => input.schema().maybe_index_of_column(name).is_some_and(|column| is_stored(input, column)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{DataType, Field, Schema};

    use super::*;
    use crate::testing::session;

    #[tokio::test]
    async fn columns_are_followed_through_a_statement_to_a_table() {
        let context = session(1);
        let fields = ["latitude", "longitude", "h"].map(|name| Field::new(name, DataType::Float64, false));
        let rows = isdb_testing::batch(&std::sync::Arc::new(Schema::new(fields.to_vec())), &[]);
        context.register_batch("a", rows).unwrap();
        for (sql, expected) in [
            (
                "SELECT latitude AS y, -longitude AS x, CAST(h AS FLOAT) AS g FROM a WHERE h > 1 ORDER BY h LIMIT 3",
                "TFF",
            ),
            ("SELECT DISTINCT y FROM (SELECT latitude AS y FROM a) b", "T"),
            ("SELECT latitude, max(longitude), count(*) FROM a GROUP BY latitude", "TFF"),
            ("SELECT b.longitude, a.latitude + 0 FROM a JOIN a b ON a.h = b.h", "TF"),
            ("SELECT latitude FROM a UNION ALL SELECT -latitude FROM a", "F"),
            ("SELECT latitude, row_number() OVER (ORDER BY h) FROM a", "TF"),
            ("WITH c AS (SELECT * FROM a) SELECT * FROM c", "TTT"),
        ] {
            let plan = context.sql(sql).await.unwrap().into_unoptimized_plan();
            let found: String = stored_columns(&plan).iter().map(|is| if *is { 'T' } else { 'F' }).collect();
            assert_eq!(found, expected, "{sql}");
        }
    }
}
