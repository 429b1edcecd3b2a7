//! The beams of a granule, found and checked before any value is read.

use crate::container::access::{if_cheap, optional};
use crate::error::Reason;
use crate::rows::laser::LaserAttributes;
use crate::time::{Clock, Epoch};

/// The maximum number of segments of a beam; the largest beam seen has 10,214.
const MAX_ROWS: usize = 100_000;

/// The maximum number of bytes to which one deflated byte expands.
const MAX_INFLATION: u64 = 1032;

/// A beam that has rows.
pub(crate) struct Beam {
    pub(crate) name: &'static str,
    /// Its `land_segments`.
    pub(crate) group: hdf5::Group,
    pub(crate) rows: usize,
    /// The units of `delta_time` if they are not the product's.
    pub(crate) foreign_units: Option<String>,
    pub(crate) laser: LaserAttributes,
}

/// The content of the group with a beam's name.
pub(crate) enum BeamContent {
    /// The group or its `land_segments` does not exist.
    Missing,
    /// `land_segments` without datasets or without rows.
    Empty,
    /// Rows to decode.
    Rows(Beam),
}

impl Beam {
    /// Looks for the beam `name`. An error is returned with the path of the dataset.
    pub(crate) fn find(
        file: &hdf5::File,
        name: &'static str,
        file_len: u64,
        epoch: Epoch,
    ) -> Result<BeamContent, (String, Reason)> {
        let at = |path: &str| format!("{name}/{path}");
        let failed = |error: hdf5::Error| (at("land_segments"), Reason::from(error));
        let Some(beam) = optional(file.group(name)).map_err(failed)? else { return Ok(BeamContent::Missing) };
        let group = optional(beam.group("land_segments")).map_err(failed)?;
        let Some(group) = group else { return Ok(BeamContent::Missing) };
        let Some(delta_time) = optional(group.dataset("delta_time")).map_err(failed)? else {
            // Subsetters leave beams without datasets. A beam that has other datasets but no time is damaged.
            return match group.datasets().map_err(failed)?.is_empty() {
                true => Ok(BeamContent::Empty),
                false => Err((at("land_segments/delta_time"), "it is missing".into())),
            };
        };
        let failed = |reason: Reason| (at("land_segments/delta_time"), reason);
        let rows = count_rows(&delta_time, file_len).map_err(failed)?;
        if rows == 0 {
            return Ok(BeamContent::Empty);
        }
        let attributes = delta_time.attrs().map_err(|error| failed(error.into()))?;
        let clock = Clock::from_attributes(&attributes, epoch).map_err(|error| failed(error.into()))?;
        let laser = LaserAttributes::from_attributes(&beam.attrs().unwrap_or_default());
        Ok(BeamContent::Rows(Self { name, group, rows, foreign_units: clock.foreign_units, laser }))
    }

    /// The track in the first row, as `rgt` stores it.
    pub(crate) fn first_rgt(&self) -> Option<f64> {
        let dataset = if_cheap(self.group.dataset("rgt").ok()?)?;
        dataset.read_f64_rows(0, 1).ok()?.first().copied()
    }
}

/// The number of rows. It is compared with the maximum that the file can contain, because memory is later allocated for this
/// many rows.
fn count_rows(delta_time: &hdf5::Dataset, file_len: u64) -> Result<usize, Reason> {
    let shape = delta_time.shape()?;
    let [rows] = shape[..] else { return Err(format!("it has {} dimensions", shape.len()).into()) };
    let possible = file_len.saturating_mul(MAX_INFLATION) / 8;
    let rows = usize::try_from(rows)?;
    if rows > MAX_ROWS || rows as u64 > possible {
        return Err(format!("{rows} rows, expected at most {}", MAX_ROWS.min(usize::try_from(possible)?)).into());
    }
    Ok(rows)
}
