//! NASA's services as far as isdb meets them, on loopback.

pub(crate) mod archive;
