//! The program as a user runs it: the real binary in a fresh folder, over synthetic and real granules.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, which may fail only loudly")]

mod closed_output;
mod copy;
mod download;
mod durability;
mod errors;
mod examples;
mod fake_nasa;
mod geo_files;
mod grid;
mod independent_readers;
mod ingest;
mod installation;
mod library;
mod map;
mod object_store;
mod object_store_credentials;
mod other_arrays;
mod query;
mod raster;
mod readme;
mod reference;
mod search;
mod support;
mod surface;
mod tags;
