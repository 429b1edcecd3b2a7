//! The libFuzzer driver of the target named by `FUZZ_TARGET`.

#![no_main]
#![allow(unsafe_code, reason = "libFuzzer calls its entry point through C")]
#![allow(clippy::expect_used, reason = "the program cannot run without a target")]

use std::sync::LazyLock;

static TARGET: LazyLock<isdb_fuzz::Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    isdb_fuzz::target(&name).expect("FUZZ_TARGET names a target of isdb_fuzz::TARGETS")
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| (TARGET.run)(data));
