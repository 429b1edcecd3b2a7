//! Arrow field metadata, kept among an array's metadata as `<field>.<key>`.

use std::collections::{BTreeMap, HashMap};

use arrow::datatypes::{Field, Schema, SchemaRef};

use crate::error::{Error, Result};
use crate::metadata::MetadataValue;
use crate::schema::column::{ADDED_LATER, Column, ELEMENT_NULL, ITEM_NULLABLE};

/// Returns the array metadata that stores the metadata of `schema`'s fields.
///
/// # Errors
/// [`Error::Unsupported`] for a key that would be read back as another field's.
pub(crate) fn entries(schema: &Schema, columns: &[Column]) -> Result<Vec<(String, MetadataValue)>> {
    let mut entries = Vec::new();
    for column in columns {
        let field = schema.field_with_name(&column.name);
        let metadata = field.iter().flat_map(|field| field.metadata());
        for (key, value) in metadata.filter(|(key, _)| *key != ADDED_LATER) {
            let full = format!("{}.{key}", column.name);
            if split(&full, columns) != Some((&column.name, key)) {
                let reason = format!("the metadata key {key} is ambiguous: {full} also names another column");
                return Err(Error::Unsupported { column: column.name.clone(), reason });
            }
            entries.push((full, MetadataValue::Text(value.clone())));
        }
        if column.element_null.is_some() {
            entries.push((format!("{}.{ITEM_NULLABLE}", column.name), MetadataValue::Int(1)));
        }
    }
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(entries)
}

/// Returns the Arrow schema of `columns` with the fields' metadata, and sets the columns' markers of NULL list elements.
pub(crate) fn restore(columns: &mut [Column], entries: &BTreeMap<String, MetadataValue>) -> Result<SchemaRef> {
    let mut by_column: HashMap<String, HashMap<String, String>> = HashMap::new();
    let mut nullable_items: Vec<String> = Vec::new();
    for (full, value) in entries {
        match (split(full, columns), value) {
            (Some((column, ITEM_NULLABLE)), _) => nullable_items.push(column.to_owned()),
            (Some((column, key)), MetadataValue::Text(text)) => {
                by_column.entry(column.to_owned()).or_default().insert(key.to_owned(), text.clone());
            }
            _ => {}
        }
    }
    let mut fields: Vec<Field> = Vec::with_capacity(columns.len());
    for column in columns {
        let mut metadata = by_column.remove(&column.name).unwrap_or_default();
        metadata.remove(ADDED_LATER);
        if column.schemas_without > 0 {
            metadata.insert(ADDED_LATER.to_owned(), "true".to_owned());
        }
        column.restore(&metadata)?;
        if nullable_items.contains(&column.name) {
            column.element_null = Some(column.parse_element_null(metadata.get(ELEMENT_NULL).map(String::as_str))?);
        }
        fields.push(column.field().with_metadata(metadata));
    }
    Ok(SchemaRef::new(Schema::new(fields)))
}

/// Splits `<column>.<key>`; the longest column name wins.
fn split<'a>(full: &'a str, columns: &[Column]) -> Option<(&'a str, &'a str)> {
    let key_of = |column: &Column| full.strip_prefix(&column.name)?.strip_prefix('.');
    let longest = columns.iter().filter(|column| key_of(column).is_some()).max_by_key(|column| column.name.len())?;
    let key = key_of(longest)?;
    full.get(..longest.name.len()).map(|name| (name, key))
}
