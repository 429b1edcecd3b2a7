//! Small GeoTIFFs, written without the libraries that isdb reads them with.

/// A GeoTIFF of 32-bit floats without compression, whose pixels are squares.
#[derive(Clone, Debug)]
pub struct TestRaster {
    /// Columns.
    pub width: u32,
    /// The values of one band, row by row from the north; as many as columns times rows, or several times that for several bands.
    pub values: Vec<f32>,
    /// Number of bands.
    pub bands: u16,
    /// Coordinates of the north-western corner of the first pixel, or of its centre if `is_point`.
    pub origin: (f64, f64),
    /// Width and height of a pixel.
    pub pixel: f64,
    /// A code of EPSG, and whether its coordinates are longitude and latitude.
    pub epsg: (u16, bool),
    /// Whether the origin is the centre of the first pixel (`PixelIsPoint`).
    pub is_point: bool,
    /// Text of GDAL's tag for nodata.
    pub nodata: Option<&'static str>,
    /// Width and height of tiles; None for strips of two rows.
    pub tile: Option<u32>,
}

impl TestRaster {
    /// A raster in degrees on WGS 84 whose first pixel has this north-western corner.
    #[must_use]
    pub fn degrees(width: u32, west: f64, north: f64, pixel: f64, values: Vec<f32>) -> TestRaster {
        TestRaster {
            width,
            values,
            bands: 1,
            origin: (west, north),
            pixel,
            epsg: (4326, true),
            is_point: false,
            nodata: None,
            tile: None,
        }
    }

    /// Returns the file: bands have chunks of their own, little endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (width, bands) = (self.width as usize, usize::from(self.bands));
        let height = self.values.len() / width / bands;
        let (chunk_width, chunk_height) = self.tile.map_or((width, 2), |tile| (tile as usize, tile as usize));
        let mut bytes = b"II\x2a\0\0\0\0\0".to_vec();
        let (mut offsets, mut counts) = (Vec::new(), Vec::new());
        for band in 0..bands {
            for top in (0..height).step_by(chunk_height) {
                for left in (0..width).step_by(chunk_width) {
                    offsets.push(long(bytes.len()));
                    let begin = bytes.len();
                    for row in top..top + chunk_height {
                        for column in left..left + chunk_width {
                            let inside = row < height && column < width;
                            let value =
                                if inside { self.values[(band * height + row) * width + column] } else { -99.0 };
                            // A strip ends with the image, a tile does not.
                            if inside || self.tile.is_some() {
                                bytes.extend_from_slice(&value.to_le_bytes());
                            }
                        }
                    }
                    counts.push(long(bytes.len() - begin));
                }
            }
        }
        let (code, is_geographic) = self.epsg;
        let model = if is_geographic { [1024, 0, 1, 2, 1025, 0, 1] } else { [1024, 0, 1, 1, 1025, 0, 1] };
        let system = [if is_geographic { 2048 } else { 3072 }, 0, 1, code];
        let keys = [&[1, 1, 0, 3][..], &model, &[if self.is_point { 2 } else { 1 }], &system].concat();
        let doubles = |numbers: &[f64]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
        let longs = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
        let shorts = |numbers: &[u16]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
        let mut tags: Vec<(u16, u16, Vec<u8>)> = vec![
            (256, 4, longs(&[self.width])),
            (257, 4, longs(&[long(height)])),
            (258, 3, shorts(&vec![32; bands])),
            (259, 3, shorts(&[1])),
            (262, 3, shorts(&[1])),
            (277, 3, shorts(&[self.bands])),
            (284, 3, shorts(&[2])),
            (339, 3, shorts(&vec![3; bands])),
            (33550, 12, doubles(&[self.pixel, self.pixel, 0.0])),
            (33922, 12, doubles(&[0.0, 0.0, 0.0, self.origin.0, self.origin.1, 0.0])),
            (34735, 3, shorts(&keys)),
        ];
        match self.tile {
            Some(tile) => tags.extend([
                (322, 4, longs(&[tile])),
                (323, 4, longs(&[tile])),
                (324, 4, longs(&offsets)),
                (325, 4, longs(&counts)),
            ]),
            None => tags.extend([(273, 4, longs(&offsets)), (278, 4, longs(&[2])), (279, 4, longs(&counts))]),
        }
        if let Some(nodata) = self.nodata {
            tags.push((42113, 2, [nodata.as_bytes(), b"\0"].concat()));
        }
        tags.sort_by_key(|(tag, ..)| *tag);
        let directory = bytes.len();
        let mut beyond = directory + 2 + 12 * tags.len() + 4;
        let mut values = Vec::new();
        bytes.extend_from_slice(&u16::try_from(tags.len()).expect("few tags").to_le_bytes());
        for (tag, kind, mut value) in tags {
            let size = match kind {
                2 => 1,
                3 => 2,
                4 => 4,
                _ => 8,
            };
            bytes.extend_from_slice(&tag.to_le_bytes());
            bytes.extend_from_slice(&kind.to_le_bytes());
            bytes.extend_from_slice(&long(value.len() / size).to_le_bytes());
            if value.len() <= 4 {
                value.resize(4, 0);
                bytes.extend_from_slice(&value);
            } else {
                bytes.extend_from_slice(&long(beyond).to_le_bytes());
                beyond += value.len();
                values.extend_from_slice(&value);
            }
        }
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&values);
        bytes[4..8].copy_from_slice(&long(directory).to_le_bytes());
        bytes
    }
}

fn long(number: usize) -> u32 {
    u32::try_from(number).expect("a small file")
}
