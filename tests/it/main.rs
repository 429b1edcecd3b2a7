//! The program as a user runs it: the real binary in a fresh folder, over synthetic and real granules.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, which may fail only loudly")]

mod cmr;
mod config;
mod crash;
mod damage;
mod direct;
mod disk;
mod download;
mod errors;
mod filters;
mod flow;
mod formats;
mod handmade;
mod independent;
mod installation;
mod ledger;
mod nasa;
mod output;
mod own_files;
mod prompt;
mod python;
mod read_only;
mod readers;
mod recipes;
mod rules;
mod statements;
mod support;
mod survival;
mod telling;
mod tries;
mod variables;
mod within;
mod workflow;
