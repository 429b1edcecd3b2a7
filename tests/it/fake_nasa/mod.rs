//! The services of NASA that isdb uses, as servers on this machine: CMR, Earthdata Login, the archive and its S3 bucket.

pub(crate) mod archive;
pub(crate) mod cmr;
pub(crate) mod content;
pub(crate) mod s3;
pub(crate) mod setup;
mod store;
