//! Checks of columns before they are written.

use arrow::array::{Array as _, ArrayRef, AsArray, FixedSizeListArray, StringArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampNanosecondType};

use super::buffers::elements_of;
use super::dictionary::{self, UnknownText};
use crate::elements;
use crate::error::{Error, Result};
use crate::schema::column::{Column, ElementNull};
use crate::schema::layout::Domain;

/// Checks that the `parts` of a column have values that it can store. `domain` is that of a dimension.
pub(crate) fn check(uri: &str, column: &Column, domain: Option<Domain>, parts: &[ArrayRef]) -> Result<()> {
    let misfit = |reason: String| Error::Batch { uri: uri.to_owned(), reason };
    let expected = column.data_type();
    let mut rows_before = 0;
    for values in parts {
        if !fits(column, &expected, values.data_type()) {
            let (name, found) = (&column.name, values.data_type());
            return Err(misfit(format!("expected column {name} to be {expected}, found {found}")));
        }
        if let Some(texts) = &column.enumeration {
            let keys = dictionary::keys(texts, values);
            keys.map_err(|unknown| unknown_text(uri, column, texts, &unknown, rows_before))?;
        }
        if let Some(domain) = domain {
            check_coordinates(column, domain, values, rows_before)?;
        }
        if !column.nullable && values.null_count() > 0 {
            return Err(misfit(format!("column {} contains NULL, but is not nullable", column.name)));
        }
        if let Some(lists) = values.as_fixed_size_list_opt() {
            check_elements(uri, column, lists, rows_before)?;
        }
        rows_before += values.len();
    }
    Ok(())
}

/// Whether `column`, whose type is `own`, stores values of `data_type`, apart from their nullability.
fn fits(column: &Column, own: &DataType, data_type: &DataType) -> bool {
    if column.enumeration.is_some() {
        return dictionary::is_text(data_type);
    }
    match (data_type, own) {
        (DataType::Utf8, DataType::LargeUtf8) => true,
        (DataType::FixedSizeList(item, width), DataType::FixedSizeList(own, own_width)) => {
            width == own_width && same_scalar(item.data_type(), own.data_type())
        }
        (other, own) => same_scalar(other, own),
    }
}

/// A text that a dictionary column does not have, in a batch after `rows_before` rows.
pub(super) fn unknown_text(
    uri: &str,
    column: &Column,
    texts: &StringArray,
    unknown: &UnknownText,
    rows_before: usize,
) -> Error {
    let texts = texts.iter().flatten().collect::<Vec<_>>().join(", ");
    let (row, text) = (rows_before + unknown.row, &unknown.text);
    let reason = format!("row {row}: expected column {} to be one of {texts}, found {text:?}", column.name);
    Error::Batch { uri: uri.to_owned(), reason }
}

fn same_scalar(a: &DataType, b: &DataType) -> bool {
    match (a, b) {
        (DataType::Timestamp(unit, zone), DataType::Timestamp(own, _)) => {
            unit == own && zone.as_deref().is_none_or(|zone| matches!(zone, "UTC" | "+00:00" | "Z"))
        }
        _ => a == b,
    }
}

fn check_coordinates(column: &Column, domain: Domain, values: &ArrayRef, rows_before: usize) -> Result<()> {
    let bad =
        |row: usize, value: String| Error::Coordinate { column: column.name.clone(), row: rows_before + row, value };
    let first_null =
        values.nulls().filter(|nulls| nulls.null_count() > 0).and_then(|n| n.iter().position(|valid| !valid));
    if let Some(row) = first_null {
        return Err(bad(row, "NULL".to_owned()));
    }
    // The comparisons are written so that NaN fails them.
    let integers = |values: &ScalarBuffer<i64>, low: i64, high: i64| {
        let outside = values.iter().position(|value| !(*value >= low && *value <= high));
        outside.map(|row| (row, values.get(row).map(i64::to_string)))
    };
    let outside = match domain {
        Domain::Float32 { low, high, .. } => {
            let values = values.as_primitive::<Float64Type>().values();
            let (low, high) = (f64::from(low), f64::from(high));
            #[expect(clippy::cast_possible_truncation, reason = "the conversion back decides")]
            let is_stored = |value: f64| value >= low && value <= high && f64::from(value as f32) == value;
            let other = values.iter().position(|value| !is_stored(*value));
            other.map(|row| (row, values.get(row).map(f64::to_string)))
        }
        Domain::Float64 { low, high, .. } => {
            let values = values.as_primitive::<Float64Type>().values();
            let outside = values.iter().position(|value| !(*value >= low && *value <= high));
            outside.map(|row| (row, values.get(row).map(f64::to_string)))
        }
        Domain::Int64 { low, high, .. } => integers(values.as_primitive::<Int64Type>().values(), low, high),
        Domain::TimestampNs { low, high, .. } => {
            integers(values.as_primitive::<TimestampNanosecondType>().values(), low, high)
        }
    };
    outside.map_or(Ok(()), |(row, value)| Err(bad(row, value.unwrap_or_default())))
}

/// Checks that every element will be read back unchanged: no NULL where elements are not nullable, no value equal to the
/// marker of NULL.
fn check_elements(uri: &str, column: &Column, lists: &FixedSizeListArray, rows_before: usize) -> Result<()> {
    let (width, data, nulls) = elements_of(column, lists);
    let nulls: Option<&NullBuffer> = nulls.as_ref();
    let list_is_valid = |at: usize| lists.is_valid(at / width);
    let Some(marker) = &column.element_null else {
        let lost = nulls.is_some_and(|nulls| (0..nulls.len()).any(|at| nulls.is_null(at) && list_is_valid(at)));
        let reason = format!("column {} contains NULL elements, but its elements are not nullable", column.name);
        return if lost { Err(Error::Batch { uri: uri.to_owned(), reason }) } else { Ok(()) };
    };
    match elements::collision(column.physical, marker, &data, nulls, list_is_valid) {
        None => Ok(()),
        Some(at) => {
            let value = match marker {
                ElementNull::Nan => "NaN".to_owned(),
                ElementNull::Bytes(_) => "its element_null".to_owned(),
            };
            Err(Error::ElementNull { column: column.name.clone(), row: rows_before + at / width, value })
        }
    }
}
