//! Adapts a shipped view to the columns that a database stores. The view names every column of the product; the missing ones are
//! removed before the view is created.

use std::collections::BTreeSet;

use arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::ast::{Expr, SelectItem, SetExpr, Statement};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use crate::error::Result;

/// Returns the SQL of `view`, a `SELECT`, without items whose column is missing in its table, and without items that would repeat a
/// name. `tables` lists the schemas of the tables under the aliases that the view uses; `alias.*` covers all columns of its table.
///
/// # Errors
/// When `view` is not a single `SELECT`.
pub(super) fn select_stored_columns(view: &str, tables: &[(&str, SchemaRef)]) -> Result<String> {
    let mut statements = Parser::parse_sql(&GenericDialect {}, view).map_err(DataFusionError::from)?;
    let Some(Statement::Query(query)) = statements.first_mut() else { return Err(not_a_select(view)) };
    let SetExpr::Select(select) = query.body.as_mut() else { return Err(not_a_select(view)) };
    let columns = |alias: &str| -> Vec<String> {
        let table = tables.iter().find(|(name, _)| *name == alias);
        table.map_or_else(Vec::new, |(_, table)| table.fields().iter().map(|f| f.name().clone()).collect())
    };
    let mut names = BTreeSet::new();
    select.projection.retain(|item| match item {
        SelectItem::QualifiedWildcard(kind, _) => {
            names.extend(columns(kind.to_string().trim_end_matches(".*")));
            true
        }
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => match parts.as_slice() {
            [alias, column] => columns(&alias.value).contains(&column.value) && names.insert(column.value.clone()),
            _ => true,
        },
        SelectItem::ExprWithAlias { expr: Expr::CompoundIdentifier(parts), alias: name } => match parts.as_slice() {
            [alias, column] => columns(&alias.value).contains(&column.value) && names.insert(name.value.clone()),
            _ => true,
        },
        _ => true,
    });
    Ok(query.to_string())
}

fn not_a_select(view: &str) -> crate::error::Error {
    DataFusionError::Plan(format!("a view must be one SELECT: {view}")).into()
}
