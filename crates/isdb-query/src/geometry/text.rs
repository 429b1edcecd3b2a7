//! Geometries as well-known text: `POINT(25.5 61)`.

use arrow::array::{ArrayRef, StringArray};
use geo::Geometry;
use wkt::{ToWkt, TryFromWkt};

use super::column::geometry_at;

/// Returns a geometry as well-known text.
#[must_use]
pub fn geometry_text(geometry: &Geometry<f64>) -> String {
    geometry.wkt_string()
}

/// Returns a column of geometries as text; NULL where there is none.
#[must_use]
pub fn geometry_texts(column: &ArrayRef) -> StringArray {
    (0..column.len()).map(|row| geometry_at(column, row).map(|geometry| geometry_text(&geometry))).collect()
}

/// Reads well-known text; a leading `SRID=4326;` is accepted.
///
/// # Errors
/// What is wrong with the text.
pub(crate) fn parse_text(text: &str) -> Result<Geometry<f64>, String> {
    let text = text.trim();
    let text = text.strip_prefix("SRID=4326;").unwrap_or(text);
    Geometry::try_from_wkt_str(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_and_printed() {
        for text in ["POINT(25.5 61)", "POLYGON((0 0,2 0,2 2,0 0))", "MULTIPOINT((1 2),(3 4))"] {
            assert_eq!(geometry_text(&parse_text(text).unwrap()), text);
        }
        assert_eq!(geometry_text(&parse_text(" SRID=4326;POINT (1 2)").unwrap()), "POINT(1 2)");
        for wrong in ["POINT(25.5)", "61, 25", ""] {
            assert!(parse_text(wrong).is_err(), "{wrong}");
        }
    }
}
