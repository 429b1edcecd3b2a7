//! The vocabulary of isdb: granule names, product catalogue, array layout, config, and what a name that is not there may mean.

pub mod catalogue;
pub mod config;
pub mod granule_name;
pub mod ledger;
pub mod segments;
pub mod suggest;
