//! The vocabulary of isdb: granule names, product catalogue, columns, spatial grid, ledger, quality filters, config.

pub mod catalogue;
pub mod codes;
pub mod columns;
pub mod config;
pub mod expression;
pub mod filters;
pub mod granule_name;
pub mod grid;
pub mod ledger;
pub mod period;
pub mod segments;
pub mod shown;
pub mod suggest;
pub mod units;
