//! The columns of a new array, from its layout and Arrow schema.

use arrow::datatypes::Schema;

use crate::error::{Error, Result};
use crate::schema::column::Column;
use crate::schema::layout::ArrayLayout;

/// Returns the columns of `schema`: the dimensions in the layout's order, then the attributes in the schema's.
///
/// # Errors
/// [`Error::Unsupported`] for a dimension without a fitting field, a name used twice, or a type that cannot be stored.
pub(crate) fn columns(layout: &ArrayLayout, schema: &Schema) -> Result<Vec<Column>> {
    let unsupported = |column: &str, reason: String| Error::Unsupported { column: column.to_owned(), reason };
    let mut columns = Vec::with_capacity(schema.fields().len());
    for dimension in &layout.dimensions {
        let field = schema.field_with_name(&dimension.name);
        let field =
            field.map_err(|_| unsupported(&dimension.name, "the dimension has no field in the schema".to_owned()))?;
        let mut column = Column::from_field(field, true)?;
        if column.nullable || column.width != 1 || column.physical != dimension.domain.value_type() {
            let expected = dimension.domain.value_type().to_arrow();
            return Err(unsupported(
                &dimension.name,
                format!(
                    "expected a {expected} field that is not nullable, found {}{}",
                    field.data_type(),
                    if field.is_nullable() { ", nullable" } else { "" }
                ),
            ));
        }
        column.physical = dimension.domain.physical_type();
        columns.push(column);
    }
    for (at, field) in schema.fields().iter().enumerate() {
        if schema.fields().iter().take(at).any(|earlier| earlier.name() == field.name()) {
            return Err(unsupported(field.name(), "the name is used twice".to_owned()));
        }
        if !layout.dimensions.iter().any(|dimension| dimension.name == *field.name()) {
            columns.push(Column::from_field(field, false)?);
        }
    }
    Ok(columns)
}
