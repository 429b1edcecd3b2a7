//! A grid as GeoTIFF: 32-bit floats, deflate, in strips. The value of an empty cell is NaN, which GDAL's tag declares.

use std::io::{self, Seek, Write};

use crate::program::grid::big_tiff::{BigTiff, Pixels, Value};
use crate::program::grid::map::GridMap;
use crate::program::grid::raster::{Extent, Raster};

const GDAL_METADATA: u16 = 42112;
const GDAL_NODATA: u16 = 42113;

/// Bytes of a strip before it is compressed.
const STRIP_BYTES: usize = 1 << 20;

/// What a reader sees of the bands: a name and a meaning for each, and items about the file.
pub(crate) struct GridMetadata {
    pub(crate) bands: Vec<(&'static str, String)>,
    pub(crate) items: Vec<(String, String)>,
}

/// Writes the part `extent` of a grid on `map`.
pub(crate) fn write_geotiff(
    sink: impl Write + Seek,
    map: &GridMap,
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
    let mut tags = map.tags(extent);
    tags.push((GDAL_METADATA, Value::Text(to_xml(metadata))));
    tags.push((GDAL_NODATA, Value::Text("nan".to_owned())));
    let pixels = Pixels {
        width: extent.width,
        height: extent.height,
        samples: u16::try_from(bands).unwrap_or(u16::MAX),
        rows_per_strip: u32::try_from(rows_per_strip).unwrap_or(u32::MAX),
    };
    image.finish(pixels, tags)
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
