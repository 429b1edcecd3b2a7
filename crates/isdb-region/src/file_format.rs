//! Recognises files of other formats that were given as a GeoJSON region.

use crate::error::RegionError;

/// The result of `read` for the text in `bytes`. An error of text other than GeoJSON names the format of a file of another kind.
pub(crate) fn read_text<T>(bytes: &[u8], read: impl FnOnce(&str) -> Result<T, RegionError>) -> Result<T, RegionError> {
    let text = std::str::from_utf8(bytes).map_err(|error| RegionError::Json { problem: error.to_string() });
    text.and_then(read).map_err(|error| match (error, other_format(bytes)) {
        (RegionError::Json { .. }, Some(found)) => {
            RegionError::Json { problem: format!("expected GeoJSON in UTF-8, found {found}") }
        }
        (error, _) => error,
    })
}

/// The format of `bytes`, with the command that converts it; `None` if they may be GeoJSON in UTF-8.
fn other_format(bytes: &[u8]) -> Option<&'static str> {
    const BEGINNINGS: [(&[u8], &str); 7] = [
        (b"\xff\xfe", "text in UTF-16"),
        (b"\xfe\xff", "text in UTF-16"),
        (b"\xef\xbb\xbf", "a byte order mark before the text"),
        (b"SQLite format 3\0", "a GeoPackage (`ogr2ogr -f GeoJSON -t_srs EPSG:4326 OUT IN` converts it)"),
        (b"\0\0\x27\x0a", "a shapefile (`ogr2ogr -f GeoJSON -t_srs EPSG:4326 OUT IN` converts it)"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x89HDF", "an HDF5 file"),
    ];
    let known = BEGINNINGS.iter().find(|(beginning, _)| bytes.starts_with(beginning)).map(|(_, name)| *name);
    known.or_else(|| other_text_format(std::str::from_utf8(bytes).ok()?))
}

fn other_text_format(text: &str) -> Option<&'static str> {
    let text = text.trim_start();
    let is_wkt = |name: &str| text.get(..name.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(name));
    if ["POLYGON", "MULTIPOLYGON", "GEOMETRYCOLLECTION", "POINT", "LINESTRING", "SRID="].into_iter().any(is_wkt) {
        return Some("WKT (`ogr2ogr -f GeoJSON OUT IN` converts it)");
    }
    if text.starts_with('<') {
        let name = if text.contains("<kml") { "KML (`ogr2ogr -f GeoJSON OUT IN` converts it)" } else { "XML" };
        return Some(name);
    }
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_object = |line: &str| line.starts_with(['{', '\u{1e}']) && line.ends_with('}');
    let is_sequence = [lines.next(), lines.next()].into_iter().all(|line| line.is_some_and(is_object));
    is_sequence.then_some("one GeoJSON text per line (`ogr2ogr -f GeoJSON OUT IN` joins them)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Region, RegionError};

    #[test]
    fn a_file_of_another_format_is_named_in_the_error() {
        for (bytes, name) in [
            (&b"\xff\xfe{\0"[..], "UTF-16"),
            (b"\xef\xbb\xbf{\"type\":\"Polygon\"}", "byte order mark"),
            (b"SQLite format 3\0...", "GeoPackage"),
            (b" polygon((0 0,1 0,1 1,0 0))", "WKT"),
            (b"<?xml version=\"1.0\"?><kml>", "KML"),
            (b"{\"type\":\"Feature\"}\n{\"type\":\"Feature\"}\n", "one GeoJSON text per line"),
        ] {
            match Region::from_geojson_bytes(bytes) {
                Err(RegionError::Json { problem }) => assert!(problem.contains(name), "{name}: {problem}"),
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn geojson_on_several_lines_is_not_a_sequence() {
        assert_eq!(other_format(b"{\n\"type\": \"Polygon\",\n\"coordinates\": []\n}"), None);
        assert_eq!(other_format(b"{\"type\":\"Polygon\",\"coordinates\":[]}"), None);
    }
}
