//! What the tests of all crates share: where real data are, how a test is skipped so that somebody sees it, how often a test
//! repeats what it does, files made to harm a reader, and how a program runs bound by permissions even where the tests run as root.
//!
//! A dev-dependency only. It knows nothing of isdb but the `tiledb` crate.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests, which may fail only loudly")]

pub mod array;
mod counts;
mod data;
mod hostile;
mod image;
mod permissions;
mod python;
mod skip;

pub use counts::{is_long, seed, times};
pub use data::{beside_data, data_folder, real};
pub use hostile::{Hostile, ROWS, granule, hostile};
pub use permissions::bound_by_permissions;
pub use python::python;
pub use skip::skip;
