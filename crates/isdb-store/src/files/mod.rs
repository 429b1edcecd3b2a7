//! Files below a database's folder: their paths, durable creation, and locks.

pub(crate) mod areas;
pub(crate) mod array_files;
pub(crate) mod durable;
pub(crate) mod interrupted_creations;
pub(crate) mod location;
pub(crate) mod lock;
pub(crate) mod objects;
mod retry;
pub(crate) mod staging;
