//! The read path over real arrays: SQL with its plans, and pushdown against no pushdown.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, which may fail only loudly")]

mod filters;
mod lint;
mod sqllogic;
mod support;
