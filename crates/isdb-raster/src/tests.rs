//! Values and pixels of small rasters.

use std::path::Path;

use isdb_testing::TestRaster;
use proptest::prelude::*;

use crate::{Method, Raster, RasterError};

fn open(raster: &TestRaster) -> Raster {
    Raster::from_bytes(Path::new("test.tif"), raster.to_bytes()).unwrap()
}

/// Returns the values of the first band.
fn values(raster: &Raster, method: Method, positions: &[(f64, f64)]) -> Vec<Option<f64>> {
    raster.sample(positions.iter().copied().map(Some), 1, method).unwrap()
}

/// Pixels whose value is a plane over longitude and latitude, on the whole globe.
fn globe(west: f64, is_point: bool, tile: Option<u32>) -> TestRaster {
    let pixel = 5.0;
    let (width, rows) = (72_u32, if is_point { 37_u32 } else { 36 });
    let centre = if is_point { 0.0 } else { pixel / 2.0 };
    let mut values = Vec::new();
    for row in 0..rows {
        for column in 0..width {
            let longitude = (west + centre + f64::from(column) * pixel + 180.0).rem_euclid(360.0) - 180.0;
            #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
            values.push((1000.0 * (90.0 - centre - f64::from(row) * pixel) + longitude) as f32);
        }
    }
    TestRaster { is_point, tile, ..TestRaster::degrees(width, west, 90.0, pixel, values) }
}

proptest! {
    #[test]
    fn a_global_raster_answers_everywhere_whatever_its_first_longitude(
        latitude in -87.0..87.0_f64,
        longitude in prop_oneof![-180.0..=180.0_f64, 179.0..=181.0_f64, -0.5..0.5_f64, 0.0..360.0_f64],
        west in prop::sample::select(vec![-180.0, 0.0, -30.0]),
        is_point in any::<bool>(),
        tile in prop::sample::select(vec![None, Some(16_u32)]),
    ) {
        let raster = open(&globe(west, is_point, tile));
        let shift = if is_point { 0.0 } else { 2.5 };
        // The centre of the pixel around the position.
        let centre = |degree: f64| ((degree - shift) / 5.0).round() * 5.0 + shift;
        let normal = |longitude: f64| (longitude + 180.0).rem_euclid(360.0) - 180.0;
        let edge = |degree: f64| (((degree - shift) / 5.0 - 0.5).rem_euclid(1.0) - 0.5).abs() > 0.499;
        prop_assume!(!edge(latitude) && !edge(longitude));
        let nearest = values(&raster, Method::Nearest, &[(latitude, longitude)])[0].unwrap();
        prop_assert!((nearest - (1000.0 * centre(latitude) + normal(centre(longitude)))).abs() < 0.01, "{nearest}");
        let bilinear = values(&raster, Method::Bilinear, &[(latitude, longitude)])[0].unwrap();
        // Longitudes jump at the dateline, so that only the latitude is compared between the two pixels there.
        let tolerance = if normal(longitude).abs() > 174.0 { 360.0 } else { 0.02 };
        let plane = 1000.0 * latitude + normal(longitude);
        prop_assert!((bilinear - plane).abs() < tolerance, "{bilinear} {plane}");
    }

    #[test]
    fn a_value_does_not_depend_on_the_positions_beside_it(
        positions in prop::collection::vec((-89.0..89.0_f64, -180.0..180.0_f64), 1..40),
    ) {
        let raster = open(&globe(-180.0, false, Some(16)));
        for method in [Method::Nearest, Method::Bilinear] {
            let together = values(&raster, method, &positions);
            let alone: Vec<_> = positions.iter().map(|position| values(&raster, method, &[*position])[0]).collect();
            prop_assert_eq!(together, alone);
        }
    }

    #[test]
    fn the_centre_of_a_pixel_is_in_it(
        cell in 0..72 * 37_u64,
        is_point in any::<bool>(),
        west in prop::sample::select(vec![-180.0, 0.0]),
    ) {
        let raster = open(&globe(west, is_point, None));
        if let Some((latitude, longitude)) = raster.grid().centre(cell) {
            prop_assert!((-180.0..=180.0).contains(&longitude));
            prop_assert_eq!(raster.grid().cell(latitude, longitude), Some(cell));
        }
    }
}

/// Three by three pixels of one degree around the equator; the one in the middle has no data.
fn with_a_hole() -> TestRaster {
    let values = vec![1.0, 2.0, 3.0, 4.0, -9999.0, 6.0, 7.0, f32::NAN, 9.0];
    TestRaster { nodata: Some("-9999"), ..TestRaster::degrees(3, 0.0, 1.5, 1.0, values) }
}

#[test]
fn there_is_no_value_outside_and_where_the_raster_has_no_data() {
    let raster = open(&with_a_hole());
    let nearest = values(
        &raster,
        Method::Nearest,
        &[(1.0, 0.5), (0.0, 1.5), (-1.0, 1.5), (1.6, 0.5), (0.0, 3.1), (f64::NAN, 0.5)],
    );
    assert_eq!(nearest, [Some(1.0), None, None, None, None, None]);
    let none = raster.sample([None, Some((-1.0, 2.5))].into_iter(), 1, Method::Nearest).unwrap();
    assert_eq!(none, [None, Some(9.0)]);
}

#[test]
fn bilinear_values_are_means_of_the_pixels_that_have_data() {
    let raster = open(&with_a_hole());
    let at = |latitude, longitude| values(&raster, Method::Bilinear, &[(latitude, longitude)])[0];
    // The corner between 1, 2, 4 and the hole: each of the three has the same weight.
    assert!((at(0.500_001, 0.999_999).unwrap() - 7.0 / 3.0).abs() < 1e-4);
    // In the hole the value is None, although other pixels have data.
    assert_eq!((at(0.0, 1.5), at(0.4, 1.1)), (None, None));
    assert_eq!(at(1.0, 1.5), Some(2.0));
    // Beyond the outermost centres the outermost pixels continue.
    assert_eq!(at(1.4, 0.1), Some(1.0));
    assert_eq!(at(1.25, 0.5), Some(1.0));
    assert_eq!(at(0.75, 0.5), Some(1.75));
}

#[test]
fn bands_have_values_of_their_own_and_others_are_refused() {
    let values = (0..24).map(|value| value as f32).collect();
    let raster = open(&TestRaster { bands: 2, tile: Some(16), ..TestRaster::degrees(4, 0.0, 3.0, 1.0, values) });
    let value = |band| raster.sample([Some((0.5, 3.5))].into_iter(), band, Method::Nearest).unwrap()[0];
    assert_eq!((value(1), value(2), raster.bands()), (Some(11.0), Some(23.0), 2));
    let error = raster.band(3).unwrap_err();
    assert_eq!(error.to_string(), "test.tif: expected a band from 1 to 2, found 3");
    assert!(raster.band(0).is_err() && raster.band(-1).is_err());
}

#[test]
fn positions_are_projected_to_the_map() {
    let values = (0..12).map(|value| value as f32).collect();
    // Zone 33 has its central meridian, 500 km east, at 15 degrees.
    let utm = TestRaster {
        epsg: (32633, false),
        origin: (500_000.0, 5_000_030.0),
        ..TestRaster::degrees(4, 0.0, 0.0, 10.0, values)
    };
    let raster = open(&utm);
    assert_eq!(raster.grid().crs(), "EPSG:32633");
    let (latitude, longitude) = raster.grid().centre(6).unwrap();
    assert!((latitude - 45.15).abs() < 0.01 && longitude > 15.0 && longitude < 15.001, "{latitude} {longitude}");
    assert_eq!(
        super::tests::values(&raster, Method::Nearest, &[(latitude, longitude), (45.0, 15.0)]),
        [Some(6.0), None]
    );
}

#[test]
fn files_that_are_not_placed_rasters_are_refused_with_advice() {
    let open = |bytes: Vec<u8>| Raster::from_bytes(Path::new("in.tif"), bytes).map(|_| ()).unwrap_err();
    let error = open(b"GIF89a, but longer".to_vec());
    assert_eq!(error.to_string(), "in.tif: expected a GeoTIFF, found another format");
    assert!(error.hint().contains("gdal_translate in.tif out.tif"), "{}", error.hint());
    let error = open(TestRaster { epsg: (32767, false), ..with_a_hole() }.to_bytes());
    assert!(error.to_string().contains("'without a name': expected one with a code of EPSG"), "{error}");
    assert!(error.hint().contains("gdalwarp -t_srs EPSG:4326 in.tif out.tif"), "{}", error.hint());
    let error = open(TestRaster { epsg: (26717, false), ..with_a_hole() }.to_bytes());
    assert!(error.to_string().contains("EPSG:26717: the shift from WGS 84 needs a grid"), "{error}");
    let error = open(TestRaster { pixel: 0.0, ..with_a_hole() }.to_bytes());
    assert!(matches!(error, RasterError::NoGeoreference { .. }), "{error}");
    let mut cut = with_a_hole().to_bytes();
    cut.truncate(cut.len() - 8);
    assert!(matches!(open(cut), RasterError::Malformed { .. }));
    let missing = Raster::open(Path::new("none.tif")).map(|_| ()).unwrap_err();
    assert!(missing.to_string().starts_with("none.tif: it cannot be read: "), "{missing}");
    let folder = Raster::open(Path::new("/")).map(|_| ()).unwrap_err();
    assert!(matches!(folder, RasterError::Unreadable { .. }), "{folder}");
}
