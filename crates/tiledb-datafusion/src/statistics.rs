//! Statistics of a scan, from fragment rectangles and cell counts. The optimizer answers COUNT(*), MIN and MAX of a coordinate
//! from them, and orders joins by them. Those of attributes are in the metadata of fragments, which planning does not read; once scans have
//! read those of an attribute, they answer its MIN, MAX and COUNT.

use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use tiledb::Literal;

use crate::snapshot::ArraySnapshot;

/// The most columns of a scan whose attributes have statistics: a plan asks often, and only aggregates of few columns need them.
const MOST_COLUMNS: usize = 16;

/// Returns statistics of the columns at `projection`.
///
/// Rows, coordinate extents and what is known of attributes are exact if everything is read (`expected` is `None`) and the snapshot is
/// countable; else `expected` rows are an estimate, and attributes have no statistics.
pub(crate) fn statistics(snapshot: &ArraySnapshot, projection: &[usize], expected: Option<usize>) -> Statistics {
    let exact = expected.is_none() && snapshot.countable;
    let rows = expected.or(usize::try_from(snapshot.cells).ok());
    let column_statistics = projection.iter().map(|index| {
        let mut column = ColumnStatistics::new_unknown();
        let Some(field) = snapshot.schema.fields().get(*index) else { return column };
        if !field.is_nullable() {
            column.null_count = Precision::Exact(0);
        }
        if let Some((low, high)) = extent(snapshot, field.name()) {
            let precision = |value: &Literal| match scalar(value).cast_to(field.data_type()) {
                Ok(scalar) if exact && !is_zero(value) => Precision::Exact(scalar),
                Ok(scalar) => Precision::Inexact(scalar),
                Err(_) => Precision::Absent,
            };
            column.min_value = precision(&low);
            column.max_value = precision(&high);
        } else if exact && projection.len() <= MOST_COLUMNS {
            add_summary(&mut column, snapshot, field.name());
        }
        column
    });
    let num_rows = rows.map_or(Precision::Absent, if exact { Precision::Exact } else { Precision::Inexact });
    Statistics { num_rows, total_byte_size: Precision::Absent, column_statistics: column_statistics.collect() }
}

/// Adds what is known of an attribute.
fn add_summary(column: &mut ColumnStatistics, snapshot: &ArraySnapshot, name: &str) {
    let Some(summary) = snapshot.array.summary(name) else { return };
    if let Some(nulls) = summary.nulls.and_then(|nulls| usize::try_from(nulls).ok()) {
        column.null_count = Precision::Exact(nulls);
    }
    let Some(range) = summary.range else { return };
    let value = |at| match ScalarValue::try_from_array(&range, at) {
        // −0.0 or 0.0, which are stored as one of the two.
        Ok(zero @ (ScalarValue::Float32(Some(0.0)) | ScalarValue::Float64(Some(0.0)))) => Precision::Inexact(zero),
        Ok(value) => Precision::Exact(value),
        Err(_) => Precision::Absent,
    };
    (column.min_value, column.max_value) = (value(0), value(1));
}

/// Returns the lowest and the highest value of a dimension over all fragments.
fn extent(snapshot: &ArraySnapshot, name: &str) -> Option<(Literal, Literal)> {
    let dimensions = &snapshot.array.layout().dimensions;
    let index = dimensions.iter().position(|dimension| dimension.name == name)?;
    let axis = dimensions.get(index)?.domain.axis();
    let (low, high) = (*snapshot.sides.get(index)?)?;
    Some((axis.value(low), axis.value(high)))
}

/// Whether the value is −0.0 or 0.0, which the extents of TileDB do not distinguish.
fn is_zero(value: &Literal) -> bool {
    matches!(value, Literal::Float(value) if *value == 0.0)
}

fn scalar(value: &Literal) -> ScalarValue {
    match value {
        Literal::Int(value) => ScalarValue::Int64(Some(*value)),
        Literal::UInt(value) => ScalarValue::UInt64(Some(*value)),
        Literal::Float(value) => ScalarValue::Float64(Some(*value)),
        Literal::TimestampNs(value) => ScalarValue::TimestampNanosecond(Some(*value), None),
        Literal::Text(value) => ScalarValue::LargeUtf8(Some(value.clone())),
    }
}
