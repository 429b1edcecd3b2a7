//! The vocabulary of isdb: what ATL08 granules contain, what a database stores of them, and what a config selects. No I/O.
//!
//! [`granule_name`] parses the names of granules. [`catalogue`] lists the variables of the product; [`codes`] has the
//! values of their flags, [`suggest`] the did-you-mean hints for unknown names. [`segments`] and [`ledger`] give the
//! columns of the two stored arrays, [`columns`] those that SQL may use, [`elements`] the names of the elements of profiles, [`grid`] the chunks by which rows are grouped.
//! [`config`] parses the config file, with [`filters`] (presets and rules), [`expression`] (SQL and its location in a
//! file) and [`units`]. [`period`] is the time restriction of searches and queries; [`printable`] makes foreign text
//! safe to print.
//!
//! SQL is text here: parsing it and binding its columns is left to the crates that execute it.

pub mod catalogue;
pub mod codes;
pub mod columns;
pub mod config;
pub mod elements;
pub mod expression;
pub mod filters;
pub mod granule_name;
pub mod grid;
pub mod ledger;
pub mod period;
pub mod printable;
pub mod segments;
pub mod suggest;
pub mod units;
