//! A granule as CMR describes it: which one it is, when it was measured, how large its file is and where that lies.

use chrono::{DateTime, Utc};
use isdb_schema::granule_name::GranuleName;

mod umm;

#[cfg(test)]
mod tests;

pub(crate) use umm::Item;

/// No file is larger, in bytes: a terabyte. Granules have some hundred megabytes.
pub const LARGEST_FILE: u64 = 1 << 40;
/// The provider of the granules in NASA's cloud.
const CLOUD: &str = "NSIDC_CPRD";

/// A granule that CMR knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundGranule {
    /// What its file name says.
    pub name: GranuleName,
    /// CMR's id of the description, `G2166695839-NSIDC_CPRD`; the provider stands behind the hyphen.
    pub concept_id: String,
    /// How often the description was changed, from 1.
    pub revision_id: Option<u64>,
    /// Start of the measurement; the start in the name where CMR gives none.
    pub start: DateTime<Utc>,
    /// End of the measurement.
    pub end: Option<DateTime<Utc>>,
    /// Size of the file in bytes.
    pub bytes: Option<u64>,
    /// Whether the size was given in bytes, rather than as a number of megabytes that may be rounded.
    pub has_exact_size: bool,
    /// Checksum of the file.
    pub checksum: Option<Checksum>,
    /// Where the file can be fetched with an Earthdata login.
    pub https: Option<String>,
    /// Where the file lies in S3, for readers in the archive's own AWS region.
    pub s3: Option<String>,
}

/// A file's checksum as CMR gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    /// The algorithm's name, such as `MD5` or `SHA-256`.
    pub algorithm: String,
    /// The checksum in hexadecimal.
    pub value: String,
}

/// A description in CMR that no granule can be made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// CMR's id of the description.
    pub concept_id: Option<String>,
    /// The granule, by whatever name its provider has for it.
    pub granule: Option<String>,
    /// The field that is missing or has an unexpected value.
    pub reason: String,
}

impl Unusable {
    /// What to call it: the granule, CMR's id, or both.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.granule, &self.concept_id) {
            (Some(granule), Some(id)) => format!("{granule} ({id})"),
            (Some(name), None) | (None, Some(name)) => name.clone(),
            (None, None) => "a granule without a name".to_owned(),
        }
    }
}

impl FoundGranule {
    /// The name of the granule's file: made from what was understood of it, so that it is safe as a path.
    #[must_use]
    pub fn file_name(&self) -> String {
        self.name.to_string()
    }

    /// Why the file cannot be fetched, if so.
    #[must_use]
    pub fn problem(&self) -> Option<&'static str> {
        match (&self.https, &self.s3) {
            (None, None) => Some("CMR names no place where its file is"),
            (None, Some(_)) => Some("CMR names a place in S3 only, which needs direct access"),
            _ => None,
        }
    }

    /// Which of several descriptions of one granule to take: the greatest revision, then one whose file can be fetched, from the
    /// cloud, described last.
    pub(crate) fn rank(&self) -> (u8, bool, bool, u64) {
        let is_in_cloud = self.concept_id.split_once('-').is_some_and(|(_, provider)| provider == CLOUD);
        (self.name.revision, self.https.is_some(), is_in_cloud, self.revision_id.unwrap_or(0))
    }
}
