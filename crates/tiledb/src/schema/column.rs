//! Columns: dimensions and attributes, as Arrow fields and as TileDB's datatype, values per cell and nullability.

use std::ffi::CString;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};

use crate::context::c_text;
use crate::error::{Error, Result};
use crate::literal::Literal;
use crate::predicate::{NAN_KEY, NAN_NEVER};
use crate::schema::physical::PhysicalType;

/// Field metadata key of the integer that marks a NULL list element on disk.
pub(crate) const ELEMENT_NULL: &str = "element_null";
/// Array metadata key, after the field's name, of lists whose elements may be NULL.
pub(crate) const ITEM_NULLABLE: &str = "item_nullable";
/// Field metadata key, with the value `true`, of an attribute that was added after the array was created. The attribute is NULL
/// in cells stored before, and TileDB cannot evaluate [`Predicate::IsNull`](crate::Predicate::IsNull) on it.
/// [`Array::schema`](crate::Array::schema) sets the key; it is never stored.
pub const ADDED_LATER: &str = "added_later";

/// The marker of NULL list elements on disk.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ElementNull {
    /// Any NaN.
    Nan,
    /// This value, in native byte order.
    Bytes(Vec<u8>),
}

/// One dimension or attribute.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) c_name: CString,
    pub(crate) physical: PhysicalType,
    /// Values per cell: more than 1 is a list of that fixed length.
    pub(crate) width: u32,
    pub(crate) nullable: bool,
    pub(crate) is_dimension: bool,
    /// The marker of NULL list elements; `None` if elements are never NULL.
    pub(crate) element_null: Option<ElementNull>,
    /// How many schemas of the array lack the column; fragments written with those schemas lack it too.
    pub(crate) schemas_without: usize,
    /// Whether no value is NaN, as the field's metadata say.
    pub(crate) never_nan: bool,
}

impl Column {
    /// A stored column, before the array's metadata is known.
    pub(crate) fn new(
        name: String,
        physical: PhysicalType,
        width: u32,
        nullable: bool,
        is_dimension: bool,
    ) -> Result<Self> {
        let c_name = c_text(&name)?;
        let (element_null, schemas_without, never_nan) = (None, 0, false);
        Ok(Self { name, c_name, physical, width, nullable, is_dimension, element_null, schemas_without, never_nan })
    }

    /// Returns the column that stores `field`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a type outside the supported set, or for nullable list elements without a marker of NULL.
    pub(crate) fn from_field(field: &Field, is_dimension: bool) -> Result<Self> {
        let unsupported = |reason: String| Error::Unsupported { column: field.name().clone(), reason };
        let no_type = || unsupported(format!("the type {} is not supported", field.data_type()));
        let (value_type, width, item_nullable) = match field.data_type() {
            DataType::FixedSizeList(item, width) => {
                let width = u32::try_from(*width).ok().filter(|width| *width > 1);
                let width =
                    width.ok_or_else(|| unsupported("a fixed-size list needs at least two elements".to_owned()))?;
                (item.data_type(), width, item.is_nullable())
            }
            scalar => (scalar, 1, false),
        };
        let physical = PhysicalType::from_arrow(value_type).ok_or_else(no_type)?;
        if width > 1 && matches!(physical, PhysicalType::Bool | PhysicalType::Text) {
            return Err(no_type());
        }
        if field.metadata().contains_key(ITEM_NULLABLE) {
            return Err(unsupported(format!("the metadata key {ITEM_NULLABLE} is reserved")));
        }
        let mut column = Column::new(field.name().clone(), physical, width, field.is_nullable(), is_dimension)?;
        column.never_nan = field.metadata().get(NAN_KEY).is_some_and(|nan| nan == NAN_NEVER);
        if item_nullable {
            let marker = field.metadata().get(ELEMENT_NULL).map(String::as_str);
            column.element_null = Some(column.parse_element_null(marker)?);
        }
        Ok(column)
    }

    /// Parses the metadata value `element_null`; lists of floats need none.
    pub(crate) fn parse_element_null(&self, marker: Option<&str>) -> Result<ElementNull> {
        let unsupported = |reason: String| Error::Unsupported { column: self.name.clone(), reason };
        if self.physical.is_float() {
            return Ok(ElementNull::Nan);
        }
        let marker = marker.ok_or_else(|| {
            unsupported(format!(
                "nullable list elements of an integer type need the field metadata {ELEMENT_NULL}, the value that marks NULL"
            ))
        })?;
        let parsed = marker.parse().map(Literal::Int).or_else(|_| marker.parse().map(Literal::UInt)).ok();
        let parsed = match (parsed, self.physical) {
            (Some(Literal::Int(value)), PhysicalType::TimestampNs) => Some(Literal::TimestampNs(value)),
            (parsed, _) => parsed,
        };
        let bytes = parsed.and_then(|value| value.to_bytes(self.physical));
        let no_value =
            || unsupported(format!("expected {ELEMENT_NULL} to be a {}, found {marker}", self.physical.to_arrow()));
        bytes.map(ElementNull::Bytes).ok_or_else(no_value)
    }

    /// The Arrow type of values read.
    pub(crate) fn data_type(&self) -> DataType {
        match i32::try_from(self.width) {
            Ok(width) if width > 1 => DataType::FixedSizeList(self.item(), width),
            _ => self.physical.to_arrow(),
        }
    }

    /// The field of a list's elements.
    pub(crate) fn item(&self) -> Arc<Field> {
        Arc::new(Field::new_list_field(self.physical.to_arrow(), self.element_null.is_some()))
    }

    /// The Arrow field, without metadata.
    pub(crate) fn field(&self) -> Field {
        Field::new(&self.name, self.data_type(), self.nullable)
    }

    pub(crate) fn is_text(&self) -> bool {
        self.physical == PhysicalType::Text
    }

    /// Bytes per cell; for text an initial estimate, which reads adjust.
    pub(crate) fn cell_bytes(&self) -> usize {
        let width = usize::try_from(self.width).unwrap_or(usize::MAX);
        if self.is_text() { 16 } else { self.physical.size().saturating_mul(width) }
    }
}
