//! NASA's services as far as isdb meets them, played by servers on this machine.

pub(crate) mod archive;
pub(crate) mod cmr;
pub(crate) mod content;
pub(crate) mod s3;
mod store;
