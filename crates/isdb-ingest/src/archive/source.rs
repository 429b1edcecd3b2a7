//! The granules of NASA's archive that a request names, and how they are downloaded.

use std::sync::Arc;

use isdb_cmr::{DownloadOptions, Earthdata, FileFormat, GranuleDescription, UnusableDescription};

/// Granules of NASA's archive, and how to download them.
#[derive(Clone, Debug)]
pub struct Archive {
    /// The granules, from a search or a work list.
    pub granules: Vec<GranuleDescription>,
    /// Descriptions of granules that cannot be used.
    pub unusable: Vec<UnusableDescription>,
    /// Whether the request names each granule, so that a removed granule is ingested again.
    pub is_named: bool,
    /// The login to the archive.
    pub earthdata: Arc<Earthdata>,
    /// The folder for downloads, and how many run at a time.
    pub options: DownloadOptions,
    /// Which files to keep when their granules are in the database.
    pub keep: Keep,
    /// Read granules directly from S3 instead of downloading them.
    pub direct: bool,
    /// The endpoint of an S3 service other than AWS, as `http://host:port`.
    pub s3: Option<String>,
}

/// Which downloaded files to keep when their window is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// All downloaded files.
    All,
    /// Files that were in the folder before the run.
    Earlier,
    /// No file: the folder exists only for the ingest.
    Nothing,
}

// The first bytes of a download must be enough to find the end of the file.
const _: () = assert!(FileFormat::HEAD_BYTES >= isdb_granule::SUPERBLOCK_BYTES);

/// Returns the file format of granules, by which a download is checked for completeness.
#[must_use]
pub fn granule_format() -> FileFormat {
    FileFormat { name: "HDF5", signature: &isdb_granule::SIGNATURE, end_of_file: isdb_granule::end_of_file }
}
