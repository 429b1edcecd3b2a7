//! Names that are not there: the error says which, and the hint what may have been meant.

use std::path::Path;

use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use isdb_query::is_file_name;
use isdb_schema::codes::is_code_word;
use isdb_schema::suggest::{did_you_mean, missing_column, similar_names, suggestion};

use crate::failure::Failure;

/// The failure of a statement that names a column which its tables do not have; None if `error` is another one.
pub(crate) async fn unknown_column(context: &SessionContext, error: &DataFusionError) -> Option<Failure> {
    let DataFusionError::SchemaError(error, _) = error.find_root() else { return None };
    let SchemaError::FieldNotFound { field, valid_fields } = error.as_ref() else { return None };
    let elsewhere = tables_with(context, field.name()).await;
    let hint = column_hint(field, valid_fields, &elsewhere);
    Some(Failure::UnknownColumn { name: field.flat_name(), hint })
}

/// What to write instead of the column `typed`, where `valid` could have been written, and `elsewhere` are the tables that
/// do have it.
fn column_hint(typed: &Column, valid: &[Column], elsewhere: &[String]) -> String {
    let name = typed.name();
    // The columns of the table that the statement names before the column; of all tables where it names none of them.
    let of_table: Vec<&Column> =
        valid.iter().filter(|column| typed.relation.is_some() && column.relation == typed.relation).collect();
    let of_table = if of_table.is_empty() { valid.iter().collect() } else { of_table };
    let other_name = valid.iter().find(|column| column.name() == name && column.relation != typed.relation);
    if let (Some(table), Some(Column { relation: Some(alias), .. })) = (&typed.relation, other_name) {
        return format!("the statement calls that table {alias} and not {table}: write {alias}.{name}");
    }
    if let Some(other) =
        of_table.iter().find(|column| column.name() != name && column.name().eq_ignore_ascii_case(name))
    {
        return format!("capitals need double quotes: write \"{}\"", other.name());
    }
    if is_code_word(name) {
        return format!("a text is written in single quotes: '{}'", name.to_lowercase());
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

/// A name as SQL has to write it: in double quotes where it has capitals, blanks or the like.
fn quoted(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_lowercase() || c.is_ascii_digit() || c == '_')
        && name.chars().next().is_some_and(|c| !c.is_ascii_digit());
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
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
        let near = did_you_mean(name, tables.iter().map(String::as_str));
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

    const ATL08: [&str; 3] = ["latitude", "h_canopy", "segment_id_beg"];

    fn columns(table: &str, names: &[&str]) -> Vec<Column> {
        names.iter().map(|name| Column::new(Some(table), *name)).collect()
    }

    fn hint(typed: &str, valid: &[Column]) -> String {
        column_hint(&Column::from_name(typed), valid, &[])
    }

    #[test]
    fn any_other_name_is_told_with_what_is_near_it() {
        let atl08 = columns("atl08", &ATL08);
        assert_eq!(hint("h_canopi", &atl08), "`DESCRIBE atl08` lists the columns; did you mean h_canopy?");
        assert_eq!(hint("velocity", &atl08), "`DESCRIBE atl08` lists the columns");
    }

    #[test]
    fn a_column_of_another_table_is_told_with_that_table() {
        let typed = Column::from_name("canopy_h");
        assert_eq!(column_hint(&typed, &[], &["atl08".to_owned()]), "canopy_h is a column of atl08");
    }

    #[test]
    fn a_table_is_named_as_the_statement_calls_it() {
        let typed = Column::new(Some("atl08"), "latitude");
        let told = column_hint(&typed, &columns("a", &ATL08), &["atl08".to_owned()]);
        assert_eq!(told, "the statement calls that table a and not atl08: write a.latitude");
    }

    #[test]
    fn the_columns_of_a_file_are_told_as_they_are_to_be_written() {
        let plots = columns("p", &["Plot", "site name", "Lat", "height"]);
        assert_eq!(hint("plot", &plots), "capitals need double quotes: write \"Plot\"");
        assert_eq!(
            column_hint(&Column::new(Some("p"), "lat"), &plots, &[]),
            "capitals need double quotes: write \"Lat\""
        );
        let listed = "the columns are \"Plot\", \"site name\", \"Lat\", height";
        assert_eq!(hint("site", &plots), format!("{listed}; did you mean \"site name\"?"));
        assert_eq!(hint("date", &plots), listed, "and not that of the product");
        assert_eq!(column_hint(&Column::from_name("canopy_h"), &plots, &["atl08".to_owned()]), listed);
    }

    #[test]
    fn beside_a_file_the_product_s_names_are_explained() {
        let mut both = columns("p", &["Plot", "height"]);
        both.extend(columns("a", &ATL08));
        assert!(hint("rh98", &both).contains("canopy_h (h_canopy)"));
        assert_eq!(hint("plot", &both), "capitals need double quotes: write \"Plot\"");
        assert_eq!(column_hint(&Column::new(Some("p"), "date"), &both, &[]), "the columns are \"Plot\", height");
    }
}
