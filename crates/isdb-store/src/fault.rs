//! Fault points: places where a test can abort the process, to examine what is left on disk. They are compiled only with debug
//! assertions.

/// Every point, in the order in which an ingest, a compaction and a vacuum reach them.
pub const POINTS: [&str; 21] = [
    "take-over-listed",
    "take-over-fenced",
    "sweep-each",
    "take-over-swept",
    "fragment-each-column",
    "fragment-before-metadata",
    "fragment-before-commit",
    "after-fragment",
    "before-ledger",
    "after-ledger",
    "before-commit",
    "after-commit",
    "compact-before-commit",
    "compact-after-commit",
    "vacuum-horizon",
    "vacuum-each-commit-file",
    "vacuum-listed",
    "vacuum-committed",
    "vacuum-each-folder",
    "vacuum-each-ledger-file",
    "vacuum-done",
];

/// Every point that a repair reaches, in their order.
pub const REPAIR_POINTS: [&str; 4] =
    ["repair-restored", "repair-before-commit", "repair-committed", "repair-each-commit-file"];

/// Every point that a copy reaches, in their order.
pub const COPY_POINTS: [&str; 7] = [
    "copy-begun",
    "copy-each-file",
    "copy-before-commits",
    "copy-each-commit",
    "copy-before-first-commit",
    "copy-before-checkpoint",
    "copy-before-end",
];

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static POINT: OnceLock<String> = OnceLock::new();
    static LEFT: AtomicU64 = AtomicU64::new(0);

    pub(super) fn arm(text: &str) {
        let (name, times) = text.split_once(':').unwrap_or((text, "1"));
        if POINT.set(name.to_owned()).is_ok() {
            LEFT.store(times.parse().unwrap_or(1), Ordering::SeqCst);
        }
    }

    pub(super) fn reached(name: &str) {
        if POINT.get().is_some_and(|point| point == name) && LEFT.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::process::abort();
        }
    }
}

/// Makes the process abort when it reaches the point `text`: a name, or `name:k` for the k-th time. Only the first call has an effect.
pub fn arm(text: &str) {
    #[cfg(debug_assertions)]
    armed::arm(text);
    #[cfg(not(debug_assertions))]
    let _ = text;
}

/// Aborts the process if [`arm`] was called for `name`, one of [`POINTS`], [`REPAIR_POINTS`] or [`COPY_POINTS`].
pub fn reached(name: &'static str) {
    #[cfg(debug_assertions)]
    armed::reached(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}
