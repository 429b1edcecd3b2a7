//! Ingest: what becomes of files, granules of NASA's archive, and what a database then holds and reports.

mod archive;
mod config;
mod database_region;
mod decisions;
mod fetched_files;
mod filters;
mod ledger;
mod malicious_files;
mod objects;
mod partial_replacement;
mod read_in_place;
mod report;
mod rewritten_inputs;
mod unreadable_files;
mod variables;
