//! Memory that one read of an array may use.

/// Bytes that libtiledb may use for the tiles of one read. Set it as an extension of the session's config
/// ([`SessionConfig::with_extension`](datafusion::prelude::SessionConfig::with_extension)); without it libtiledb uses its own
/// default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadMemory(pub u64);

impl ReadMemory {
    /// The minimum number of bytes that [`share`](Self::share) returns: one tile of each column has to fit, and tiles have
    /// 10,000 cells by default.
    pub const MIN: usize = 32 << 20;

    /// Divides `memory` bytes between `reads` that run at the same time.
    #[must_use]
    pub fn share(memory: usize, reads: usize) -> ReadMemory {
        ReadMemory((memory / reads.max(1)).max(Self::MIN) as u64)
    }

    /// Returns the maximum size of one batch in bytes, small compared with the tiles from which it is copied.
    pub(crate) fn batch_bytes(self) -> usize {
        usize::try_from(self.0 / 32).unwrap_or(usize::MAX)
    }
}
