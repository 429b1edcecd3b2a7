//! Names of elements of profiles in statements: `canopy_h_metrics_p50` is `element(canopy_h_metrics, '50')` where no column has that name.

use std::ops::ControlFlow;

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, Query, SelectItem, SetExpr, Statement as SqlStatement, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use isdb_schema::elements::find_element;

/// Replaces the column that `error` does not know in `statement`, if it is the name of an element. Returns whether it is.
pub(super) fn replace_unknown(statement: &mut Statement, error: &DataFusionError) -> bool {
    let DataFusionError::SchemaError(error, _) = error.find_root() else { return false };
    let SchemaError::FieldNotFound { field, .. } = error.as_ref() else { return false };
    let Some((profile, label)) = find_element(&field.name) else { return false };
    let mut replacement = Replacement { name: field.name.clone(), profile, label, is_done: false };
    let Some(statement) = sql_statement(statement) else { return false };
    // The visitor never breaks.
    let _ = statement.visit(&mut replacement);
    replacement.is_done
}

fn sql_statement(statement: &mut Statement) -> Option<&mut SqlStatement> {
    match statement {
        Statement::Statement(statement) => Some(statement),
        Statement::Explain(explain) => sql_statement(&mut explain.statement),
        _ => None,
    }
}

struct Replacement {
    name: String,
    profile: &'static str,
    label: String,
    is_done: bool,
}

impl Replacement {
    /// Returns the call for a name, with its table if it has one.
    fn call(&self, expr: &Expr) -> Option<Expr> {
        let (table, last) = match expr {
            Expr::Identifier(name) => (None, name),
            Expr::CompoundIdentifier(parts) => parts.split_last().map(|(last, table)| (Some(table), last))?,
            _ => return None,
        };
        if last.value != self.name {
            return None;
        }
        let table = table.into_iter().flatten().map(|part| format!("{part}."));
        let profile = table.chain([self.profile.to_owned()]).collect::<String>();
        let text = format!("element({profile}, '{}')", self.label);
        Parser::new(&GenericDialect {}).try_with_sql(&text).ok()?.parse_expr().ok()
    }
}

impl VisitorMut for Replacement {
    type Break = ();

    /// A selected name stays the name of its column.
    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.name_columns(&mut query.body);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Some(call) = self.call(expr) {
            *expr = call;
            self.is_done = true;
        }
        ControlFlow::Continue(())
    }
}

impl Replacement {
    fn name_columns(&self, body: &mut SetExpr) {
        match body {
            SetExpr::Select(select) => {
                for item in &mut select.projection {
                    if let SelectItem::UnnamedExpr(expr) = item
                        && self.call(expr).is_some()
                    {
                        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::new(&self.name) };
                    }
                }
            }
            SetExpr::SetOperation { left, right, .. } => {
                self.name_columns(left);
                self.name_columns(right);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, FixedSizeListArray, RecordBatch};
    use arrow::datatypes::{Float32Type, Schema};
    use isdb_schema::catalogue::variable;

    use crate::statement::read_only::ReadOnly;
    use crate::testing::session;

    #[tokio::test]
    async fn an_element_is_found_by_the_name_of_its_column_in_files_unless_a_column_has_it() {
        let context = session(1);
        let profile = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(
            [100_i16, 200]
                .map(|first| Some((0..18).map(move |step| Some(f32::from(first + step))).collect::<Vec<_>>())),
            18,
        );
        let schema = Arc::new(Schema::new(vec![variable("canopy_h_metrics").unwrap().field()]));
        context.register_batch("p", RecordBatch::try_new(schema, vec![Arc::new(profile)]).unwrap()).unwrap();
        context.sql("CREATE VIEW flat AS SELECT CAST(7 AS FLOAT) AS canopy_h_metrics_p50").await.unwrap();
        let read_only = ReadOnly::new(&context);
        for (sql, name, expected) in [
            ("SELECT canopy_h_metrics_p50 FROM p WHERE canopy_h_metrics_p10 > 150", "canopy_h_metrics_p50", 208.0),
            ("SELECT max(q.canopy_h_metrics_p95) AS h FROM p AS q", "h", 217.0),
            ("SELECT canopy_h_metrics_p50 FROM flat", "canopy_h_metrics_p50", 7.0),
            (
                "SELECT x FROM (SELECT canopy_h_metrics_p15 AS x FROM p ORDER BY canopy_h_metrics_p20 DESC LIMIT 1) AS s",
                "x",
                201.0,
            ),
        ] {
            let plan = read_only.plan(&context, sql).await.unwrap();
            let rows = context.execute_logical_plan(plan).await.unwrap().collect().await.unwrap();
            assert_eq!(rows[0].schema().field(0).name(), name, "{sql}");
            assert_eq!(rows[0].column(0).as_primitive::<Float32Type>().value(0), expected, "{sql}");
        }
        assert!(read_only.plan(&context, "SELECT canopy_h_metrics_p98 FROM p").await.is_err());
    }
}
