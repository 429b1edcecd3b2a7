//! A grid as GeoTIFF: 32-bit floats, deflate, in strips. The value of an empty cell is NaN, which GDAL's tag declares.
//! Keys are those of [OGC 19-008r4](https://docs.ogc.org/is/19-008r4/19-008r4.html).

use std::io::{self, Seek, Write};

use crate::grid::big_tiff::{BigTiff, Pixels, Value};
use crate::grid::cells::Cells;
use crate::grid::raster::{Extent, Raster};

const MODEL_PIXEL_SCALE: u16 = 33550;
const MODEL_TIEPOINT: u16 = 33922;
const GEO_KEY_DIRECTORY: u16 = 34735;
const GDAL_METADATA: u16 = 42112;
const GDAL_NODATA: u16 = 42113;

/// Bytes of a strip before it is compressed.
const STRIP_BYTES: usize = 1 << 20;

/// What a reader sees of the bands: a name and a meaning for each, and items about the file.
pub(crate) struct GridMetadata {
    pub(crate) bands: Vec<(&'static str, String)>,
    pub(crate) items: Vec<(String, String)>,
}

/// Writes the part `extent` of a grid.
pub(crate) fn write_geotiff(
    sink: impl Write + Seek,
    cells: Cells,
    raster: &Raster,
    extent: Extent,
    metadata: &GridMetadata,
) -> io::Result<()> {
    let (width, height, bands) = (extent.width as usize, extent.height as usize, metadata.bands.len());
    let rows_per_strip = (STRIP_BYTES / (width * bands * size_of::<f32>()).max(1)).clamp(1, height);
    let mut image = BigTiff::new(sink)?;
    for first in (0..height).step_by(rows_per_strip) {
        let rows = rows_per_strip.min(height - first);
        let row = extent.row + i64::try_from(first).unwrap_or(i64::MAX);
        image.write_strip(&raster.rows(extent, row, rows))?;
    }
    let (west, north) = cells.corner(extent.column, extent.row);
    let size = cells.size();
    let tags = vec![
        (MODEL_PIXEL_SCALE, Value::Doubles(vec![size, size, 0.0])),
        // The north-western corner of the first cell.
        (MODEL_TIEPOINT, Value::Doubles(vec![0.0, 0.0, 0.0, west, north, 0.0])),
        (GEO_KEY_DIRECTORY, Value::Shorts(geo_keys(cells))),
        (GDAL_METADATA, Value::Text(to_xml(metadata))),
        (GDAL_NODATA, Value::Text("nan".to_owned())),
    ];
    let pixels = Pixels {
        width: extent.width,
        height: extent.height,
        samples: u16::try_from(bands).unwrap_or(u16::MAX),
        rows_per_strip: u32::try_from(rows_per_strip).unwrap_or(u32::MAX),
    };
    image.finish(pixels, tags)
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

/// GDAL's metadata as XML. A tag holds ASCII only.
fn to_xml(metadata: &GridMetadata) -> String {
    let mut xml = String::from("<GDALMetadata>\n");
    for (key, value) in &metadata.items {
        xml += &format!("  <Item name=\"{}\">{}</Item>\n", escaped(key), escaped(value));
    }
    for (band, (name, meaning)) in metadata.bands.iter().enumerate() {
        xml +=
            &format!("  <Item name=\"DESCRIPTION\" sample=\"{band}\" role=\"description\">{}</Item>\n", escaped(name));
        xml += &format!("  <Item name=\"long_name\" sample=\"{band}\">{}</Item>\n", escaped(meaning));
    }
    xml + "</GDALMetadata>\n"
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            ' '..='~' | '\n' => escaped.push(character),
            other => escaped += &format!("&#{};", u32::from(other)),
        }
    }
    escaped
}
