//! The rows of the catalogue, and the few words they are written in.

use super::{Dtype, Fill, Releases, Variable};

const ALL: Releases = Releases { first: 4, last: None };
const SINCE_005: Releases = Releases { first: 5, last: None };
const SINCE_006: Releases = Releases { first: 6, last: None };
const SINCE_007: Releases = Releases { first: 7, last: None };
const ONLY_004: Releases = Releases { first: 4, last: Some(4) };

const I16_MAX: i64 = i16::MAX as i64;
const I32_MAX: i64 = i32::MAX as i64;

type Text = &'static str;

const fn row(dtype: Dtype, path: Text, releases: Releases, units: Text, long_name: Text) -> Variable {
    Variable {
        name: leaf(path),
        path,
        dtype,
        width: 1,
        units,
        fill: None,
        valid_range: None,
        releases,
        flag_values: "",
        flag_meanings: "",
        long_name,
        description: "",
        required: false,
    }
}

/// The part of `path` after the slash; the product nests one group deep.
const fn leaf(path: Text) -> Text {
    let bytes = path.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'/' {
            return path.split_at(at + 1).1;
        }
        at += 1;
    }
    path
}

/// A single; they are filled with the largest finite one unless [`Variable::no_fill`] is said.
const fn f32(path: Text, releases: Releases, units: Text, long_name: Text) -> Variable {
    Variable { fill: Some(Fill::Float(f32::MAX)), ..row(Dtype::Float32, path, releases, units, long_name) }
}

const fn f64(path: Text, releases: Releases, units: Text, long_name: Text) -> Variable {
    row(Dtype::Float64, path, releases, units, long_name)
}

const fn i8(path: Text, releases: Releases, units: Text, long_name: Text) -> Variable {
    row(Dtype::Int8, path, releases, units, long_name)
}

const fn i16(path: Text, releases: Releases, units: Text, long_name: Text) -> Variable {
    row(Dtype::Int16, path, releases, units, long_name)
}

const fn i32(path: Text, releases: Releases, units: Text, long_name: Text) -> Variable {
    row(Dtype::Int32, path, releases, units, long_name)
}

const fn i64(path: Text, releases: Releases, units: Text, long_name: Text) -> Variable {
    row(Dtype::Int64, path, releases, units, long_name)
}

impl Variable {
    const fn wide(self, width: usize) -> Self {
        Self { width, ..self }
    }

    const fn fill(self, fill: i64) -> Self {
        Self { fill: Some(Fill::Int(fill)), ..self }
    }

    const fn no_fill(self) -> Self {
        Self { fill: None, ..self }
    }

    const fn valid(self, min: f64, max: f64) -> Self {
        Self { valid_range: Some((min, max)), ..self }
    }

    const fn flags(self, flag_values: Text, flag_meanings: Text) -> Self {
        Self { flag_values, flag_meanings, ..self }
    }

    const fn about(self, description: Text) -> Self {
        Self { description, ..self }
    }

    const fn required(self) -> Self {
        Self { required: true, ..self }
    }
}

pub(super) static TABLE: &[Variable] = &[
    f32("asr", ALL, "1", "apparent surface reflectance"),
    f32("atlas_pa", ALL, "radians", "atlas pointing angle"),
    f32("beam_azimuth", ALL, "radians", "beam azimuth"),
    f32("beam_coelev", ALL, "radians", "beam co-elevation"),
    i8("brightness_flag", ALL, "1", "brightness flag").fill(127).flags("0 1", "not_bright_surface bright_surface"),
    i8("cloud_flag_atm", ALL, "1", "cloud flag atm").fill(127).valid(0.0, 10.0),
    i8("cloud_fold_flag", ALL, "1", "cloud folding flag").fill(127).valid(0.0, 3.0).flags("0 1 2 3", "no_folding goes5_indicates profile_indicates both_indicate"),
    f32("column_od_asr", SINCE_007, "1", "column optical depth of the apparent surface reflectance").about("seen in release 007 only"),
    f64("delta_time", ALL, "seconds since 2018-01-01", "mean_pass_time").no_fill().required(),
    f64("delta_time_beg", ALL, "seconds since 2018-01-01", "delta time begin").no_fill(),
    f64("delta_time_end", ALL, "seconds since 2018-01-01", "delta time end").no_fill(),
    i8("dem_flag", ALL, "1", "dem source flag").fill(127).valid(0.0, 4.0).flags("0 1 2 3 4", "none arctic global mss antarctic"),
    f32("dem_h", ALL, "meters", "dem height"),
    i8("dem_removal_flag", ALL, "1", "dem removal flag").flags("0 1", "below_threshold above_threshold"),
    f32("h_dif_ref", ALL, "meters", "h dif from reference"),
    f32("last_seg_extend", ALL, "kilometers", "last segment extended").no_fill(),
    f32("latitude", ALL, "degrees", "latitude").no_fill().valid(-90.0, 90.0).required(),
    f32("latitude_20m", SINCE_005, "degrees", "latitude of 20m segments").wide(5).about("Center latitude of 20m geosegments"),
    i8("layer_flag", ALL, "1", "consolidated cloud flag").flags("0 1", "likely_clear likely_cloudy"),
    f32("longitude", ALL, "degrees", "longitude").no_fill().valid(-180.0, 180.0).required(),
    f32("longitude_20m", SINCE_005, "degrees", "longitude of 20m segments").wide(5).about("Center longitude of 20m geosegments"),
    i8("msw_flag", ALL, "1", "multiple scattering warning flag").fill(127).flags("-1 0 1 2 3 4 5", "cannot_determine no_layers layer_gt_3km layer_between_1_and_3_km layer_lt_1km blow_snow_od_lt_0.5 blow_snow_od_gt_0.5"),
    i32("n_seg_ph", ALL, "1", "number of photons"),
    i32("night_flag", ALL, "1", "night flag").fill(I32_MAX).flags("0 1", "day night"),
    f32("permafrost_alt", SINCE_007, "1", "permafrost active layer thickness").about("seen in release 007 only"),
    f32("permafrost_prob", SINCE_007, "1", "permafrost probability").about("seen in release 007 only"),
    i64("ph_ndx_beg", ALL, "1", "photon index begin"),
    i8("ph_removal_flag", ALL, "1", "ph removal flag").flags("0 1", "below_threshold above_threshold"),
    i8("psf_flag", ALL, "1", "point spread function flag").valid(0.0, 1.0).flags("0 1", "below_threshold above_threshold"),
    i16("rgt", ALL, "1", "reference ground track").valid(1.0, 1387.0),
    i8("sat_flag", ALL, "1", "saturation flag").fill(127).valid(-1.0, 1.0).flags("0 1 -1", "no_saturation_detected saturation_detected not_enough_valid_data"),
    i32("segment_id_beg", ALL, "1", "begin geolocation segment bin"),
    i32("segment_id_end", ALL, "1", "end geolocation segment bin"),
    i16("segment_landcover", ALL, "1", "segment landcover").fill(255).about("release 004: IGBP classes 0 to 16; since 005: Copernicus classes 0, 20 to 100 by tens, 111 to 116, 121 to 126, 200"),
    i8("segment_snowcover", ALL, "1", "segment snowcover").fill(127).valid(0.0, 3.0).flags("0 1 2 3", "ice_free_water snow_free_land snow ice"),
    i32("segment_watermask", ALL, "1", "segment watermask").fill(255).valid(0.0, 1.0).flags("0 1", "no_water water"),
    f32("sigma_across", ALL, "1", "sigma atlas y"),
    f32("sigma_along", ALL, "1", "sigma atlas x"),
    f32("sigma_atlas_land", ALL, "1", "sigma atlas land"),
    f32("sigma_h", ALL, "1", "height uncertainty"),
    f32("sigma_topo", ALL, "1", "sigma atlas topo"),
    f32("snr", ALL, "1", "signal to noise ratio"),
    f32("solar_azimuth", ALL, "degrees_east", "solar azimuth").no_fill(),
    f32("solar_elevation", ALL, "degrees", "solar elevation").no_fill(),
    i8("surf_type", ALL, "1", "surface type").wide(5).valid(0.0, 1.0).flags("0 1", "not_type is_type"),
    i32("terrain_flg", ALL, "1", "terrain flag").fill(I32_MAX).flags("0 1", "below_threshold above_threshold"),
    i32("urban_flag", ALL, "1", "segment urban flag").fill(I32_MAX).flags("0 1", "not_urban urban"),
    f32("canopy/can_noise", SINCE_006, "count/meter", "canopy noise rate").about("Number of noise photons that fall within the canopy height for each 100 m segment"),
    i8("canopy/can_quality_score", SINCE_007, "1", "Canopy quality score").fill(127).about("quality score from coincident conditions, 0 to 100"),
    i32("canopy/canopy_flag", ONLY_004, "1", "canopy flag").fill(I32_MAX).flags("0 1", "no_canopy_present canopy_present"),
    f32("canopy/canopy_h_metrics", ALL, "meters", "canopy height metrics").wide(18),
    f32("canopy/canopy_h_metrics_abs", ALL, "meters", "canopy absolute height metrics").wide(18),
    f32("canopy/canopy_openness", ALL, "1", "canopy openness"),
    i8("canopy/canopy_rh_conf", ALL, "1", "canopy relative height confidence").valid(0.0, 2.0).flags("0 1 2", "<5%_canopy >=5%_canopy_<5%_ground >=5%_canopy_>=5%_ground"),
    f32("canopy/centroid_height", ALL, "meters", "centroid height"),
    f32("canopy/h_canopy", ALL, "meters", "height canopy"),
    f32("canopy/h_canopy_20m", SINCE_005, "meters", "canopy height 20m").wide(5).about("Canopy height for each 20m geosegment with each 100m land segment."),
    f32("canopy/h_canopy_abs", ALL, "meters", "absolute segment canopy height"),
    f32("canopy/h_canopy_quad", ALL, "meters", "canopy quadratic mean"),
    f32("canopy/h_canopy_uncertainty", ALL, "meters", "segment canopy height uncertainty"),
    f32("canopy/h_dif_canopy", ALL, "meters", "canopy diff to median height"),
    f32("canopy/h_max_canopy", ALL, "meters", "maximum canopy height"),
    f32("canopy/h_max_canopy_abs", ALL, "meters", "absolute maximum canopy height"),
    f32("canopy/h_mean_canopy", ALL, "meters", "mean canopy height"),
    f32("canopy/h_mean_canopy_abs", ALL, "meters", "absolute mean canopy height"),
    f32("canopy/h_median_canopy", ALL, "meters", "median canopy height"),
    f32("canopy/h_median_canopy_abs", ALL, "meters", "absolute segment median canopy height"),
    f32("canopy/h_min_canopy", ALL, "meters", "minimum canopy height"),
    f32("canopy/h_min_canopy_abs", ALL, "meters", "absolute minimum canopy height"),
    i32("canopy/landsat_flag", ONLY_004, "1", "landsat flag").fill(I32_MAX).flags("0 1", "canopy_not_assumed_present canopy_assumed_present"),
    f32("canopy/landsat_perc", ONLY_004, "1", "landsat percentage canopy"),
    i32("canopy/n_ca_photons", ALL, "1", "number canopy photons"),
    i32("canopy/n_toc_photons", ALL, "1", "number top of canopy photons"),
    f32("canopy/photon_rate_can", ALL, "s^-1", "Canopy photon rate").valid(0.0, f64::INFINITY),
    f32("canopy/photon_rate_can_nr", SINCE_006, "s^-1", "noise reduced number of canopy photons").about("Noise removed photon canopy rate within each 100 m segment"),
    i16("canopy/segment_cover", SINCE_005, "1", "canopy cover percentage").fill(I16_MAX).about("Average % of the valid (<=100) Copernicus fractional cover product for each 100 m segment"),
    i8("canopy/subset_can_flag", ALL, "1", "subset canopy flag").wide(5).fill(127).valid(-1.0, 1.0).flags("-1 0 1", "no_photon_data_within_geosegment no_canopy_photons_within_geosegment canopy_photons_present_within_geosegment"),
    f32("canopy/toc_roughness", ALL, "meters", "top of canopy roughness"),
    f32("terrain/h_te_best_fit", ALL, "meters", "segment terrain height best fit"),
    f32("terrain/h_te_best_fit_20m", SINCE_005, "meters", "best fit 20m").wide(5).about("Best fit terrain height to center of each 20m geosegment"),
    f32("terrain/h_te_interp", ALL, "meters", "interpolated terrain surface height"),
    f32("terrain/h_te_max", ALL, "meters", "maximum terrain height"),
    f32("terrain/h_te_mean", ALL, "meters", "mean terrain height"),
    f32("terrain/h_te_median", ALL, "meters", "median terrain height"),
    f32("terrain/h_te_min", ALL, "meters", "minimum terrain height"),
    f32("terrain/h_te_mode", ALL, "meters", "mode of terrain heights"),
    f32("terrain/h_te_rh25", ALL, "meters", "Terrain height 25% percentile"),
    f32("terrain/h_te_skew", ALL, "meters", "skew of terrain heights"),
    f32("terrain/h_te_std", ALL, "meters", "segment terrain roughness"),
    f32("terrain/h_te_uncertainty", ALL, "meters", "uncertainty of h_te_mean"),
    i32("terrain/n_te_photons", ALL, "1", "number of ground photons"),
    f32("terrain/photon_rate_te", ALL, "s^-1", "Terrain photon rate").valid(0.0, f64::INFINITY),
    i8("terrain/subset_te_flag", ALL, "1", "subset terrain flag").wide(5).fill(127).valid(-1.0, 1.0).flags("-1 0 1", "no_photon_data_within_geosegment no_terrain_photons_within_geosegment terrain_photons_present_within_geosegment"),
    i8("terrain/te_quality_score", SINCE_007, "1", "Quality score terrain flag").fill(127).about("quality score from coincident conditions, 0 to 100"),
    f32("terrain/terrain_slope", ALL, "1", "segment terrain slope"),
];
