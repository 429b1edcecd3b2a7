//! Bounds of memory.

/// Runs `act`, which must not hold more than `limit` bytes at a time. Counts what this thread allocates in Rust.
pub(crate) fn within<T>(limit: usize, act: impl FnOnce() -> T) -> T {
    let mut result = None;
    let counted = allocation_counter::measure(|| result = Some(act()));
    assert!(counted.bytes_max <= limit as u64, "{} bytes were allocated, expected at most {limit}", counted.bytes_max);
    result.expect("a result")
}
