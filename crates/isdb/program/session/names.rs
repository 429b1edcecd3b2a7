//! Errors for unknown columns, tables and files, with suggestions.

use std::path::Path;

use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use isdb_query::is_file_name;
use isdb_schema::codes::is_code_word;
use isdb_schema::suggest::{did_you_mean, missing_column, similar_names, suggestion};

use crate::program::error::CliError;

/// Returns the error of a statement with a column that its tables do not have; None if `error` is another error.
pub(crate) async fn unknown_column(context: &SessionContext, error: &DataFusionError) -> Option<CliError> {
    let DataFusionError::SchemaError(error, _) = error.find_root() else { return None };
    let SchemaError::FieldNotFound { field, valid_fields } = error.as_ref() else { return None };
    let elsewhere = tables_with(context, field.name()).await;
    let hint = column_hint(field, valid_fields, &elsewhere);
    Some(CliError::UnknownColumn { name: field.flat_name(), hint })
}

/// Suggests a replacement for the column `typed`. `valid` are the columns of the statement's tables, `elsewhere` the tables that
/// have a column of that name.
fn column_hint(typed: &Column, valid: &[Column], elsewhere: &[String]) -> String {
    let name = typed.name();
    // The columns of the table that qualifies `typed`, or of all tables if none matches.
    let of_table: Vec<&Column> =
        valid.iter().filter(|column| typed.relation.is_some() && column.relation == typed.relation).collect();
    let of_table = if of_table.is_empty() { valid.iter().collect() } else { of_table };
    let other_name = valid.iter().find(|column| column.name() == name && column.relation != typed.relation);
    if let (Some(table), Some(Column { relation: Some(alias), .. })) = (&typed.relation, other_name) {
        return format!("the statement's alias of {table} is {alias}: write {alias}.{name}");
    }
    if let Some(other) =
        of_table.iter().find(|column| column.name() != name && column.name().eq_ignore_ascii_case(name))
    {
        return format!("capitals need double quotes: write \"{}\"", other.name());
    }
    if is_code_word(name) {
        return format!("text belongs in single quotes: '{}'", name.to_lowercase());
    }
    let is_atl08 =
        of_table.is_empty() || of_table.iter().any(|column| ["ingest_id", "segment_id_beg"].contains(&column.name()));
    if !elsewhere.is_empty() && is_atl08 {
        return format!("{name} is a column of {}", elsewhere.join(", "));
    }
    if let Some(instead) = missing_column(name).filter(|_| is_atl08) {
        return instead;
    }
    let near: Vec<String> =
        similar_names(name, of_table.iter().map(|column| column.name())).into_iter().map(quoted).collect();
    let near = suggestion(&near);
    match is_atl08 {
        true => format!("`DESCRIBE atl08` lists the columns{near}"),
        false => {
            let mut columns: Vec<String> = of_table.iter().map(|column| quoted(column.name())).collect();
            columns.dedup();
            format!("the columns are {}{near}", columns.join(", "))
        }
    }
}

/// Returns a name as SQL requires it: in double quotes if it has capitals, blanks or the like.
fn quoted(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_lowercase() || c.is_ascii_digit() || c == '_')
        && name.chars().next().is_some_and(|c| !c.is_ascii_digit());
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// Returns the error of a statement with an unknown table or file; None if all tables and files exist.
pub(crate) async fn unknown_table(context: &SessionContext, sql: &str) -> Option<CliError> {
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
                Some("a name in quotes is one file, patterns are not expanded; UNION ALL combines several")
            } else {
                None
            };
            return Some(CliError::NoFile { name: name.to_owned(), hint });
        }
        let tables = tables(context);
        let near = did_you_mean(name, tables.iter().map(String::as_str));
        let hint = format!("the tables are {}{near}", tables.join(", "));
        return Some(CliError::UnknownTable { name: named.to_string(), hint });
    }
    None
}

/// Returns the tables and views of the session, sorted by name.
pub(crate) fn tables(context: &SessionContext) -> Vec<String> {
    let state = context.state();
    let defaults = &state.config().options().catalog;
    let catalog = context.catalog(&defaults.default_catalog);
    let schema = catalog.and_then(|catalog| catalog.schema(&defaults.default_schema));
    let mut names = schema.map_or_else(Vec::new, |schema| schema.table_names());
    names.sort();
    names
}

/// Returns the tables and views that have a column of this name.
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

    const ATL08: [&str; 3] = ["latitude", "h_canopy", "segment_id_beg"];

    fn columns(table: &str, names: &[&str]) -> Vec<Column> {
        names.iter().map(|name| Column::new(Some(table), *name)).collect()
    }

    fn hint(typed: &str, valid: &[Column]) -> String {
        column_hint(&Column::from_name(typed), valid, &[])
    }

    #[test]
    fn an_unknown_column_gets_a_similar_name() {
        let atl08 = columns("atl08", &ATL08);
        assert_eq!(hint("h_canopi", &atl08), "`DESCRIBE atl08` lists the columns; did you mean h_canopy?");
        assert_eq!(hint("velocity", &atl08), "`DESCRIBE atl08` lists the columns");
    }

    #[test]
    fn a_column_of_another_table_names_that_table() {
        let typed = Column::from_name("canopy_h");
        assert_eq!(column_hint(&typed, &[], &["atl08".to_owned()]), "canopy_h is a column of atl08");
    }

    #[test]
    fn an_alias_replaces_the_name_of_its_table() {
        let typed = Column::new(Some("atl08"), "latitude");
        let hint = column_hint(&typed, &columns("a", &ATL08), &["atl08".to_owned()]);
        assert_eq!(hint, "the statement's alias of atl08 is a: write a.latitude");
    }

    #[test]
    fn columns_of_a_file_are_listed_as_sql_requires_them() {
        let plots = columns("p", &["Plot", "site name", "Lat", "height"]);
        assert_eq!(hint("plot", &plots), "capitals need double quotes: write \"Plot\"");
        assert_eq!(
            column_hint(&Column::new(Some("p"), "lat"), &plots, &[]),
            "capitals need double quotes: write \"Lat\""
        );
        let listed = "the columns are \"Plot\", \"site name\", \"Lat\", height";
        assert_eq!(hint("site", &plots), format!("{listed}; did you mean \"site name\"?"));
        assert_eq!(hint("date", &plots), listed, "the columns of the product are not suggested");
        assert_eq!(column_hint(&Column::from_name("canopy_h"), &plots, &["atl08".to_owned()]), listed);
    }

    #[test]
    fn columns_of_the_product_are_explained_in_a_join_with_a_file() {
        let mut both = columns("p", &["Plot", "height"]);
        both.extend(columns("a", &ATL08));
        assert!(hint("rh98", &both).contains("canopy_h (h_canopy)"));
        assert_eq!(hint("plot", &both), "capitals need double quotes: write \"Plot\"");
        assert_eq!(column_hint(&Column::new(Some("p"), "date"), &both, &[]), "the columns are \"Plot\", height");
    }
}
