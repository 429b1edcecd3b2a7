//! Copies of a database: from a local disk to an object store, back, or between two places of a kind.
//!
//! A copy has what the newest state of the original and its tags need, and the whole commit log. The commit files come last, the first one
//! after all others, so that no reader sees a copy before it is whole. Until then `copy.json` says what it is a copy of, and the same copy
//! can be continued.
//!
//! `plan` decides what is copied, `marker` is `copy.json`, `destination` is the place of the copy, `transfer` copies files and `log` the commit
//! log, and `run` has the steps.

mod destination;
mod log;
pub(crate) mod marker;
mod plan;
mod run;
mod transfer;

pub use run::{Copied, CopyProgress, copy};
