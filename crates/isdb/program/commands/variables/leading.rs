//! What is told of the columns that isdb itself puts before a segment's variables, such as `beam` and `sc_orient`.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field};
use isdb_schema::catalogue::named;
use isdb_schema::segments::stored_fields;

use crate::cli::Format;
use crate::failure::{Failure, SUCCESS};
use crate::output;

/// The leading column called `name`, in upper or lower case; None for the product's variables among them.
pub(super) fn column(name: &str) -> Option<Field> {
    let name = name.to_lowercase();
    stored_fields(&[]).into_iter().find(|field| *field.name() == name && named(&name).is_none())
}

/// Tells all about `column` for reading, or as one row where a format is asked for. It is stored in every database, which is
/// said where there `is_database`.
pub(super) async fn tell(column: &Field, is_database: bool, format: Option<Format>) -> Result<u8, Failure> {
    let fact = |key: &str| column.metadata().get(key).map_or("", String::as_str);
    let (kind, stored) = (type_of(column), if is_database { "yes" } else { "" });
    let Some(format) = format else {
        let mut block = format!("{}: {}\n", column.name(), fact("long_name"));
        for (name, fact) in [("type", kind), ("units", fact("units")), ("stored", stored)] {
            if !fact.is_empty() {
                block.push_str(&format!("  {name:<20}{fact}\n"));
            }
        }
        for (index, (code, meaning)) in words(fact("flag_values")).zip(words(fact("flag_meanings"))).enumerate() {
            let name = if index == 0 { "flags" } else { "" };
            block.push_str(&format!("  {name:<20}{code:>3}  {meaning}\n"));
        }
        output::print(&block)?;
        return Ok(SUCCESS);
    };
    let mut row = vec![("name", column.name().as_str()), ("path", ""), ("type", kind), ("units", fact("units"))];
    row.extend([("vertical_reference", "none"), ("releases", "004 005 006 007")]);
    row.extend(is_database.then_some(("stored", stored)));
    row.push(("description", fact("long_name")));
    let cells = row.into_iter().map(|(name, cell)| (name, Arc::new(StringArray::from(vec![cell])) as ArrayRef));
    let count = output::write_batch(RecordBatch::try_from_iter(cells)?, format).await?;
    eprintln!("variables: {count}");
    Ok(SUCCESS)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

fn type_of(column: &Field) -> &'static str {
    match column.data_type() {
        DataType::Timestamp(..) => "timestamp in UTC, nanoseconds",
        DataType::Int8 => "int8",
        DataType::Int64 => "int64",
        _ => "text",
    }
}
