//! GeoTIFFs of users.

use std::path::Path;

use isdb_raster::{Method, Raster};

/// Opening and sampling a raster gives values, or an error that names the file. The centre of a pixel is in that pixel.
pub(crate) fn raster(input: &[u8]) {
    let raster = match Raster::from_bytes(Path::new("fuzzed.tif"), input.to_vec()) {
        Ok(raster) => raster,
        Err(error) => {
            assert!(error.to_string().starts_with("fuzzed.tif"), "an error that does not name the file: {error}");
            assert!(!error.hint().is_empty());
            return;
        }
    };
    let grid = raster.grid();
    let _ = grid.bounds();
    let pixels = u64::from(grid.width()) * u64::from(grid.height());
    let cells = [0, pixels / 3, pixels / 2, pixels - 1];
    let positions: Vec<_> = cells.iter().map(|cell| grid.centre(*cell)).collect();
    for band in [1, raster.bands()] {
        for method in [Method::Nearest, Method::Bilinear] {
            match raster.sample(positions.iter().copied(), band, method) {
                Ok(values) => assert_eq!(values.len(), positions.len()),
                Err(error) => assert!(error.to_string().starts_with("fuzzed.tif"), "{error}"),
            }
        }
    }
    assert!(raster.sample([None].into_iter(), 1, Method::Nearest).is_ok_and(|values| values == [None]));
}
