//! A stored schema as layout and columns, from its file, without libtiledb.

use tiledb_format::{Attribute, Datatype, Number, Order, Schema};

use crate::error::Result;
use crate::schema::column::Column;
use crate::schema::layout::{ArrayLayout, CellOrder, Dimension, Domain};
use crate::schema::physical::PhysicalType;

/// Returns layout and columns (dimensions first) of a schema, before the array's metadata is known; `None` if it has a type or an order
/// that this crate does not read.
pub(crate) fn layout_and_columns(schema: &Schema) -> Result<Option<(ArrayLayout, Vec<Column>)>> {
    let cell_order = match schema.cell_order {
        Order::Hilbert => CellOrder::Hilbert,
        Order::RowMajor => CellOrder::RowMajor,
        Order::ColumnMajor => return Ok(None),
    };
    let (mut columns, mut dimensions) = (Vec::new(), Vec::new());
    for stored in &schema.dimensions {
        let Some(domain) = domain(stored) else { return Ok(None) };
        columns.push(Column::new(stored.name.clone(), domain.physical_type(), 1, false, true)?);
        dimensions.push(Dimension { name: stored.name.clone(), domain });
    }
    for stored in &schema.attributes {
        let Some((physical, width)) = cells(stored) else { return Ok(None) };
        columns.push(Column::new(stored.name.clone(), physical, width, stored.nullable, false)?);
    }
    let (capacity, allows_duplicates) = (schema.capacity, schema.allows_duplicates);
    Ok(Some((ArrayLayout { dimensions, cell_order, capacity, allows_duplicates }, columns)))
}

fn domain(stored: &tiledb_format::Dimension) -> Option<Domain> {
    let extent = stored.extent.as_deref().and_then(|extent| Number::read(stored.datatype, extent));
    let integer = |extent: Number| if let Number::Int(extent) = extent { Some(extent) } else { None };
    let float = |extent: Number| if let Number::Float(extent) = extent { Some(extent) } else { None };
    match (stored.datatype, stored.limits()?) {
        (Datatype::Float32, [Number::Float(low), Number::Float(high)]) => {
            let extent = extent.and_then(float).map(single);
            Some(Domain::Float32 { low: single(low), high: single(high), extent })
        }
        (Datatype::Float64, [Number::Float(low), Number::Float(high)]) => {
            Some(Domain::Float64 { low, high, extent: extent.and_then(float) })
        }
        (Datatype::Int64, [Number::Int(low), Number::Int(high)]) => {
            Some(Domain::Int64 { low, high, extent: extent.and_then(integer) })
        }
        (Datatype::DATETIME_NS, [Number::Int(low), Number::Int(high)]) => {
            Some(Domain::TimestampNs { low, high, extent: extent.and_then(integer) })
        }
        _ => None,
    }
}

/// A number of single precision that was widened.
#[expect(clippy::cast_possible_truncation, reason = "the number was a single")]
fn single(value: f64) -> f32 {
    value as f32
}

/// The type of the values of an attribute's cells, and their number; 1 for text.
fn cells(stored: &Attribute) -> Option<(PhysicalType, u32)> {
    let physical = PhysicalType::from_format(stored.datatype)?;
    let is_known = match physical {
        PhysicalType::Text => stored.is_variable(),
        PhysicalType::Bool => stored.cell_values == 1,
        _ => !stored.is_variable(),
    };
    is_known.then_some((physical, if stored.is_variable() { 1 } else { stored.cell_values }))
}
