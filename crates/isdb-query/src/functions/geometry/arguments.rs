//! Arguments of the ST_ functions.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::ColumnarValue;
use geo::Geometry;

use crate::geometry::geometry_at;

/// The kind of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    Geometry,
    Number,
    Text,
    /// Well-known binary without the metadata of a geometry.
    Bytes,
}

impl Argument {
    /// Returns the type that an argument of the type `found` is read as.
    ///
    /// # Errors
    /// What was expected, and how to get it.
    pub(super) fn coerce(self, found: &DataType) -> Result<DataType, String> {
        let is_text = matches!(found, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        let is_binary = matches!(found, DataType::Binary | DataType::LargeBinary | DataType::BinaryView);
        match self {
            _ if found.is_null() => Ok(self.arrow()),
            Argument::Geometry if is_text => {
                Err("expected a geometry, found a text: ST_GeomFromText('POINT(25.5 61)') reads one".to_owned())
            }
            Argument::Geometry if found.is_numeric() => {
                Err("expected a geometry, found a number: ST_Point(longitude, latitude) makes one of two".to_owned())
            }
            Argument::Geometry | Argument::Bytes if is_binary => Ok(DataType::Binary),
            Argument::Number if found.is_numeric() => Ok(DataType::Float64),
            Argument::Text if is_text => Ok(DataType::Utf8),
            Argument::Geometry => Err(format!("expected a geometry, found {found}")),
            Argument::Number => Err(format!("expected a number, found {found}")),
            Argument::Text => Err(format!("expected a text, found {found}")),
            Argument::Bytes => Err(format!("expected well-known binary, found {found}")),
        }
    }

    fn arrow(self) -> DataType {
        match self {
            Argument::Geometry | Argument::Bytes => DataType::Binary,
            Argument::Number => DataType::Float64,
            Argument::Text => DataType::Utf8,
        }
    }
}

/// The value of an argument in one row.
#[derive(Debug)]
pub(super) enum Value<'a> {
    Geometry(Cow<'a, Geometry<f64>>),
    Number(f64),
    Text(&'a str),
}

impl Value<'_> {
    /// Returns the geometry of an argument of that kind.
    pub(super) fn geometry(&self) -> Option<&Geometry<f64>> {
        match self {
            Value::Geometry(geometry) => Some(geometry),
            _ => None,
        }
    }

    /// Returns the number of an argument of that kind.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// An argument for all rows of a batch. A constant geometry is parsed once.
pub(super) enum ArgumentRows {
    Constant(Option<Constant>),
    Geometries(ArrayRef),
    Numbers(ArrayRef),
    Texts(ArrayRef),
}

/// A constant argument.
pub(super) enum Constant {
    Geometry(Geometry<f64>),
    Number(f64),
    Text(String),
}

impl ArgumentRows {
    /// Reads an argument of `kind`.
    pub(super) fn new(kind: Argument, argument: &ColumnarValue) -> Result<ArgumentRows> {
        match argument {
            ColumnarValue::Scalar(value) => Ok(ArgumentRows::Constant(constant(kind, value)?)),
            ColumnarValue::Array(column) => Ok(match kind {
                Argument::Geometry | Argument::Bytes => ArgumentRows::Geometries(ArrayRef::clone(column)),
                Argument::Number => ArgumentRows::Numbers(ArrayRef::clone(column)),
                Argument::Text => ArgumentRows::Texts(ArrayRef::clone(column)),
            }),
        }
    }

    /// Returns the value in `row`; `None` for NULL.
    pub(super) fn get(&self, row: usize) -> Option<Value<'_>> {
        match self {
            ArgumentRows::Constant(None) => None,
            ArgumentRows::Constant(Some(Constant::Geometry(geometry))) => {
                Some(Value::Geometry(Cow::Borrowed(geometry)))
            }
            ArgumentRows::Constant(Some(Constant::Number(number))) => Some(Value::Number(*number)),
            ArgumentRows::Constant(Some(Constant::Text(text))) => Some(Value::Text(text)),
            ArgumentRows::Geometries(column) => Some(Value::Geometry(Cow::Owned(geometry_at(column, row)?))),
            ArgumentRows::Numbers(column) if column.is_valid(row) => {
                Some(Value::Number(column.as_primitive_opt::<Float64Type>()?.value(row)))
            }
            ArgumentRows::Texts(column) if column.is_valid(row) => {
                Some(Value::Text(column.as_string_opt::<i32>()?.value(row)))
            }
            ArgumentRows::Numbers(_) | ArgumentRows::Texts(_) => None,
        }
    }
}

fn constant(kind: Argument, value: &ScalarValue) -> Result<Option<Constant>> {
    if value.is_null() {
        return Ok(None);
    }
    let column = value.to_array()?;
    let unexpected = || exec_datafusion_err!("expected a constant of the kind {kind:?}, found {value}");
    Ok(match kind {
        Argument::Geometry | Argument::Bytes => geometry_at(&column, 0).map(Constant::Geometry),
        Argument::Number => {
            let numbers = column.as_primitive_opt::<Float64Type>().ok_or_else(unexpected)?;
            Some(Constant::Number(numbers.value(0)))
        }
        Argument::Text => {
            let texts = column.as_string_opt::<i32>().ok_or_else(unexpected)?;
            Some(Constant::Text(texts.value(0).to_owned()))
        }
    })
}
