//! Files below a database's folder: where they are, and how they are created, made durable and locked.

pub(crate) mod areas;
pub(crate) mod array_files;
pub(crate) mod durable;
pub(crate) mod interrupted_creations;
pub(crate) mod location;
pub(crate) mod lock;
pub(crate) mod objects;
mod retry;
pub(crate) mod staging;
