//! Helpers that the tests of all crates share.
//!
//! [`real`] finds real data, [`python()`] the packages of independent checks, and [`skip()`] counts the tests that cannot run without them.
//! [`batch()`] fills the columns that a test does not name.
//! [`times`] and [`seed`] set how often and with which random numbers a test runs. [`hostile_files`] are HDF5 files made to harm a
//! reader, [`TestRaster`] writes small GeoTIFFs, [`s3`] is an object store, and [`bound_by_permissions`] runs a program that file permissions bind even if the tests run as root.
//!
//! A dev-dependency only; of isdb it uses only the `tiledb` crate, for the module `array`.

#![allow(clippy::expect_used, clippy::panic, reason = "test helpers fail by panicking")]

pub mod array;
mod batch;
mod counts;
mod data;
mod geotiff;
mod hostile;
mod image;
mod permissions;
mod python;
pub mod s3;
mod skip;

pub use batch::batch;
pub use counts::{is_long, seed, times};
pub use data::{beside_data, data_folder, real};
pub use geotiff::TestRaster;
pub use hostile::{HostileFile, ROWS, granule, hostile_files};
pub use permissions::bound_by_permissions;
pub use python::python;
pub use skip::skip;
