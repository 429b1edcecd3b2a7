//! Memory that one read of an array may use.

/// A read gets no less, however many reads share the memory: tiles hold 10,000 cells by default, and one of each column has to fit.
const LEAST_READ: usize = 32 << 20;

/// Bytes that libtiledb may use for the tiles of one read. Set it as an extension of the session's config
/// ([`SessionConfig::with_extension`](datafusion::prelude::SessionConfig::with_extension)); without it libtiledb uses its own default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadMemory(pub u64);

impl ReadMemory {
    /// Least bytes that [`share`](Self::share) returns.
    pub const LEAST: usize = LEAST_READ;

    /// Shares `memory` bytes between `reads` that run at the same time.
    #[must_use]
    pub fn share(memory: usize, reads: usize) -> ReadMemory {
        ReadMemory((memory / reads.max(1)).max(LEAST_READ) as u64)
    }

    /// Most bytes of one batch: small beside the tiles that it is cut from.
    pub(crate) fn batch_bytes(self) -> usize {
        usize::try_from(self.0 / 32).unwrap_or(usize::MAX)
    }
}
