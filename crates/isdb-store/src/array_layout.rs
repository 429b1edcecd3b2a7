//! Schema and layout of the array of segments: dimensions, domains, cell order and tile capacity. `docs/design/0001-layout.md` gives the
//! measurements behind each choice.

use arrow::datatypes::{Field, Schema};
use isdb_schema::catalogue::Variable;
use isdb_schema::segments;
use tiledb::{ArrayLayout, CellOrder, Dimension, Domain, NULL_IS_NAN, NULL_KEY};

/// 1700-01-01 and 2250-01-01, in nanoseconds since 1970. This range is far wider than the mission, so that space rather than
/// time dominates the order on the Hilbert curve; dates prune whole fragments instead.
const TIME_DOMAIN: (i64, i64) = (-8_520_336_000_000_000_000, 8_835_868_800_000_000_000);

/// Rows per data tile: small boxes read few rows that they do not need, and large scans still decompress long runs. A multiple of 64, so
/// that bitmaps of tiles join without shifts.
pub(crate) const TILE_CAPACITY: u64 = 4_096;

/// The layout of the `segments` array.
pub(crate) fn segments_layout(capacity: u64) -> ArrayLayout {
    // The product's type. SQL sees doubles.
    let degrees = |name: &str, limit: f32| Dimension {
        name: name.to_owned(),
        domain: Domain::Float32 { low: -limit, high: limit, extent: None },
    };
    let time = Domain::TimestampNs { low: TIME_DOMAIN.0, high: TIME_DOMAIN.1, extent: None };
    ArrayLayout {
        dimensions: vec![
            degrees("latitude", 90.0),
            degrees("longitude", 180.0),
            Dimension { name: "time".to_owned(), domain: time },
        ],
        cell_order: CellOrder::Hilbert,
        capacity,
        allows_duplicates: true,
    }
}

/// The schema of a `segments` array with these variables and derived columns.
pub(crate) fn segments_schema(variables: &[&Variable], derived: &[Field]) -> Schema {
    let fields = segments::stored_fields(variables).into_iter().chain(derived.iter().cloned());
    Schema::new(fields.map(null_is_nan).collect::<Vec<_>>())
}

/// The fields of variables that are added to an existing `segments` array, equal to those of [`segments_schema`].
pub(crate) fn added_fields(variables: &[&Variable]) -> Vec<Field> {
    segments::selected_variables(variables).map(Variable::field).map(null_is_nan).collect()
}

/// Marks a float of which NaN is NULL: granules have no NaN that means another thing, and a derived column has it where it is not defined.
/// The mark saves reading validity, and lets conditions be pushed down.
fn null_is_nan(mut field: Field) -> Field {
    if field.data_type().is_floating() && field.is_nullable() {
        field.metadata_mut().insert(NULL_KEY.to_owned(), NULL_IS_NAN.to_owned());
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_domain_is_much_wider_than_the_mission() {
        let year = 365_i64 * 86_400 * 1_000_000_000;
        assert!(TIME_DOMAIN.0 < 48 * year && TIME_DOMAIN.1 > 80 * year);
        assert!((TIME_DOMAIN.1 / 2 - TIME_DOMAIN.0 / 2) / year > 250);
    }
}
