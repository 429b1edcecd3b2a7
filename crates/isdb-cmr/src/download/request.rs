//! Requests for files.

use reqwest::Url;

use crate::download::checksum::ChecksumAlgorithm;
use crate::error::{Error, Result};
use crate::search::granule::{Checksum, GranuleDescription, MAX_FILE_BYTES};

/// A file to download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadRequest {
    /// Its name, such as `ATL08_20200821122613_08730802_007_01.h5`.
    pub name: String,
    /// Its URL.
    pub url: Url,
    /// Its length in bytes, if that is known exactly.
    pub size: Option<u64>,
    /// Its approximate length in bytes, if `size` is not known.
    pub estimate: Option<u64>,
    /// Its checksum in hexadecimal digits.
    pub checksum: Option<(ChecksumAlgorithm, String)>,
}

impl DownloadRequest {
    /// Creates the request for the file of a granule.
    ///
    /// # Errors
    /// [`Error::NoDownloadUrl`] if the description has no valid URL, [`Error::FileTooLarge`] for an impossible size.
    pub fn for_granule(granule: &GranuleDescription) -> Result<DownloadRequest> {
        let name = granule.file_name();
        let no_url = |problem: &str| Error::NoDownloadUrl { name: name.clone(), problem: problem.to_owned() };
        let https = granule.https.as_deref().ok_or_else(|| no_url(granule.download_problem().unwrap_or_default()))?;
        let url = Url::parse(https).map_err(|_| no_url("CMR gives an invalid URL for its file"))?;
        if let Some(bytes) = granule.bytes.filter(|bytes| *bytes > MAX_FILE_BYTES) {
            return Err(Error::FileTooLarge { name, bytes });
        }
        // A size in megabytes is rounded: good enough for sums, but a file cannot be verified by it.
        let (size, estimate) = match granule.has_exact_size {
            true => (granule.bytes, None),
            false => (None, granule.bytes),
        };
        let supported =
            |checksum: &Checksum| Some((ChecksumAlgorithm::from_name(&checksum.algorithm)?, checksum.value.clone()));
        Ok(DownloadRequest { name, url, size, estimate, checksum: granule.checksum.as_ref().and_then(supported) })
    }

    /// Returns the exact or approximate length in bytes; None if neither is known.
    #[must_use]
    pub fn expected_bytes(&self) -> Option<u64> {
        self.size.or(self.estimate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rounded_size_is_an_estimate_and_a_granule_without_url_is_refused() {
        let line = |exact, url: &str| {
            let line = format!(
                r#"{{"granule":"ATL08_20200821122613_08730802_007_01.h5","start":"2020-08-21T12:26:13Z","bytes":7,"has_exact_size":{exact},"checksum_algorithm":"MD5","checksum":"ab","https":{url},"concept_id":"G1-X"}}"#
            );
            let granule = crate::search::worklist::read(line.as_bytes()).next().unwrap().unwrap();
            DownloadRequest::for_granule(&granule)
        };
        let request = line(true, r#""https://x.example/y/a.h5""#).unwrap();
        assert_eq!((request.name.as_str(), request.size), ("ATL08_20200821122613_08730802_007_01.h5", Some(7)));
        assert_eq!(request.checksum, Some((ChecksumAlgorithm::Md5, "ab".to_owned())));
        let rounded = line(false, r#""https://x.example/y/a.h5""#).unwrap();
        assert_eq!((rounded.size, rounded.estimate, rounded.expected_bytes()), (None, Some(7), Some(7)));
        for invalid in ["null", r#""here""#] {
            assert!(matches!(line(true, invalid), Err(Error::NoDownloadUrl { .. })), "{invalid}");
        }
    }
}
