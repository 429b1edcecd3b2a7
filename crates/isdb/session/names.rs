//! Names that are not there: the error says which, and the hint what may have been meant.

use std::path::Path;

use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use isdb_datafusion::is_file_name;
use isdb_schema::suggest::{missing_column, near_told};

use crate::failure::Failure;

/// The failure of a statement that names a column which its tables do not have; None if `error` is another one.
pub(crate) async fn unknown_column(context: &SessionContext, error: &DataFusionError) -> Option<Failure> {
    let DataFusionError::SchemaError(error, _) = error.find_root() else { return None };
    let SchemaError::FieldNotFound { field, valid_fields } = error.as_ref() else { return None };
    let elsewhere = tables_with(context, field.name()).await;
    let hint = column_hint(field.name(), valid_fields, &elsewhere);
    Some(Failure::UnknownColumn { name: field.flat_name(), hint })
}

/// What to write instead of the column `typed`, where `valid` could have been written, and `elsewhere` are the tables that
/// do have it.
fn column_hint(typed: &str, valid: &[Column], elsewhere: &[String]) -> String {
    if !elsewhere.is_empty() {
        return format!("{typed} is a column of {}", elsewhere.join(", "));
    }
    missing_column(typed).unwrap_or_else(|| {
        let near = near_told(typed, valid.iter().map(Column::name));
        format!("`DESCRIBE atl08` lists the columns{near}")
    })
}

/// The failure of a statement that names a table or a file which is not there; None if all of them are.
pub(crate) async fn unknown_table(context: &SessionContext, sql: &str) -> Option<Failure> {
    let state = context.state();
    let dialect = state.config().options().sql_parser.dialect;
    let statement = state.sql_to_statement(sql, &dialect).ok()?;
    for named in state.resolve_table_references(&statement).ok()? {
        if !matches!(context.table_exist(named.clone()), Ok(false)) {
            continue;
        }
        let name = named.table();
        if is_file_name(name) {
            if Path::new(name).exists() {
                continue;
            }
            let hint = if name.contains("://") {
                Some("only files of this machine can be read: copy it here first")
            } else if name.contains(['*', '?']) {
                Some("a name in quotes is one file, patterns are not expanded; UNION ALL puts several together")
            } else {
                None
            };
            return Some(Failure::NoFile { name: name.to_owned(), hint });
        }
        let tables = tables(context);
        let near = near_told(name, tables.iter().map(String::as_str));
        let hint = format!("the tables are {}{near}", tables.join(", "));
        return Some(Failure::UnknownTable { name: named.to_string(), hint });
    }
    None
}

/// The tables and views of the session, in the order of their names.
pub(crate) fn tables(context: &SessionContext) -> Vec<String> {
    let state = context.state();
    let defaults = &state.config().options().catalog;
    let catalog = context.catalog(&defaults.default_catalog);
    let schema = catalog.and_then(|catalog| catalog.schema(&defaults.default_schema));
    let mut names = schema.map_or_else(Vec::new, |schema| schema.table_names());
    names.sort();
    names
}

async fn tables_with(context: &SessionContext, column: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in tables(context) {
        let provider = context.table_provider(name.as_str()).await;
        if provider.is_ok_and(|table| table.schema().index_of(column).is_ok()) {
            found.push(name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(typed: &str, valid: &[&str]) -> String {
        let valid: Vec<Column> = valid.iter().map(|name| Column::from_name(*name)).collect();
        column_hint(typed, &valid, &[])
    }

    #[test]
    fn any_other_name_is_told_with_what_is_near_it() {
        assert_eq!(
            hint("h_canopi", &["latitude", "h_canopy"]),
            "`DESCRIBE atl08` lists the columns; near it: h_canopy"
        );
        assert_eq!(hint("velocity", &["latitude"]), "`DESCRIBE atl08` lists the columns");
    }

    #[test]
    fn a_column_of_another_table_is_told_with_that_table() {
        assert_eq!(column_hint("canopy_h", &[], &["atl08".to_owned()]), "canopy_h is a column of atl08");
    }
}
