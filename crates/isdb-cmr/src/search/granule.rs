//! Granule descriptions: identity, time, size and location of a granule, as CMR describes it.

use chrono::{DateTime, Utc};
use isdb_schema::granule_name::GranuleName;

/// The largest accepted size of a file, in bytes: a terabyte. Granules have some hundred megabytes.
pub const MAX_FILE_BYTES: u64 = 1 << 40;
/// The provider of the granules in NASA's cloud.
const CLOUD_PROVIDER: &str = "NSIDC_CPRD";

/// A granule in CMR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GranuleDescription {
    /// The parsed name of its file.
    pub name: GranuleName,
    /// CMR's id of the description, such as `G2166695839-NSIDC_CPRD`, which ends in the provider.
    pub concept_id: String,
    /// The revision of the description, from 1.
    pub revision_id: Option<u64>,
    /// Start of the measurement; the start in the name if CMR gives none.
    pub start: DateTime<Utc>,
    /// End of the measurement.
    pub end: Option<DateTime<Utc>>,
    /// Size of the file in bytes.
    pub bytes: Option<u64>,
    /// Whether CMR gives the size in bytes. Otherwise it is computed from megabytes, which may be rounded.
    pub has_exact_size: bool,
    /// Checksum of the file.
    pub checksum: Option<Checksum>,
    /// URL of the file for download with an Earthdata login.
    pub https: Option<String>,
    /// S3 location of the file, for readers in the archive's own AWS region.
    pub s3: Option<String>,
}

/// A file's checksum, as CMR gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    /// The algorithm's name, such as `MD5` or `SHA-256`.
    pub algorithm: String,
    /// The checksum in hexadecimal digits.
    pub value: String,
}

/// A description in CMR that does not identify a granule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableDescription {
    /// CMR's id of the description.
    pub concept_id: Option<String>,
    /// The provider's name of the granule.
    pub granule: Option<String>,
    /// The field that is missing or has an unexpected value.
    pub reason: String,
}

impl UnusableDescription {
    /// Returns a name for messages: the granule, CMR's id, or both.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.granule, &self.concept_id) {
            (Some(granule), Some(id)) => format!("{granule} ({id})"),
            (Some(name), None) | (None, Some(name)) => name.clone(),
            (None, None) => "a granule without a name".to_owned(),
        }
    }
}

impl GranuleDescription {
    /// Returns the name of the granule's file. It is formatted from the parsed name, so it is safe as a path.
    #[must_use]
    pub fn file_name(&self) -> String {
        self.name.to_string()
    }

    /// Returns why the file cannot be downloaded; None if it can.
    #[must_use]
    pub fn download_problem(&self) -> Option<&'static str> {
        match (&self.https, &self.s3) {
            (None, None) => Some("CMR gives no URL for its file"),
            (None, Some(_)) => Some("CMR gives only an S3 location, which needs direct access"),
            _ => None,
        }
    }

    /// The order of preference among several descriptions of one granule: the newest revision of the granule, then a file that
    /// can be downloaded, then the cloud, then the newest revision of the description.
    pub(crate) fn rank(&self) -> (u8, bool, bool, u64) {
        let is_in_cloud = self.concept_id.split_once('-').is_some_and(|(_, provider)| provider == CLOUD_PROVIDER);
        (self.name.revision, self.https.is_some(), is_in_cloud, self.revision_id.unwrap_or(0))
    }
}
