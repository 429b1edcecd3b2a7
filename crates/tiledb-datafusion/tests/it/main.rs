//! Tests of scans, in one program, because linking DataFusion takes longer than the tests.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, which may fail only loudly")]

mod memory;
mod pushdown;
