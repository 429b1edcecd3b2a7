//! The tags that place an image on the earth: [OGC GeoTIFF 1.1](https://docs.ogc.org/is/19-008r4/19-008r4.html).

use crate::affine::Affine;
use crate::directory::Directory;
use crate::error::RasterError;
use crate::input::Input;

const MODEL_PIXEL_SCALE: u16 = 33550;
const MODEL_TIEPOINT: u16 = 33922;
const MODEL_TRANSFORMATION: u16 = 34264;
const GEO_KEY_DIRECTORY: u16 = 34735;
const GEO_DOUBLE_PARAMS: u16 = 34736;
const GEO_ASCII_PARAMS: u16 = 34737;

const MODEL_TYPE: u16 = 1024;
const RASTER_TYPE: u16 = 1025;
const CITATION: u16 = 1026;
const GEODETIC_CRS: u16 = 2048;
const GEODETIC_CITATION: u16 = 2049;
const PROJECTED_CRS: u16 = 3072;
const PROJECTED_CITATION: u16 = 3073;
/// A model of longitude and latitude; a map has model 1.
const GEOGRAPHIC: u16 = 2;
const PIXEL_IS_POINT: u16 = 2;
/// A coordinate system that has parameters instead of a code.
const USER_DEFINED: u16 = 32767;

/// The tags of a file that place its image on the earth. A file with the same tags has the same pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct GeoTags {
    /// Tag 33550: width and height of a pixel; empty or three numbers.
    pub pixel_scale: Vec<f64>,
    /// Tag 33922: column, row and their coordinates, six numbers for each point.
    pub tiepoints: Vec<f64>,
    /// Tag 34264: an affine transformation from pixels to coordinates; empty or sixteen numbers.
    pub transformation: Vec<f64>,
    /// Tag 34735: the directory of keys that describe the coordinate system.
    pub keys: Vec<u16>,
    /// Tag 34736: the keys' numbers.
    pub doubles: Vec<f64>,
    /// Tag 34737: the keys' texts.
    pub texts: String,
}

/// The coordinate system that a file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CrsName {
    /// A code of EPSG.
    Epsg(u16),
    /// Another one, with the name that the file gives.
    Other(String),
}

impl GeoTags {
    pub(crate) fn read(input: &Input, directory: &Directory) -> Result<GeoTags, RasterError> {
        let keys = directory.all_unsigned(input, GEO_KEY_DIRECTORY)?;
        Ok(GeoTags {
            pixel_scale: directory.doubles(input, MODEL_PIXEL_SCALE)?,
            tiepoints: directory.doubles(input, MODEL_TIEPOINT)?,
            transformation: directory.doubles(input, MODEL_TRANSFORMATION)?,
            keys: keys.into_iter().map(|key| u16::try_from(key).unwrap_or(u16::MAX)).collect(),
            doubles: directory.doubles(input, GEO_DOUBLE_PARAMS)?,
            texts: directory.text(input, GEO_ASCII_PARAMS)?,
        })
    }

    /// Returns the coordinates of pixels, from the corner of a pixel, whether the tags give corners or centres. None without a place, or if
    /// several points give it.
    pub(crate) fn affine(&self) -> Option<Affine> {
        let affine = match (self.pixel_scale.as_slice(), self.tiepoints.as_slice(), self.transformation.as_slice()) {
            ([width, height, ..], [column, row, _, x, y, _], _) if *width != 0.0 && *height != 0.0 => {
                Affine { x: [*width, 0.0, x - column * width], y: [0.0, -height, y + row * height] }
            }
            (_, _, [a, b, _, c, d, e, _, f, ..]) => Affine { x: [*a, *b, *c], y: [*d, *e, *f] },
            _ => return None,
        };
        let is_point = self.value(RASTER_TYPE) == Some(PIXEL_IS_POINT);
        Some(if is_point { affine.moved(-0.5, -0.5) } else { affine })
    }

    /// Returns the coordinate system; None if the file does not name one.
    pub(crate) fn crs(&self) -> Option<CrsName> {
        let model = self.value(MODEL_TYPE)?;
        let (key, citation) = match model {
            GEOGRAPHIC => (GEODETIC_CRS, GEODETIC_CITATION),
            _ => (PROJECTED_CRS, PROJECTED_CITATION),
        };
        match self.value(key) {
            Some(code) if code != USER_DEFINED && code != 0 => Some(CrsName::Epsg(code)),
            _ => {
                let name = self.text(citation).or_else(|| self.text(CITATION)).unwrap_or("without a name");
                Some(CrsName::Other(name.to_owned()))
            }
        }
    }

    /// Returns the value of `key` in the directory itself.
    fn value(&self, key: u16) -> Option<u16> {
        self.entries().find(|entry| entry[0] == key && entry[1] == 0).map(|entry| entry[3])
    }

    /// Returns the text of `key`.
    fn text(&self, key: u16) -> Option<&str> {
        let [_, _, count, offset] = self.entries().find(|entry| entry[0] == key && entry[1] == GEO_ASCII_PARAMS)?;
        let (from, count) = (usize::from(offset), usize::from(count));
        self.texts
            .get(from..from + count)
            .map(|text| text.trim_end_matches(['|', '\0']))
            .filter(|text| !text.is_empty())
    }

    /// The keys: number, tag of the value, count, and value or offset.
    fn entries(&self) -> impl Iterator<Item = [u16; 4]> {
        // The first four numbers are versions and the number of keys.
        self.keys.chunks_exact(4).skip(1).filter_map(|entry| entry.try_into().ok())
    }
}
