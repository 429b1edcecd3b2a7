//! The variables of `land_segments/terrain`.

use super::labels;
use super::labels::ALONG_TRACK;
use super::row::{ALL, SINCE_005, SINCE_007, f32, i8, i32};
use super::variable::Variable;
use super::variable::Vertical::Ellipsoid;

pub(super) const TERRAIN: &[Variable] = &[
    f32("terrain/h_te_best_fit", ALL, "meters", "segment terrain height best fit")
        .height_above(Ellipsoid)
        .plain_name("terrain_h")
        .description(
            "Terrain height at the middle of the segment, from the best of three fits through its ground photons",
        ),
    f32("terrain/h_te_best_fit_20m", SINCE_005, "meters", "best fit 20m")
        .profile(ALONG_TRACK)
        .height_above(Ellipsoid)
        .description("Terrain height at the middle of each 20 m piece of the segment, fitted as h_te_best_fit is"),
    f32("terrain/h_te_interp", ALL, "meters", "interpolated terrain surface height")
        .height_above(Ellipsoid)
        .description(
            "Height of the ground surface that was interpolated along the track, at the middle of the segment",
        ),
    f32("terrain/h_te_max", ALL, "meters", "maximum terrain height")
        .height_above(Ellipsoid)
        .description("Height of the highest ground photon"),
    f32("terrain/h_te_mean", ALL, "meters", "mean terrain height")
        .height_above(Ellipsoid)
        .plain_name("terrain_h_mean")
        .description("Mean height of the ground photons"),
    f32("terrain/h_te_median", ALL, "meters", "median terrain height")
        .height_above(Ellipsoid)
        .description("Median height of the ground photons"),
    f32("terrain/h_te_min", ALL, "meters", "minimum terrain height")
        .height_above(Ellipsoid)
        .description("Height of the lowest ground photon"),
    f32("terrain/h_te_mode", ALL, "meters", "mode of terrain heights")
        .height_above(Ellipsoid)
        .description("Most frequent height of the ground photons"),
    f32("terrain/h_te_rh25", ALL, "meters", "Terrain height 25% percentile")
        .height_above(Ellipsoid)
        .description("Height below which a quarter of the ground photons lie"),
    f32("terrain/h_te_skew", ALL, "meters", "skew of terrain heights")
        .real_units("1")
        .description("Skewness of the heights of the ground photons; a pure number, though the product says meters"),
    f32("terrain/h_te_std", ALL, "meters", "segment terrain roughness")
        .description("Standard deviation of the heights of the ground photons: roughness and slope together"),
    f32("terrain/h_te_uncertainty", ALL, "meters", "uncertainty of h_te_mean")
        .plain_name("terrain_h_uncertainty")
        .description("Uncertainty of h_te_mean: orbit, pointing and timing, and the errors of finding ground photons"),
    i32("terrain/n_te_photons", ALL, "number of ground photons")
        .description("How many photons were classified as ground"),
    f32("terrain/photon_rate_te", ALL, "s^-1", "Terrain photon rate")
        .valid_range(0.0, f64::INFINITY)
        .description("Rate of ground photons over the segment"),
    i8("terrain/subset_te_flag", ALL, "subset terrain flag")
        .profile(ALONG_TRACK)
        .fill(127)
        .valid_range(-1.0, 1.0)
        .flags("-1 0 1", labels::TERRAIN_PHOTONS)
        .description("Which 20 m pieces of the segment hold the ground photons that its terrain heights come from"),
    i8("terrain/te_quality_score", SINCE_007, "Quality score terrain flag").fill(127).description(
        "How far the terrain heights can be trusted, from 0 to 100, judged by the conditions they were measured in",
    ),
    f32("terrain/terrain_slope", ALL, "1", "segment terrain slope").real_units("meter/meter").description(
        "Slope of the ground along the track, from a straight line through the ground photons: rise over run",
    ),
];
