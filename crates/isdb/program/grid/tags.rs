//! The tags that place a GeoTIFF on the earth. Keys are those of [OGC 19-008r4](https://docs.ogc.org/is/19-008r4/19-008r4.html).

use isdb_raster::GeoTags;

use crate::program::grid::big_tiff::Value;
use crate::program::grid::cells::Cells;
use crate::program::grid::raster::Extent;

const MODEL_PIXEL_SCALE: u16 = 33550;
const MODEL_TIEPOINT: u16 = 33922;
const MODEL_TRANSFORMATION: u16 = 34264;
const GEO_KEY_DIRECTORY: u16 = 34735;
const GEO_DOUBLE_PARAMS: u16 = 34736;
const GEO_ASCII_PARAMS: u16 = 34737;

/// The tags of a part of a map of cells.
pub(super) fn for_cells(cells: Cells, extent: Extent) -> Vec<(u16, Value)> {
    let (west, north) = cells.corner(extent.column, extent.row);
    let size = cells.size();
    vec![
        (MODEL_PIXEL_SCALE, Value::Doubles(vec![size, size, 0.0])),
        // The north-western corner of the first cell.
        (MODEL_TIEPOINT, Value::Doubles(vec![0.0, 0.0, 0.0, west, north, 0.0])),
        (GEO_KEY_DIRECTORY, Value::Shorts(geo_keys(cells))),
    ]
}

/// The tags of another raster, so that each pixel is in the same place.
pub(super) fn for_raster(tags: &GeoTags) -> Vec<(u16, Value)> {
    let doubles = |tag, numbers: &[f64]| (!numbers.is_empty()).then(|| (tag, Value::Doubles(numbers.to_vec())));
    let all = [
        doubles(MODEL_PIXEL_SCALE, &tags.pixel_scale),
        doubles(MODEL_TIEPOINT, &tags.tiepoints),
        doubles(MODEL_TRANSFORMATION, &tags.transformation),
        Some((GEO_KEY_DIRECTORY, Value::Shorts(tags.keys.clone()))),
        doubles(GEO_DOUBLE_PARAMS, &tags.doubles),
        (!tags.texts.is_empty()).then(|| (GEO_ASCII_PARAMS, Value::Text(tags.texts.clone()))),
    ];
    all.into_iter().flatten().collect()
}

/// The directory of keys: version, revision, number of keys; then key, location, count and value of each.
fn geo_keys(cells: Cells) -> Vec<u16> {
    const MODEL_TYPE: u16 = 1024;
    const RASTER_TYPE: u16 = 1025;
    const GEODETIC_CRS: u16 = 2048;
    const PROJECTED_CRS: u16 = 3072;
    const PIXEL_IS_AREA: u16 = 1;
    let (model, key) = match cells {
        Cells::Degrees(_) => (2, GEODETIC_CRS),
        Cells::Kilometres(..) => (1, PROJECTED_CRS),
    };
    let keys = [(MODEL_TYPE, model), (RASTER_TYPE, PIXEL_IS_AREA), (key, cells.epsg())];
    let head = [1, 1, 0, 3];
    head.into_iter().chain(keys.into_iter().flat_map(|(key, value)| [key, 0, 1, value])).collect()
}
