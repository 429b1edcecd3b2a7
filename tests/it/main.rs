//! The program as a user runs it: the real binary in a fresh folder, over synthetic and real granules.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, which may fail only loudly")]

mod config;
mod crash;
mod errors;
mod formats;
mod independent;
mod installation;
mod output;
mod prompt;
mod statements;
mod support;
mod workflow;
