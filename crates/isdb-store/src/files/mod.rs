//! Files below a database's location, on a local disk or in an object store: their paths, durable creation, and locks.

pub(crate) mod areas;
pub(crate) mod array_files;
mod aws_profile;
pub(crate) mod aws_sources;
mod credential_chain;
pub(crate) mod durable;
pub(crate) mod fragment_list;
pub(crate) mod interrupted_creations;
pub(crate) mod location;
pub(crate) mod lock;
pub(crate) mod objects;
mod profile;
pub(crate) mod remote;
mod retry;
pub(crate) mod staging;
pub(crate) mod storage_settings;
pub(crate) mod stored_objects;
mod tree;
