//! Labels of list elements and meanings of codes that several variables share or that are long.

use super::variable::{Flags, Labels, Releases};

/// The 18 height percentiles of `canopy_h_metrics`.
pub(super) const PERCENTILES: Labels =
    Labels { name: "percentile", units: "percent", values: "10 15 20 25 30 35 40 45 50 55 60 65 70 75 80 85 90 95" };

/// The 20 m pieces of a segment by the distance of their middle from its start, in the direction of flight.
pub(super) const ALONG_TRACK: Labels = Labels { name: "along_track_offset", units: "meters", values: "10 30 50 70 90" };

/// The surfaces of a segment, which may be several.
pub(super) const SURFACES: Labels =
    Labels { name: "surface", units: "", values: "land ocean seaice landice inland_water" };

pub(super) const CANOPY_PHOTONS: &str = "no_photon_data_within_geosegment no_canopy_photons_within_geosegment \
                                         canopy_photons_present_within_geosegment";

pub(super) const TERRAIN_PHOTONS: &str = "no_photon_data_within_geosegment no_terrain_photons_within_geosegment \
                                          terrain_photons_present_within_geosegment";

pub(super) const MULTIPLE_SCATTERING: &str = "cannot_determine no_layers layer_gt_3km layer_between_1_and_3_km layer_lt_1km blow_snow_od_lt_0.5 \
     blow_snow_od_gt_0.5";

/// Land cover of release 004: the classes of IGBP, from MODIS.
pub(super) const IGBP: Flags = Flags {
    releases: Releases { first: 4, last: Some(4) },
    values: "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
    meanings: "water evergreen_needleleaf_forest evergreen_broadleaf_forest deciduous_needleleaf_forest \
               deciduous_broadleaf_forest mixed_forest closed_shrublands open_shrublands woody_savannas savannas \
               grasslands permanent_wetlands croplands urban cropland_natural_vegetation_mosaic \
               permanent_snow_and_ice barren",
};

/// Land cover since release 005: the discrete classes of the Copernicus Global Land Service, 100 m.
pub(super) const COPERNICUS: (&str, &str) = (
    "0 20 30 40 50 60 70 80 90 100 111 112 113 114 115 116 121 122 123 124 125 126 200",
    "unknown shrubs herbaceous_vegetation cropland urban bare_or_sparse_vegetation snow_and_ice \
     permanent_water herbaceous_wetland moss_and_lichen \
     closed_forest_evergreen_needleleaf closed_forest_evergreen_broadleaf closed_forest_deciduous_needleleaf \
     closed_forest_deciduous_broadleaf closed_forest_mixed closed_forest_other \
     open_forest_evergreen_needleleaf open_forest_evergreen_broadleaf open_forest_deciduous_needleleaf \
     open_forest_deciduous_broadleaf open_forest_mixed open_forest_other open_sea",
);
