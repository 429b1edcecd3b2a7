//! The variables of `land_segments` itself: position, time, conditions of the measurement and surface.

use super::labels::{ALONG_TRACK, COPERNICUS, IGBP, MULTIPLE_SCATTERING, SURFACES};
use super::row::{ALL, I32_MAX, SINCE_005, SINCE_007, f32, f64, i8, i16, i32, i64};
use super::variable::Variable;
use super::variable::Vertical::Ellipsoid;

const THRESHOLD: &str = "below_threshold above_threshold";

pub(super) const LAND_SEGMENTS: &[Variable] = &[
    f32("asr", ALL, "1", "apparent surface reflectance")
        .description("Reflectance of the surface as seen through the atmosphere, from ATL09"),
    f32("atlas_pa", ALL, "radians", "atlas pointing angle").description("How far the instrument pointed off nadir"),
    f32("beam_azimuth", ALL, "radians", "beam azimuth")
        .description("Direction of the beam over the ground, from north, positive towards east"),
    f32("beam_coelev", ALL, "radians", "beam co-elevation")
        .description("Angle between the beam and the vertical, seen from the laser spot"),
    i8("brightness_flag", ALL, "brightness flag")
        .fill(127)
        .flags("0 1", "not_bright_surface bright_surface")
        .description("Whether the ground is bright, as snow is"),
    i8("cloud_flag_atm", ALL, "cloud flag atm")
        .fill(127)
        .valid_range(0.0, 10.0)
        .description("Number of cloud or aerosol layers above the segment after ATL09; 0 is clear"),
    i8("cloud_fold_flag", ALL, "cloud folding flag")
        .fill(127)
        .valid_range(0.0, 3.0)
        .flags("0 1 2 3", "no_folding goes5_indicates profile_indicates both_indicate")
        .description("Whether clouds above 15 km appear folded into the lowest kilometres of the profile"),
    f32("column_od_asr", SINCE_007, "1", "column optical depth of the apparent surface reflectance")
        .description("Optical depth of the atmosphere above the segment, derived with the surface reflectance"),
    f64("delta_time", ALL, "seconds since 2018-01-01", "mean_pass_time")
        .no_fill()
        .required()
        .description("Mean time of the segment; stored as the column time, in UTC"),
    f64("delta_time_beg", ALL, "seconds since 2018-01-01", "delta time begin")
        .no_fill()
        .description("Time of the segment's first photon"),
    f64("delta_time_end", ALL, "seconds since 2018-01-01", "delta time end")
        .no_fill()
        .description("Time of the segment's last photon"),
    i8("dem_flag", ALL, "dem source flag")
        .fill(127)
        .valid_range(0.0, 4.0)
        .flags("0 1 2 3 4", "none arctic global mss antarctic")
        .description("Which elevation model dem_h comes from; mss is the mean sea surface"),
    f32("dem_h", ALL, "meters", "dem height")
        .height_above(Ellipsoid)
        .description("Height of the reference elevation model at the segment"),
    i8("dem_removal_flag", ALL, "dem removal flag").flags("0 1", THRESHOLD).description(
        "Whether many photons (more than a fifth) were thrown out for lying too far from the elevation model",
    ),
    f32("h_dif_ref", ALL, "meters", "h dif from reference")
        .description("h_te_median minus dem_h; large values point to clouds or a wrong ground"),
    f32("last_seg_extend", ALL, "kilometers", "last segment extended")
        .no_fill()
        .description("How far the last stretch processed of a granule was lengthened, or overlaps the one before"),
    f32("latitude", ALL, "degrees", "latitude")
        .no_fill()
        .valid_range(-90.0, 90.0)
        .required()
        .description("Latitude of the middle of the segment, WGS 84"),
    f32("latitude_20m", SINCE_005, "degrees", "latitude of 20m segments")
        .profile(ALONG_TRACK)
        .description("Latitude of the middle of each 20 m piece of the segment"),
    i8("layer_flag", ALL, "consolidated cloud flag")
        .flags("0 1", "likely_clear likely_cloudy")
        .description("Whether clouds or blowing snow are likely, from several flags of ATL09 and the time of day"),
    f32("longitude", ALL, "degrees", "longitude")
        .no_fill()
        .valid_range(-180.0, 180.0)
        .required()
        .description("Longitude of the middle of the segment, WGS 84"),
    f32("longitude_20m", SINCE_005, "degrees", "longitude of 20m segments")
        .profile(ALONG_TRACK)
        .description("Longitude of the middle of each 20 m piece of the segment"),
    i8("msw_flag", ALL, "multiple scattering warning flag")
        .fill(127)
        .flags("-1 0 1 2 3 4 5", MULTIPLE_SCATTERING)
        .description("How much light scattered in clouds or blowing snow may lower heights: 0 not at all, 5 most"),
    i32("n_seg_ph", ALL, "number of photons").description("How many photons the segment has in signal_photons"),
    i32("night_flag", ALL, "night flag")
        .fill(I32_MAX)
        .flags("0 1", "day night")
        .description("Whether it was night, judged by the height of the sun; nights have less noise"),
    f32("permafrost_alt", SINCE_007, "1", "permafrost active layer thickness")
        .description("Thickness of the layer above permafrost that thaws in summer; the product's units were not seen"),
    f32("permafrost_prob", SINCE_007, "1", "permafrost probability")
        .description("Probability of permafrost; the product's units were not seen"),
    i64("ph_ndx_beg", ALL, "photon index begin")
        .description("Place of the segment's first photon in signal_photons, counted from 1"),
    i8("ph_removal_flag", ALL, "ph removal flag")
        .flags("0 1", THRESHOLD)
        .description("Whether many photons (more than half) were thrown out by the quality tests"),
    i8("psf_flag", ALL, "point spread function flag")
        .valid_range(0.0, 1.0)
        .flags("0 1", THRESHOLD)
        .description("Whether sigma_atlas_land is above 1 m"),
    i16("rgt", ALL, "reference ground track")
        .valid_range(1.0, 1387.0)
        .description("Number of the reference ground track, of which the orbit repeats 1387"),
    i8("sat_flag", ALL, "saturation flag")
        .fill(127)
        .valid_range(-1.0, 1.0)
        .flags("0 1 -1", "no_saturation_detected saturation_detected not_enough_valid_data")
        .description("Whether the detector was saturated over the segment"),
    i32("segment_id_beg", ALL, "begin geolocation segment bin")
        .description("Number of the 20 m geolocation segment of ATL03 in which the segment begins"),
    i32("segment_id_end", ALL, "end geolocation segment bin")
        .description("Number of the 20 m geolocation segment of ATL03 in which the segment ends"),
    i16("segment_landcover", ALL, "segment landcover")
        .fill(255)
        .flags(COPERNICUS.0, COPERNICUS.1)
        .earlier_flags(IGBP)
        .plain_name("landcover")
        .description("Land cover class; release 004 has other codes (IGBP) than the later ones (Copernicus)"),
    i8("segment_snowcover", ALL, "segment snowcover")
        .fill(127)
        .valid_range(0.0, 3.0)
        .flags("0 1 2 3", "ice_free_water snow_free_land snow ice")
        .plain_name("snowcover")
        .description("Snow and ice on the day of the pass, from a daily map; 1 is land without snow"),
    i32("segment_watermask", ALL, "segment watermask")
        .fill(255)
        .valid_range(0.0, 1.0)
        .flags("0 1", "no_water water")
        .plain_name("watermask")
        .description("Whether a map of inland water shows water here, at 250 m"),
    f32("sigma_across", ALL, "1", "sigma atlas y")
        .real_units("meters")
        .description("Uncertainty of the position across the track, from pointing and orbit"),
    f32("sigma_along", ALL, "1", "sigma atlas x")
        .real_units("meters")
        .description("Uncertainty of the position along the track, from pointing and orbit"),
    f32("sigma_atlas_land", ALL, "1", "sigma atlas land")
        .real_units("meters")
        .description("Vertical error of geolocation, from ranging and the local slope"),
    f32("sigma_h", ALL, "1", "height uncertainty")
        .real_units("meters")
        .description("Uncertainty of the height of the reference photon, one standard deviation"),
    f32("sigma_topo", ALL, "1", "sigma atlas topo")
        .real_units("meters")
        .description("sigma_h together with what an uncertain position makes of the local slope"),
    f32("snr", ALL, "1", "signal to noise ratio")
        .description("Signal photons over background photons; a ratio, not decibels"),
    f32("solar_azimuth", ALL, "degrees_east", "solar azimuth")
        .real_units("degrees")
        .no_fill()
        .description("Direction of the sun, from north towards east"),
    f32("solar_elevation", ALL, "degrees", "solar elevation")
        .no_fill()
        .description("Height of the sun above the horizon; negative at night"),
    i8("surf_type", ALL, "surface type")
        .profile(SURFACES)
        .valid_range(0.0, 1.0)
        .flags("0 1", "not_type is_type")
        .description("Which surfaces the segment belongs to; several may hold"),
    i32("terrain_flg", ALL, "terrain flag")
        .fill(I32_MAX)
        .flags("0 1", THRESHOLD)
        .description("Whether the terrain height lies further from the elevation model than a threshold"),
    i32("urban_flag", ALL, "segment urban flag")
        .fill(I32_MAX)
        .flags("0 1", "not_urban urban")
        .description("Whether the segment probably lies in a town"),
];
