#![doc = include_str!("../README.md")]
// Every item has the name under which TileDB's reference documents it.
#![allow(missing_docs, non_camel_case_types)]
// This crate declares foreign functions.
#![allow(unsafe_code)]

mod array;
mod context;
mod enumeration;
mod evolution;
#[cfg(target_env = "gnu")]
mod malloc;
mod query;
mod schema;
mod types;
mod vfs;
#[cfg(test)]
#[path = "../build/wheel.rs"]
mod wheel;

pub use array::*;
pub use context::*;
pub use enumeration::*;
pub use evolution::*;
#[cfg(target_env = "gnu")]
pub use malloc::*;
pub use query::*;
pub use schema::*;
pub use types::*;
pub use vfs::*;
