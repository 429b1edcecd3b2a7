//! The variables of `land_segments/canopy`.

use super::labels;
use super::labels::{ALONG_TRACK, PERCENTILES};
use super::row::{ALL, I16_MAX, I32_MAX, ONLY_004, SINCE_005, SINCE_006, SINCE_007, f32, i8, i16, i32};
use super::variable::Variable;
use super::variable::Vertical::{Ellipsoid, Ground};

pub(super) const CANOPY: &[Variable] = &[
    f32("canopy/can_noise", SINCE_006, "count/meter", "canopy noise rate")
        .description("Rate of the noise photons that fall within the height of the canopy"),
    i8("canopy/can_quality_score", SINCE_007, "Canopy quality score").fill(127).description(
        "How far the canopy heights can be trusted, from 0 to 100, judged by the conditions they were measured in",
    ),
    i32("canopy/canopy_flag", ONLY_004, "canopy flag")
        .fill(I32_MAX)
        .flags("0 1", "no_canopy_present canopy_present")
        .description(
            "Whether Landsat's tree cover lets canopy be expected: more than 5 percent along the processed stretch",
        ),
    f32("canopy/canopy_h_metrics", ALL, "meters", "canopy height metrics")
        .profile(PERCENTILES)
        .height_above(Ground)
        .description("Canopy height at 18 percentiles; the 98th is h_canopy, the highest photon h_max_canopy"),
    f32("canopy/canopy_h_metrics_abs", ALL, "meters", "canopy absolute height metrics")
        .profile(PERCENTILES)
        .height_above(Ellipsoid)
        .description("Height of the canopy photons above the ellipsoid at 18 percentiles"),
    f32("canopy/canopy_openness", ALL, "1", "canopy openness")
        .real_units("meters")
        .description("Standard deviation of the heights of the canopy photons; an open canopy spreads them"),
    i8("canopy/canopy_rh_conf", ALL, "canopy relative height confidence")
        .valid_range(0.0, 2.0)
        .flags("0 1 2", "<5%_canopy >=5%_canopy_<5%_ground >=5%_canopy_>=5%_ground")
        .description("Confidence in canopy heights by the shares of canopy and ground photons: 2 is best"),
    f32("canopy/centroid_height", ALL, "meters", "centroid height")
        .height_above(Ellipsoid)
        .description("Mean height of all ground and canopy photons, as a large-footprint lidar would see the segment"),
    f32("canopy/h_canopy", ALL, "meters", "height canopy")
        .height_above(Ground)
        .plain_name("canopy_h")
        .description("Canopy height: the 98th percentile of the canopy photons, not the maximum"),
    f32("canopy/h_canopy_20m", SINCE_005, "meters", "canopy height 20m")
        .profile(ALONG_TRACK)
        .height_above(Ground)
        .description("Canopy height of each 20 m piece of the segment"),
    f32("canopy/h_canopy_abs", ALL, "meters", "absolute segment canopy height")
        .height_above(Ellipsoid)
        .plain_name("canopy_h_abs")
        .description("Height of the 98th percentile of the canopy photons above the ellipsoid"),
    f32("canopy/h_canopy_quad", ALL, "meters", "canopy quadratic mean")
        .height_above(Ground)
        .description("Root mean square of the heights of the canopy photons"),
    f32("canopy/h_canopy_uncertainty", ALL, "meters", "segment canopy height uncertainty")
        .plain_name("canopy_h_uncertainty")
        .description("Uncertainty of h_canopy: the errors of the terrain below and of finding canopy photons"),
    f32("canopy/h_dif_canopy", ALL, "meters", "canopy diff to median height")
        .description("h_canopy minus h_median_canopy"),
    f32("canopy/h_max_canopy", ALL, "meters", "maximum canopy height")
        .height_above(Ground)
        .plain_name("canopy_h_max")
        .description("Height of the highest canopy photon; noise shows here first"),
    f32("canopy/h_max_canopy_abs", ALL, "meters", "absolute maximum canopy height")
        .height_above(Ellipsoid)
        .description("Height of the highest canopy photon above the ellipsoid"),
    f32("canopy/h_mean_canopy", ALL, "meters", "mean canopy height")
        .height_above(Ground)
        .plain_name("canopy_h_mean")
        .description("Mean height of the canopy photons"),
    f32("canopy/h_mean_canopy_abs", ALL, "meters", "absolute mean canopy height")
        .height_above(Ellipsoid)
        .description("Mean height of the canopy photons above the ellipsoid"),
    f32("canopy/h_median_canopy", ALL, "meters", "median canopy height")
        .height_above(Ground)
        .plain_name("canopy_h_median")
        .description("Median height of the canopy photons"),
    f32("canopy/h_median_canopy_abs", ALL, "meters", "absolute segment median canopy height")
        .height_above(Ellipsoid)
        .description("Median height of the canopy photons above the ellipsoid"),
    f32("canopy/h_min_canopy", ALL, "meters", "minimum canopy height")
        .height_above(Ground)
        .description("Height of the lowest canopy photon"),
    f32("canopy/h_min_canopy_abs", ALL, "meters", "absolute minimum canopy height")
        .height_above(Ellipsoid)
        .description("Height of the lowest canopy photon above the ellipsoid"),
    i32("canopy/landsat_flag", ONLY_004, "landsat flag")
        .fill(I32_MAX)
        .flags("0 1", "canopy_not_assumed_present canopy_assumed_present")
        .description(
            "Whether canopy is assumed because Landsat's tree cover has no valid value for most of the stretch",
        ),
    f32("canopy/landsat_perc", ONLY_004, "1", "landsat percentage canopy")
        .real_units("percent")
        .description("Mean tree cover of the segment after Landsat"),
    i32("canopy/n_ca_photons", ALL, "number canopy photons").description("How many photons were classified as canopy"),
    i32("canopy/n_toc_photons", ALL, "number top of canopy photons")
        .description("How many photons were classified as top of the canopy"),
    f32("canopy/photon_rate_can", ALL, "s^-1", "Canopy photon rate")
        .valid_range(0.0, f64::INFINITY)
        .description("Rate of canopy photons over the segment"),
    f32("canopy/photon_rate_can_nr", SINCE_006, "s^-1", "noise reduced number of canopy photons")
        .description("Rate of canopy photons over the segment after subtracting the expected noise"),
    i16("canopy/segment_cover", SINCE_005, "canopy cover percentage")
        .real_units("percent")
        .fill(I16_MAX)
        .plain_name("canopy_cover")
        .description("Mean tree cover of the segment after Copernicus; from a map, not from photons"),
    i8("canopy/subset_can_flag", ALL, "subset canopy flag")
        .profile(ALONG_TRACK)
        .fill(127)
        .valid_range(-1.0, 1.0)
        .flags("-1 0 1", labels::CANOPY_PHOTONS)
        .description("Which 20 m pieces of the segment hold the canopy photons that its canopy heights come from"),
    f32("canopy/toc_roughness", ALL, "meters", "top of canopy roughness")
        .description("Standard deviation of the heights of the photons at the top of the canopy"),
];
