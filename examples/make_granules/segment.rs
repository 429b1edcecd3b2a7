//! The measurements on one 100 m segment, from which every variable of the catalogue follows: heights add up, percentiles ascend,
//! flags agree with what they flag, and canopy variables are fill without canopy photons.

use isdb_schema::catalogue::Variable;

use crate::noise::{field, unit};
use crate::track::{Position, Track};

/// The percentiles of `canopy_h_metrics`: 10 to 95 by 5.
const FIRST_PERCENTILE: f64 = 10.0;
const PERCENTILE_STEP: f64 = 5.0;

/// One segment of one beam.
pub(crate) struct Segment {
    at: Position,
    release: u16,
    rgt: u16,
    seed: u64,
    beam: u8,
    segment_id: u32,
    /// Number of the first photon, from 1.
    first_photon: u32,
    terrain: f64,
    /// Height of the 98 % photon above the terrain; `None` without enough canopy photons.
    canopy: Option<f64>,
    terrain_photons: f64,
    canopy_photons: f64,
    cloud: f64,
    boreal: bool,
    snow: bool,
    water: bool,
    sun: (f64, f64),
}

impl Segment {
    /// Creates the segment of `beam` at `along`; its photons begin after `photons_before`.
    pub(crate) fn new(track: &Track, beam: u8, along: u32, photons_before: u32) -> Self {
        let at = track.position(beam, along);
        let noise = |size: f64, kind: u64| field(at.latitude, at.longitude, size, kind);
        let boreal = at.latitude > 45.0;
        let terrain = 40.0 + 240.0 * noise(1.3, 1) + 30.0 * noise(0.11, 2) + 4.0 * noise(0.01, 3);
        let tallest = if boreal { 24.0 } else { 46.0 };
        let forest = (1.6 * noise(0.6, 4) + 0.5 * noise(0.03, 5) - 0.55).clamp(0.0, 1.0);
        let water = noise(0.2, 6) > 0.88;
        let cloud = (14.0 * noise(0.7, 7 + track.seed) - 5.0).clamp(0.0, 10.0).floor();
        let power = if track.is_strong(beam) { 1.0 } else { 0.25 };
        let light = power * (1.0 - cloud / 12.0);
        let luck = unit(&[track.seed, u64::from(beam), u64::from(along), 8]);
        let canopy_photons = (light * 160.0 * forest * luck).floor();
        let canopy = (canopy_photons >= 3.0 && !water).then_some(2.5 + tallest * forest * (0.7 + 0.3 * luck));
        let terrain_photons = (light * 110.0 * (1.0 - 0.95 * forest) * (0.3 + luck)).floor();
        let day = at.day_of_year();
        Self {
            release: track.name.release,
            rgt: track.name.rgt,
            seed: track.seed,
            beam,
            segment_id: 260_000 + along * 5,
            first_photon: photons_before + 1,
            terrain,
            canopy,
            terrain_photons,
            canopy_photons: if water { 0.0 } else { canopy_photons },
            cloud,
            boreal,
            snow: boreal && !(110.0..310.0).contains(&day),
            water,
            sun: at.sun(),
            at,
        }
    }

    /// Classified photons on the segment.
    pub(crate) fn photons(&self) -> u32 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred whole photons")]
        let photons = (self.terrain_photons + self.canopy_photons) as u32;
        photons
    }

    /// Returns the number of `variable` at index `element` of its profile; `None` is fill.
    pub(crate) fn value(&self, variable: &Variable, element: usize) -> Option<f64> {
        let k = element as f64;
        if variable.path.starts_with("canopy/") {
            return self.canopy_value(variable.name, k);
        }
        if variable.path.starts_with("terrain/") {
            return self.terrain_value(variable.name, k);
        }
        let flag = |yes: bool| Some(f64::from(u8::from(yes)));
        match variable.name {
            "latitude" => Some(self.at.latitude),
            "longitude" => Some(self.at.longitude),
            "latitude_20m" => Some(self.at.latitude + (k - 2.0) * 1.8e-4),
            "longitude_20m" => Some(self.at.longitude + (k - 2.0) * 3e-5),
            "delta_time" => Some(self.at.time),
            "delta_time_beg" => Some(self.at.time - 0.007),
            "delta_time_end" => Some(self.at.time + 0.007),
            "segment_id_beg" => Some(self.segment_id.into()),
            "segment_id_end" => Some(f64::from(self.segment_id) + 4.0),
            "rgt" => Some(self.rgt.into()),
            "ph_ndx_beg" => Some(self.first_photon.into()),
            "n_seg_ph" => Some(self.photons().into()),
            "solar_elevation" => Some(self.sun.0),
            "solar_azimuth" => Some(self.sun.1),
            "night_flag" => flag(self.sun.0 < 0.0),
            "dem_h" => Some(self.dem()),
            "h_dif_ref" => (self.terrain_photons > 0.0).then(|| self.terrain - self.dem()),
            "dem_flag" => flag(!self.boreal).map(|global| 1.0 + global),
            "surf_type" => flag(element == 0 || (element == 4 && self.water)),
            "segment_watermask" => flag(self.water),
            "segment_snowcover" => Some(if self.snow { 2.0 } else { 1.0 }),
            "segment_landcover" => Some(self.landcover()),
            "brightness_flag" => flag(self.snow && self.canopy.is_none()),
            "cloud_flag_atm" => Some(self.cloud),
            "layer_flag" => flag(self.cloud > 1.0),
            "msw_flag" => Some(if self.cloud > 9.0 { -1.0 } else { (self.cloud / 2.0).floor() }),
            "sat_flag" => Some(if self.photons() < 5 { -1.0 } else { 0.0 }),
            "asr" => (self.cloud < 9.0).then(|| 0.1 * self.scatter(1) + if self.snow { 0.7 } else { 0.15 }),
            "snr" => Some(2.0 + 12.0 * self.scatter(2)),
            "terrain_flg" => flag(self.terrain_photons < 10.0),
            "sigma_h" | "sigma_atlas_land" | "sigma_topo" => Some(0.2 + 0.4 * self.scatter(3)),
            "sigma_across" | "sigma_along" => Some(4.0 + self.scatter(4)),
            "beam_azimuth" => Some(1.1 + 0.01 * f64::from(self.beam)),
            "beam_coelev" => Some(1.565),
            "atlas_pa" => Some(0.0065),
            "permafrost_prob" => self.boreal.then_some(((self.at.latitude - 50.0) / 12.0).clamp(0.0, 1.0)),
            "permafrost_alt" => (self.at.latitude > 54.0).then(|| 0.6 + self.scatter(5)),
            "column_od_asr" => (self.sun.0 > 0.0).then_some(0.05 + 0.1 * self.cloud),
            // The removal, saturation-type and urban flags: never set.
            _ => Some(0.0),
        }
    }

    fn terrain_value(&self, name: &str, k: f64) -> Option<f64> {
        let seen = |value: f64| (self.terrain_photons > 0.0).then_some(value);
        let slope = 0.06 * (self.scatter(6) - 0.5);
        let rough = 0.2 + 1.5 * self.scatter(7);
        match name {
            // The product interpolates these over segments without ground photons.
            "h_te_best_fit" | "h_te_interp" => Some(self.terrain),
            "h_te_best_fit_20m" => {
                self.piece(k, self.terrain_photons).then_some(self.terrain + (k - 2.0) * 20.0 * slope)
            }
            "h_te_mean" | "h_te_median" | "h_te_mode" => seen(self.terrain),
            "h_te_min" => seen(self.terrain - 2.0 * rough),
            "h_te_rh25" => seen(self.terrain - 0.7 * rough),
            "h_te_max" => seen(self.terrain + 2.0 * rough),
            "h_te_std" => seen(rough),
            "h_te_skew" => (self.terrain_photons > 2.0).then(|| self.scatter(8) - 0.5),
            "h_te_uncertainty" => (self.terrain_photons > 1.0).then_some(0.3 + rough),
            "terrain_slope" => seen(slope),
            "n_te_photons" => Some(self.terrain_photons),
            "photon_rate_te" => seen(self.terrain_photons / 140.0),
            "subset_te_flag" => Some(self.piece_flag(k, self.terrain_photons)),
            "te_quality_score" => seen((100.0 * (self.terrain_photons / 110.0).min(1.0)).round()),
            _ => None,
        }
    }

    fn canopy_value(&self, name: &str, k: f64) -> Option<f64> {
        let counts_exist = match name {
            "n_ca_photons" => Some(self.canopy_photons),
            "n_toc_photons" => Some((self.canopy_photons / 4.0).floor()),
            "canopy_rh_conf" if self.canopy.is_none() => Some(0.0),
            "canopy_rh_conf" => Some(if self.terrain_photons * 19.0 >= self.canopy_photons { 2.0 } else { 1.0 }),
            "subset_can_flag" => Some(self.piece_flag(k, self.canopy_photons)),
            "canopy_flag" | "landsat_flag" => Some(f64::from(u8::from(self.canopy.is_some()))),
            "segment_cover" | "landsat_perc" => Some(self.canopy.map_or(4.0, |h| (2.0 * h + 10.0).round().min(100.0))),
            _ => None,
        };
        if counts_exist.is_some() {
            return counts_exist;
        }
        let height = self.canopy?;
        let share = |percentile: f64| height * (percentile / 98.0).powf(1.4);
        let percentile = FIRST_PERCENTILE + PERCENTILE_STEP * k;
        match name {
            "h_canopy" => Some(height),
            "h_canopy_abs" => Some(height + self.terrain),
            "h_canopy_20m" => self.piece(k, self.canopy_photons).then_some(height * (0.85 + 0.03 * k)),
            "h_canopy_quad" => Some(share(60.0)),
            "h_canopy_uncertainty" => (self.canopy_photons > 5.0).then_some(0.5 + 0.08 * height),
            "canopy_h_metrics" => Some(share(percentile)),
            "canopy_h_metrics_abs" => Some(share(percentile) + self.terrain),
            "h_max_canopy" => Some(1.05 * height),
            "h_max_canopy_abs" => Some(1.05 * height + self.terrain),
            "h_mean_canopy" => Some(share(54.0)),
            "h_mean_canopy_abs" => Some(share(54.0) + self.terrain),
            "h_median_canopy" => Some(share(50.0)),
            "h_median_canopy_abs" => Some(share(50.0) + self.terrain),
            "h_min_canopy" => Some(share(2.0)),
            "h_min_canopy_abs" => Some(share(2.0) + self.terrain),
            "h_dif_canopy" => Some(height - share(50.0)),
            "centroid_height" => Some(0.4 * height + self.terrain),
            "canopy_openness" => Some(0.25 * height),
            "toc_roughness" => Some(0.15 * height * self.scatter(9)),
            "can_noise" => Some(0.02 * self.scatter(10)),
            "photon_rate_can" => Some(self.canopy_photons / 140.0),
            "photon_rate_can_nr" => Some(0.9 * self.canopy_photons / 140.0),
            "can_quality_score" => Some((100.0 * (self.canopy_photons / 120.0).min(1.0)).round()),
            _ => None,
        }
    }

    fn dem(&self) -> f64 {
        self.terrain + 3.0 * (field(self.at.latitude, self.at.longitude, 0.05, 11) - 0.5)
    }

    /// IGBP classes in release 004, Copernicus classes in later releases: forest, open land, water.
    fn landcover(&self) -> f64 {
        match (self.release, self.water, self.canopy.is_some(), self.boreal) {
            (4, true, ..) => 0.0,
            (4, _, true, boreal) => {
                if boreal {
                    1.0
                } else {
                    2.0
                }
            }
            (4, ..) => 10.0,
            (_, true, ..) => 80.0,
            (_, _, true, boreal) => {
                if boreal {
                    111.0
                } else {
                    112.0
                }
            }
            _ => 30.0,
        }
    }

    /// Whether the 20 m piece `k` has photons of a kind (canopy or terrain), of which the segment has `photons`.
    fn piece(&self, k: f64, photons: f64) -> bool {
        photons > 0.0
            && (photons > 40.0 || unit(&[self.seed, u64::from(self.segment_id), k.to_bits(), 12]) < photons / 40.0)
    }

    fn piece_flag(&self, k: f64, photons: f64) -> f64 {
        if self.photons() == 0 { -1.0 } else { f64::from(u8::from(self.piece(k, photons))) }
    }

    /// Returns a number in [0, 1) that differs from segment to segment.
    fn scatter(&self, kind: u64) -> f64 {
        unit(&[self.seed, u64::from(self.beam), u64::from(self.at.along), 100 + kind])
    }
}
