//! Reads granules: from local files, or in place from an object store.

pub(crate) mod decode;
pub(crate) mod file_contents;
pub(crate) mod granule_source;
pub(crate) mod identify;
pub(crate) mod object_address;
pub(crate) mod open;
pub(crate) mod planned_granule;
pub(crate) mod remote;
