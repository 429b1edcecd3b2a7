//! What values mean where an array does not say it, as in arrays of other programs: which are NULL, and which are times.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use tiledb_format::Datatype;

use crate::error::{Error, Result};
use crate::literal::Literal;
use crate::schema::column::{Column, Fill, NULL_IS_NAN, NULL_KEY};
use crate::schema::physical::PhysicalType;

/// What the values of an attribute mean. See [`Array::with_meanings`](crate::Array::with_meanings).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meaning {
    /// NaN and floats from this one on are NULL.
    NullFrom(f64),
    /// This integer is NULL.
    NullAt(i64),
    /// Integers of 64 bits are nanoseconds since 1970, UTC.
    Nanoseconds,
}

impl Column {
    /// Whether cells of this datatype are values of the column.
    pub(crate) fn is_stored_as(&self, datatype: Datatype) -> bool {
        self.physical.is_stored_as(datatype) || (self.is_time_in_integers && datatype == Datatype::Int64)
    }

    /// Sets what the values of the column mean.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if values of its type cannot mean that.
    fn set_meaning(&mut self, meaning: Meaning) -> Result<()> {
        let is_integer = !self.physical.is_float()
            && !matches!(self.physical, PhysicalType::Text | PhysicalType::Bool | PhysicalType::TimestampNs);
        let fill = match meaning {
            Meaning::NullFrom(first) if self.physical.is_float() && !first.is_nan() => Some(Fill::From(first)),
            Meaning::NullAt(value) if is_integer => {
                let literal = u64::try_from(value).map_or(Literal::Int(value), Literal::UInt);
                literal.to_bytes(self.physical).map(Fill::At)
            }
            Meaning::Nanoseconds if self.physical == PhysicalType::Int64 => {
                self.physical = PhysicalType::TimestampNs;
                self.is_time_in_integers = true;
                return Ok(());
            }
            _ => None,
        };
        match fill {
            Some(fill) if self.width == 1 && !self.nullable && !self.is_dimension && self.enumeration.is_none() => {
                self.nullable = true;
                self.fill = Some(fill);
                Ok(())
            }
            _ => {
                let reason = format!("expected an attribute whose values can mean {meaning:?}, found {}", self.field());
                Err(Error::Unsupported { column: self.name.clone(), reason })
            }
        }
    }
}

/// Returns the columns, which have fields of the same names in `schema`, and the fields with these meanings of attributes.
///
/// # Errors
/// [`Error::UnknownColumn`] and [`Error::Unsupported`].
pub(crate) fn with_meanings(
    uri: &str,
    columns: &[Column],
    schema: &Schema,
    meanings: &[(String, Meaning)],
) -> Result<(Vec<Column>, SchemaRef)> {
    let (mut columns, mut fields) = (columns.to_vec(), schema.fields().to_vec());
    for (name, meaning) in meanings {
        let column = columns.iter_mut().find(|column| column.name == *name);
        let found = column.zip(fields.iter_mut().find(|field| field.name() == name));
        let unknown = || Error::UnknownColumn { uri: uri.to_owned(), column: name.clone() };
        let (column, field) = found.ok_or_else(unknown)?;
        column.set_meaning(*meaning)?;
        let mut metadata = field.metadata().clone();
        if matches!(column.fill, Some(Fill::From(_))) {
            // NaN is NULL, so that conditions can be pushed down.
            metadata.insert(NULL_KEY.to_owned(), NULL_IS_NAN.to_owned());
        }
        *field = Arc::new(column.field().with_metadata(metadata));
    }
    Ok((columns, Arc::new(Schema::new(fields).with_metadata(schema.metadata().clone()))))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::DataType;

    use super::*;

    #[test]
    fn a_value_that_the_type_does_not_have_cannot_mean_null() {
        let column = |physical| Column::new("a".to_owned(), physical, 1, false, false).unwrap();
        for (physical, meaning) in [
            (PhysicalType::Int8, Meaning::NullAt(128)),
            (PhysicalType::UInt8, Meaning::NullAt(-1)),
            (PhysicalType::Float32, Meaning::NullAt(0)),
            (PhysicalType::Int32, Meaning::NullFrom(1.0)),
            (PhysicalType::Int32, Meaning::Nanoseconds),
            (PhysicalType::Text, Meaning::NullAt(0)),
        ] {
            let refused = column(physical).set_meaning(meaning).unwrap_err().to_string();
            assert!(refused.contains("expected an attribute"), "{refused}");
        }
        let mut column = column(PhysicalType::UInt8);
        column.set_meaning(Meaning::NullAt(255)).unwrap();
        assert_eq!((column.field().is_nullable(), column.field().data_type()), (true, &DataType::UInt8));
    }
}
