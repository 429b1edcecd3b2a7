//! NASA's archive of ICESat-2 granules: search for granules in the Common Metadata Repository (CMR), log in to Earthdata, and
//! download files, which are verified before they get their final name.
//!
//! Data flows through three modules:
//!
//! 1. `search`: a [`Query`] becomes requests to CMR ([`Cmr`]); its replies become [`Page`]s of [`GranuleDescription`]s,
//!    which are collected in a [`WorkList`] with each granule once. A work list is also a file format ([`worklist`]).
//! 2. `login`: [`Credentials`] and the [`Hosts`] that may see them become an [`Earthdata`] session, through which all
//!    requests to the archive go: it follows redirects, keeps cookies, and gives out temporary [`S3Credentials`].
//! 3. `download`: a stream of [`DownloadRequest`]s becomes a stream of [`DownloadOutcome`]s. An interrupted
//!    download resumes from its `.part` file, for which a sidecar records the version of the file on the server.
//!
//! The crate knows nothing about databases or about the content of granules. It only checks that a downloaded file is
//! complete, by the [`FileFormat`] that the caller passes.

mod download;
mod error;
mod excerpt;
mod http;
mod login;
mod notices;
mod retry;
mod search;

pub use download::{
    ChecksumAlgorithm, DownloadOptions, DownloadOutcome, DownloadProgress, DownloadRequest, DownloadedFile, FileFormat,
    bytes_to_download, check_free_space, delete_downloaded, download, download_path, free_bytes, has_partial_download,
    rename_unreadable,
};
pub use error::{Error, Result, SharedCause};
pub use http::url::without_secrets;
pub use login::{
    Account, Claims, CredentialKind, Credentials, Earthdata, ExposeSecret, Hosts, Login, S3Credentials, SecretString,
    Token, TrustedHost, netrc,
};
pub use reqwest::Url;
pub use search::{
    CMR_URL, Checksum, Cmr, GranuleDescription, MAX_FILE_BYTES, Page, Query, RetryPolicy, UnusableDescription,
    WorkList, worklist,
};
