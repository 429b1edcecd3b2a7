//! Columns: dimensions and attributes, as Arrow fields and as TileDB's datatype, values per cell and nullability.

use std::collections::HashMap;
use std::ffi::CString;
use std::sync::Arc;

use arrow::array::StringArray;
use arrow::datatypes::{DataType, Field};

use crate::context::c_text;
use crate::error::{Error, Result};
use crate::literal::Literal;
use crate::schema::physical::PhysicalType;

/// Field metadata key of the integer that marks a NULL list element on disk.
pub(crate) const ELEMENT_NULL: &str = "element_null";
/// Array metadata key, after the field's name, of lists whose elements may be NULL.
pub(crate) const ITEM_NULLABLE: &str = "item_nullable";
/// Field metadata key, with the value `true`, of an attribute that was added after the array was created. The attribute is NULL
/// in cells stored before, and TileDB cannot evaluate [`Predicate::IsNull`](crate::Predicate::IsNull) on it.
/// [`Array::schema`](crate::Array::schema) sets the key; it is never stored.
pub const ADDED_LATER: &str = "added_later";
/// Field metadata key with which a nullable float attribute declares, by the value [`NULL_IS_NAN`], that NULL and NaN are the same: NaN is
/// written as NULL, the value under a NULL is NaN, and so a read needs no validity.
///
/// It also lets conditions be pushed down. Arrow orders NaN above (or, negative, below) every number, while in TileDB NaN satisfies `!=`
/// only; so a pushdown on another float attribute leaves only equality to TileDB.
pub const NULL_KEY: &str = "null";
/// The value of [`NULL_KEY`].
pub const NULL_IS_NAN: &str = "nan";
/// Field metadata key, of a dictionary column, with the texts of its keys 0, 1, …, separated by spaces. TileDB knows it as the attribute's
/// enumeration.
pub const ENUMERATION: &str = "enumeration";
/// The most texts that keys of one byte can distinguish.
const MAX_TEXTS: usize = 256;

/// The marker of NULL list elements on disk.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ElementNull {
    /// Any NaN.
    Nan,
    /// This value, in native byte order.
    Bytes(Vec<u8>),
}

/// The values of a column that are NULL although they are stored as values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fill {
    /// NaN and floats from this one on.
    From(f64),
    /// This value, in native byte order.
    At(Vec<u8>),
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
    /// Whether every NaN is NULL, and every NULL is stored as NaN, as the field's metadata say.
    pub(crate) null_is_nan: bool,
    /// The texts of the stored keys, for a dictionary column.
    pub(crate) enumeration: Option<Arc<StringArray>>,
    /// The values that are NULL although they are stored as values.
    pub(crate) fill: Option<Fill>,
    /// Whether times are stored as integers.
    pub(crate) is_time_in_integers: bool,
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
        Ok(Self {
            name,
            c_name,
            physical,
            width,
            nullable,
            is_dimension,
            element_null: None,
            schemas_without: 0,
            null_is_nan: false,
            enumeration: None,
            fill: None,
            is_time_in_integers: false,
        })
    }

    /// Returns the column that stores `field`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a type outside the supported set, or for nullable list elements without a marker of NULL.
    pub(crate) fn from_field(field: &Field, is_dimension: bool) -> Result<Self> {
        let unsupported = |reason: String| Error::Unsupported { column: field.name().clone(), reason };
        let no_type = || unsupported(format!("the type {} is not supported", field.data_type()));
        let (value_type, width, item_nullable) = match field.data_type() {
            DataType::Dictionary(key, value) if **key == DataType::UInt8 && **value == DataType::Utf8 => {
                (&**key, 1, false)
            }
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
        column.restore(field.metadata())?;
        if column.enumeration.is_some() != matches!(field.data_type(), DataType::Dictionary(..)) {
            let reason = format!("expected a dictionary exactly where the field metadata have {ENUMERATION}");
            return Err(unsupported(reason));
        }
        if item_nullable {
            let marker = field.metadata().get(ELEMENT_NULL).map(String::as_str);
            column.element_null = Some(column.parse_element_null(marker)?);
        }
        Ok(column)
    }

    /// Sets what the metadata of the field say of stored values.
    pub(crate) fn restore(&mut self, metadata: &HashMap<String, String>) -> Result<()> {
        let unsupported = |reason: String| Error::Unsupported { column: self.name.clone(), reason };
        if metadata.get(NULL_KEY).is_some_and(|null| null == NULL_IS_NAN) {
            if !(self.nullable && self.width == 1 && self.physical.is_float()) {
                let reason = format!("expected the field metadata {NULL_KEY} = {NULL_IS_NAN} on a nullable float");
                return Err(unsupported(reason));
            }
            self.null_is_nan = true;
        }
        if let Some(texts) = metadata.get(ENUMERATION) {
            let texts: Vec<&str> = texts.split(' ').collect();
            let is_distinct = texts.iter().enumerate().all(|(at, text)| !texts.iter().take(at).any(|t| t == text));
            if self.physical != PhysicalType::UInt8 || self.width != 1 || texts.len() > MAX_TEXTS || !is_distinct {
                let reason =
                    format!("expected {ENUMERATION} to be up to {MAX_TEXTS} distinct texts for keys of one byte");
                return Err(unsupported(reason));
            }
            self.enumeration = Some(Arc::new(StringArray::from(texts)));
        }
        Ok(())
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
            _ if self.enumeration.is_some() => {
                DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8))
            }
            _ => self.value_type().to_arrow(),
        }
    }

    /// The type of values in Arrow: coordinates of single precision are widened.
    pub(crate) fn value_type(&self) -> PhysicalType {
        if self.is_widened() { PhysicalType::Float64 } else { self.physical }
    }

    /// Whether stored values are of single precision, and those in Arrow of double.
    pub(crate) fn is_widened(&self) -> bool {
        self.is_dimension && self.physical == PhysicalType::Float32
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
