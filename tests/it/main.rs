//! The program as a user runs it: the real binary in a fresh folder, over synthetic and real granules.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, which may fail only loudly")]

mod chance;
mod cmr;
mod config;
mod crash;
mod damage;
mod direct;
mod disk;
mod download;
mod errors;
mod filesystems;
mod filters;
mod flow;
mod formats;
mod handmade;
mod independent;
mod installation;
mod ledger;
mod nasa;
mod output;
mod power;
mod prompt;
mod python;
mod readers;
mod recipes;
mod rules;
mod shim;
mod statements;
mod support;
mod survival;
mod telling;
mod tries;
mod variables;
mod within;
mod workflow;
