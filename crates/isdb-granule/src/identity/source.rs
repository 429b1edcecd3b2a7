//! The places in a file that state its identity.

use std::fmt;

/// A place that states parts of a granule's identity, the most trustworthy first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentitySource {
    /// `METADATA/DatasetIdentification@fileName`.
    Metadata,
    /// The group `ancillary_data`.
    Ancillary,
    /// The group `orbit_info`.
    OrbitInfo,
    /// The dataset `rgt` of a beam.
    Rows,
    /// The name of the file.
    FileName,
    /// The root attribute `identifier_product_doi`, which ends with a release.
    Doi,
    /// Only the bytes of the file.
    #[default]
    Content,
}

impl IdentitySource {
    /// The word that the ledger stores: `metadata`, `ancillary`, `orbit_info`, `rows`, `file_name`, `doi` or `content`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Ancillary => "ancillary",
            Self::OrbitInfo => "orbit_info",
            Self::Rows => "rows",
            Self::FileName => "file_name",
            Self::Doi => "doi",
            Self::Content => "content",
        }
    }
}

/// As notes name it: `METADATA`, `the file's name`.
impl fmt::Display for IdentitySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Metadata => "METADATA",
            Self::Ancillary => "ancillary_data",
            Self::OrbitInfo => "orbit_info",
            Self::Rows => "the rows",
            Self::FileName => "the file's name",
            Self::Doi => "the product's DOI",
            Self::Content => "the file's content",
        })
    }
}
