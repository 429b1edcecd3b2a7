//! What can go wrong between us and NASA's services.

use std::time::Duration;

/// What this crate's functions return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why granules could not be found or fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No HTTP client can be made, for want of certificates for example.
    #[error("cannot make an HTTP client")]
    Client(#[source] reqwest::Error),
    /// CMR does not take the request; asking again will not help.
    #[error("{url} refuses the search ({status}): {words}")]
    CmrRefused {
        /// The address asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What CMR says of it.
        words: String,
    },
    /// CMR did not answer, or not as it should, however often it was asked.
    #[error("{url} did not answer ({attempts} attempts in {} s): {reason}", waited.as_secs())]
    CmrUnreachable {
        /// The address asked.
        url: String,
        /// How often it was asked for the same page.
        attempts: u32,
        /// How long that took.
        waited: Duration,
        /// What went wrong the last time.
        reason: String,
        /// The last failure of the connection, where it was one.
        source: Option<reqwest::Error>,
    },
    /// What came is not what CMR sends.
    #[error("{url} sent something else than search results")]
    CmrReply {
        /// The address asked.
        url: String,
        /// Where the reply leaves the expected form.
        source: serde_json::Error,
    },
    /// The pages ended before all that CMR had counted had come.
    #[error("CMR counts {hits} granules, but sent {sent}")]
    CmrIncomplete {
        /// What CMR counted when the search began.
        hits: u64,
        /// Different granules in all pages.
        sent: u64,
    },
    /// A work list cannot be read or written.
    #[error("the work list cannot be read or written")]
    WorkList(#[source] std::io::Error),
    /// A line of a work list is no granule.
    #[error("line {line} of the work list is no granule")]
    WorkListLine {
        /// The line's number, from 1.
        line: usize,
        /// What does not fit.
        source: serde_json::Error,
    },
}
