//! The vocabulary of isdb: granule names, product catalogue, array layout, config.

pub mod catalogue;
pub mod config;
pub mod granule_name;
pub mod ledger;
pub mod segments;
