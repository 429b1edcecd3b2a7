//! Errors of parsing and decoding. They name the part of the format; the caller knows the file.

/// An error in the bytes of an array.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes end within a structure.
    #[error("{what}: expected {needed} more bytes, found {available}")]
    Truncated {
        /// The structure or field.
        what: &'static str,
        /// Bytes that it still needs.
        needed: u64,
        /// Bytes that are left.
        available: u64,
    },
    /// The bytes contradict the format, or what the caller knows about them.
    #[error("{what}: expected {expected}, found {found}")]
    Invalid {
        /// The structure or field.
        what: &'static str,
        /// What the format allows.
        expected: String,
        /// What the bytes contain.
        found: String,
    },
    /// The bytes use a part of the format that this crate does not read, such as an encrypted tile.
    #[error("{what} is not supported: {found}")]
    Unsupported {
        /// The structure or field.
        what: &'static str,
        /// What the bytes contain.
        found: String,
    },
    /// A compressed part cannot be decompressed, or its checksum does not match.
    #[error("{codec} data of {what} is damaged: {message}")]
    Damaged {
        /// The structure or field.
        what: &'static str,
        /// The compression.
        codec: &'static str,
        /// The decompressor's message.
        message: String,
    },
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
