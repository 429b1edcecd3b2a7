//! The part of libtiledb's C API that the `tiledb` crate uses, and the library itself, provisioned at build time.
//!
//! `build.rs` links the library below `TILEDB_DIR` if that is set, and otherwise the pinned one named in `wheel.txt`.
//! Names, arguments and meanings are those of [TileDB's C API](https://docs.tiledb.com); dependents learn the folder
//! the library was put in as `DEP_TILEDB_LIB_DIR`.

// Every item carries the very name under which TileDB's own reference documents it.
#![allow(missing_docs, non_camel_case_types)]
// Declaring foreign functions is what this crate is for.
#![allow(unsafe_code)]

mod array;
mod context;
mod evolution;
mod query;
mod schema;
mod types;
mod vfs;
#[cfg(test)]
#[path = "../wheel.rs"]
mod wheel;

pub use array::*;
pub use context::*;
pub use evolution::*;
pub use query::*;
pub use schema::*;
pub use types::*;
pub use vfs::*;
