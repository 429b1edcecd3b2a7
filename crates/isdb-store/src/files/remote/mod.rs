//! Databases in object stores: a bucket and a prefix, the array's files in it, and the writer's lock.
//!
//! `connect` makes the client; `temporary_key` gives it keys that expire, from `sso`, `assume_role` or `credential_process`.

pub(crate) mod array_files;
mod assume_role;
mod block_cache;
pub(crate) mod bucket;
mod connect;
mod credential_process;
mod credential_request;
pub(crate) mod lock;
pub(crate) mod probe;
pub(crate) mod problem;
mod runtime;
mod sso;
mod temporary_key;
