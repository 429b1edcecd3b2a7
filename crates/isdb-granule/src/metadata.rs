//! The metadata of a granule outside its beams, read once when it is opened.

use crate::container::access::{Attributes, if_small, numbers, string, text};

/// The root attributes, and the values of `METADATA`, `ancillary_data`, `orbit_info` and `quality_assessment` that are used here.
pub(crate) struct Metadata {
    /// Attributes of the root group.
    pub(crate) root: Attributes,
    /// Whether the file has the group `METADATA`.
    pub(crate) has_metadata_group: bool,
    /// `METADATA/DatasetIdentification@fileName`: the file's name when the product was made.
    pub(crate) original_name: Option<String>,
    /// `ancillary_data`, if the file has the group.
    pub(crate) ancillary: Option<AncillaryData>,
    /// `orbit_info`, if the file has the group.
    pub(crate) orbit: Option<OrbitInfo>,
    /// The first value of `quality_assessment/qa_granule_pass_fail`.
    pub(crate) qa_pass_fail: Option<f64>,
}

/// Values of the group `ancillary_data`; of each dataset the first.
#[derive(Debug, Default)]
pub(crate) struct AncillaryData {
    /// Whether the dataset `atlas_sdp_gps_epoch` exists.
    pub(crate) has_epoch: bool,
    /// GPS seconds.
    pub(crate) atlas_sdp_gps_epoch: Option<f64>,
    pub(crate) granule_start_utc: Option<String>,
    pub(crate) data_start_utc: Option<String>,
    pub(crate) start_rgt: Option<f64>,
    pub(crate) start_cycle: Option<f64>,
    pub(crate) start_region: Option<f64>,
    pub(crate) release: Option<String>,
    pub(crate) version: Option<String>,
}

/// Values of the group `orbit_info`.
#[derive(Debug, Default)]
pub(crate) struct OrbitInfo {
    /// Whether the dataset `rgt` exists.
    pub(crate) has_rgt: bool,
    pub(crate) rgt: Option<f64>,
    pub(crate) cycle_number: Option<f64>,
    /// Orientations in the order of the file.
    pub(crate) sc_orient: Vec<f64>,
    /// When each orientation began; `None` if that cannot be read.
    pub(crate) sc_orient_time: Option<OrientationTimes>,
}

/// The dataset `orbit_info/sc_orient_time`.
#[derive(Debug)]
pub(crate) struct OrientationTimes {
    /// Its attributes, among them `units`.
    pub(crate) attributes: Attributes,
    pub(crate) numbers: Vec<f64>,
}

impl Metadata {
    /// Reads the metadata of `file`. Groups, datasets and attributes that are missing or have another type are `None`.
    pub(crate) fn read(file: &hdf5::File) -> Self {
        let metadata = file.group("METADATA").ok();
        let identification = metadata.as_ref().and_then(|metadata| metadata.group("DatasetIdentification").ok());
        let identification = identification.and_then(|group| group.attrs().ok()).unwrap_or_default();
        let quality = file.group("quality_assessment").ok();
        Self {
            root: file.root().attrs().unwrap_or_default(),
            has_metadata_group: metadata.is_some(),
            original_name: text(&identification, "fileName"),
            ancillary: file.group("ancillary_data").ok().map(|group| AncillaryData::read(&group)),
            orbit: file.group("orbit_info").ok().map(|group| OrbitInfo::read(&group)),
            qa_pass_fail: quality.and_then(|group| first_number(&group, "qa_granule_pass_fail")),
        }
    }

    /// Whether some tool wrote the file again and kept only beams: it has none of the groups that describe the granule as a whole.
    pub(crate) fn is_extract(&self) -> bool {
        !self.has_metadata_group && self.ancillary.is_none() && self.orbit.is_none()
    }

    /// Whether the file lacks a group or dataset that every whole granule has.
    pub(crate) fn is_incomplete(&self) -> bool {
        !self.has_metadata_group
            || !self.ancillary.as_ref().is_some_and(|ancillary| ancillary.has_epoch)
            || !self.orbit.as_ref().is_some_and(|orbit| orbit.has_rgt)
    }
}

impl AncillaryData {
    fn read(group: &hdf5::Group) -> Self {
        let epoch = group.dataset("atlas_sdp_gps_epoch").ok();
        Self {
            has_epoch: epoch.is_some(),
            atlas_sdp_gps_epoch: epoch.and_then(numbers).and_then(|numbers| numbers.first().copied()),
            granule_start_utc: string(group, "granule_start_utc"),
            data_start_utc: string(group, "data_start_utc"),
            start_rgt: first_number(group, "start_rgt"),
            start_cycle: first_number(group, "start_cycle"),
            start_region: first_number(group, "start_region"),
            release: string(group, "release"),
            version: string(group, "version"),
        }
    }
}

impl OrbitInfo {
    fn read(group: &hdf5::Group) -> Self {
        let rgt = group.dataset("rgt").ok();
        Self {
            has_rgt: rgt.is_some(),
            rgt: rgt.and_then(numbers).and_then(|numbers| numbers.first().copied()),
            cycle_number: first_number(group, "cycle_number"),
            sc_orient: group.dataset("sc_orient").ok().and_then(numbers).unwrap_or_default(),
            sc_orient_time: group.dataset("sc_orient_time").ok().and_then(OrientationTimes::read),
        }
    }
}

impl OrientationTimes {
    fn read(dataset: hdf5::Dataset) -> Option<Self> {
        let dataset = if_small(dataset)?;
        Some(Self { attributes: dataset.attrs().ok()?, numbers: dataset.read_f64().ok()? })
    }
}

/// The first number of the dataset at `path` below `group`.
fn first_number(group: &hdf5::Group, path: &str) -> Option<f64> {
    numbers(group.dataset(path).ok()?)?.first().copied()
}
