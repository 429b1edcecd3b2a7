//! ATL08's counterparts of names in other products and tools.

/// A clause, without a full stop, on the counterpart in ATL08 of a name from another product or tool (GEDI, ATL03,
/// SlideRule, tables of time series). Case does not matter. `None` for every other name.
#[must_use]
pub fn counterpart(typed: &str) -> Option<&'static str> {
    let typed = typed.to_lowercase();
    if let Some(percentile) = percentile(&typed) {
        return Some(relative_height(percentile));
    }
    if typed.strip_prefix("beam").is_some_and(|bits| bits.len() == 4 && bits.chars().all(|bit| bit.is_ascii_digit())) {
        return Some(BEAM);
    }
    COUNTERPARTS.iter().find(|(names, _)| names.contains(&typed.as_str())).map(|(_, clause)| *clause)
}

/// The `98` of `rh98` and `rh_98`.
fn percentile(typed: &str) -> Option<u8> {
    let digits = typed.strip_prefix("rh")?.trim_start_matches('_');
    digits.parse().ok().filter(|percentile| *percentile <= 100)
}

fn relative_height(percentile: u8) -> &'static str {
    match percentile {
        25 => "the 25th percentile of canopy height is canopy_h_metrics[4]",
        50 => "the median of canopy height is canopy_h_metrics[9], and canopy_h_median",
        75 => "the 75th percentile of canopy height is canopy_h_metrics[14]",
        95 => "the 95th percentile of canopy height is canopy_h_metrics[18]",
        98 => "the 98th percentile of canopy height is canopy_h (h_canopy)",
        100 => "the highest canopy photon is canopy_h_max (h_max_canopy)",
        _ => {
            "canopy_h_metrics[1] to [18] are the percentiles 10, 15, to 95 of canopy height; the 98th is canopy_h, the \
             maximum canopy_h_max"
        }
    }
}

const BEAM: &str = "the beams are gt1l to gt3r in the column beam; beam_strength is strong or weak";

const COUNTERPARTS: &[(&[&str], &str)] = &[
    // GEDI
    (
        &["sensitivity", "beam_sensitivity"],
        "ATL08 has no sensitivity; its counterparts are snr, n_ca_photons and h_canopy_uncertainty (can_quality_score since \
         release 007)",
    ),
    (
        &["degrade", "degrade_flag"],
        "ATL08 has no degrade flag; its counterparts are msw_flag, layer_flag, sat_flag and cloud_flag_atm",
    ),
    (
        &["quality_flag", "l2a_quality_flag", "l2b_quality_flag", "l4_quality_flag", "algorithm_run_flag", "quality"],
        "ATL08 has no single quality flag; its counterparts are night_flag, beam_strength, canopy_rh_conf and \
         h_canopy_uncertainty (can_quality_score and te_quality_score since release 007)",
    ),
    (
        &["elev_lowestmode", "elevation", "elev", "ground_elevation", "terrain_height", "ground_height", "dtm"],
        "terrain height is terrain_h (h_te_best_fit), in metres above the WGS 84 ellipsoid",
    ),
    (&["elev_highestreturn"], "the height of the canopy above the ellipsoid is canopy_h_abs (h_canopy_abs)"),
    (&["digital_elevation_model", "dem", "digital_elevation_model_srtm"], "the reference height is dem_h"),
    (&["lat_lowestmode", "lat", "y"], "it is latitude, in degrees"),
    (&["lon_lowestmode", "lon", "long", "lng", "x"], "it is longitude, in degrees"),
    (&["shot_number", "shot"], "ATL08 has no shots: granule, beam and segment_id_beg name a segment"),
    (
        &["pai", "pai_z", "lai", "fhd_normal", "fhd", "pavd_z"],
        "ATL08 has no leaf area or its profile; canopy_h_metrics and toc_roughness describe the structure of a canopy",
    ),
    (
        &["cover", "cover_z", "canopy_closure", "landsat_treecover", "modis_treecover"],
        "ATL08 measures no cover: canopy_cover (segment_cover) is Copernicus' per cent, since release 005; n_ca_photons, \
         n_toc_photons and n_te_photons give the share of photons from the canopy",
    ),
    (
        &["agbd", "agb", "biomass"],
        "ATL08 has no biomass; models of it start from canopy_h, canopy_h_metrics and landcover",
    ),
    // ATL03 and tools over it
    (&["gt", "gtx", "track", "pair", "groundtrack", "ground_track"], BEAM),
    (&["segment_id", "segment", "extent_id"], "a segment's id is segment_id_beg (to segment_id_end)"),
    (
        &["atl08_class", "classed_pc_flag", "ph_h", "d_flag", "h_ph"],
        "photons are not stored; n_te_photons, n_ca_photons and n_toc_photons count them by class in each segment",
    ),
    (&["ground_photon_count", "gnd_ph_count"], "ground photons are counted by n_te_photons"),
    (
        &["vegetation_photon_count", "veg_ph_count"],
        "canopy photons are counted by n_ca_photons, those at its top by n_toc_photons",
    ),
    (&["ph_count", "photon_count"], "the photons of a segment are counted by n_seg_ph"),
    (&["h_mean", "mean_h"], "the mean height is canopy_h_mean (h_mean_canopy) or terrain_h_mean (h_te_mean)"),
    (&["h_median"], "the median height is canopy_h_median (h_median_canopy) or h_te_median"),
    (&["h_max"], "the maximum height is canopy_h_max (h_max_canopy) or h_te_max"),
    (
        &["canopy_height", "height", "h", "chm"],
        "canopy height is canopy_h (h_canopy, the 98th percentile), terrain height terrain_h (h_te_best_fit)",
    ),
    (&["slope"], "the slope of the terrain is terrain_slope"),
    (&["orbit", "orbit_number"], "a pass is named by rgt and cycle"),
    (&["file", "filename", "file_name", "granule_id", "granule_name"], "the granule a segment came from is granule"),
    (&["version"], "the product's release is release, the granule's revision is revision"),
    // tables of time series and positions
    (
        &["delta_time", "date", "datetime", "timestamp", "day", "absolute_time", "date_time"],
        "it is time, in UTC; date_trunc('day', time) gives the day",
    ),
    (&["year", "month"], "it is date_part of time, as in date_part('year', time)"),
    (&["geometry", "geom", "point"], "a segment's position is in the columns longitude and latitude"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{variable, variables};
    use crate::columns::is_reserved_name;
    use crate::ledger::ledger_schema;
    use crate::segments::segment_fields;

    /// The shipped view, whose text has every plain name.
    const VIEW: &str = include_str!("../../sql/views/atl08.sql");

    fn every_clause() -> Vec<&'static str> {
        let clauses = COUNTERPARTS.iter().map(|(_, clause)| *clause);
        clauses.chain((0..=100).map(relative_height)).chain([BEAM]).collect()
    }

    #[test]
    fn every_column_that_a_counterpart_names_can_be_queried() {
        for clause in every_clause() {
            for word in clause.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| word.contains('_')) {
                let leading = segment_fields(&[]).iter().any(|field| field.name() == word);
                let function = ["date_trunc", "date_part"].contains(&word);
                assert!(variable(word).is_some() || leading || function || VIEW.contains(word), "{word} in {clause:?}");
            }
        }
    }

    #[test]
    fn no_name_of_the_product_has_a_counterpart() {
        for (name, clause) in
            COUNTERPARTS.iter().flat_map(|(names, clause)| names.iter().map(move |name| (name, clause)))
        {
            let ledger = ledger_schema().field_with_name(name).is_ok();
            let product = is_reserved_name(name) || ledger || variables().iter().any(|v| v.plain == Some(*name));
            assert!(!product || *name == "delta_time", "{name}: {clause}");
            assert_eq!(*name, name.to_lowercase());
        }
    }

    #[test]
    fn a_relative_height_of_gedi_is_the_right_element_of_the_profile() {
        assert!(counterpart("rh98").is_some_and(|clause| clause.contains("is canopy_h ")));
        for (name, percentile, element) in [("rh25", 25, 4), ("RH_50", 50, 9), ("rh_75", 75, 14), ("rh95", 95, 18)] {
            assert_eq!(10 + 5 * (element - 1), percentile, "labels go 10, 15, … 95");
            let clause = counterpart(name).unwrap();
            assert!(clause.contains(&format!("canopy_h_metrics[{element}]")), "{clause}");
        }
        assert!(counterpart("rh42").is_some_and(|clause| clause.contains("[1] to [18]")));
    }

    #[test]
    fn quality_and_beams_of_gedi_have_counterparts() {
        assert!(counterpart("Sensitivity").is_some_and(|clause| clause.contains("h_canopy_uncertainty")));
        assert!(counterpart("degrade").is_some_and(|clause| clause.contains("msw_flag")));
        assert!(counterpart("BEAM0101").is_some_and(|clause| clause.contains("gt1l to gt3r")));
        assert_eq!(counterpart("beam_azimuth_x"), None);
        assert_eq!(counterpart("rhubarb"), None);
    }
}
