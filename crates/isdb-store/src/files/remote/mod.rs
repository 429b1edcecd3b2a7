//! Databases in object stores: a bucket and a prefix, the array's files in it, and the writer's lock.

pub(crate) mod array_files;
mod block_cache;
pub(crate) mod bucket;
mod connect;
pub(crate) mod lock;
pub(crate) mod probe;
pub(crate) mod problem;
mod runtime;
