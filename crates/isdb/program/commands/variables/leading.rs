//! The leading columns of a segment, which isdb derives, such as `beam` and `sc_orient`.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field};
use isdb_schema::catalogue::named;
use isdb_schema::segments::stored_fields;

use crate::program::aligned::named_values;
use crate::program::cli::Format;
use crate::program::error::CliError;
use crate::program::exit_code::SUCCESS;
use crate::program::output;

/// Returns the leading column called `name`, in upper or lower case; None for a variable of the product.
pub(super) fn find_column(name: &str) -> Option<Field> {
    let name = name.to_lowercase();
    stored_fields(&[]).into_iter().find(|field| *field.name() == name && named(&name).is_none())
}

/// Prints `column` in full, or as one row in a requested format. Every database stores it, which is printed if `has_database`.
pub(super) async fn print(column: &Field, has_database: bool, format: Option<Format>) -> Result<u8, CliError> {
    let metadata = |key: &str| column.metadata().get(key).map_or("", String::as_str);
    let (kind, stored) = (type_name(column), if has_database { "yes" } else { "" });
    let Some(format) = format else {
        let codes = words(metadata("flag_values")).zip(words(metadata("flag_meanings")));
        let codes: Vec<String> = codes.map(|(code, meaning)| format!("{code:>3}  {meaning}")).collect();
        let codes = codes.join("\n");
        let facts = [("type", kind), ("units", metadata("units")), ("stored", stored), ("flags", codes.as_str())];
        let facts = named_values(facts.map(|(name, value)| (name.to_owned(), value.to_owned())));
        output::print(&format!("{}: {}\n{}\n", column.name(), metadata("long_name"), facts.join("\n")))?;
        return Ok(SUCCESS);
    };
    let mut row = vec![("name", column.name().as_str()), ("path", ""), ("type", kind), ("units", metadata("units"))];
    row.extend([("vertical_reference", "none"), ("releases", "004 005 006 007")]);
    row.extend(has_database.then_some(("stored", stored)));
    row.push(("description", metadata("long_name")));
    let cells = row.into_iter().map(|(name, cell)| (name, Arc::new(StringArray::from(vec![cell])) as ArrayRef));
    let count = output::write_batch(RecordBatch::try_from_iter(cells)?, format).await?;
    eprintln!("variables: {count}");
    Ok(SUCCESS)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

fn type_name(column: &Field) -> &'static str {
    match column.data_type() {
        DataType::Timestamp(..) => "timestamp in UTC, nanoseconds",
        DataType::Int8 => "int8",
        DataType::Int64 => "int64",
        _ => "text",
    }
}
