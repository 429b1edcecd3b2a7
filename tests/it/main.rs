//! The program as a user runs it: the real binary in a fresh folder, over synthetic and real granules.

mod config;
mod crash;
mod errors;
mod independent;
mod output;
mod support;
mod workflow;
