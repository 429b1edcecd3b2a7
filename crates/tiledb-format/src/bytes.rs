//! Little-endian numbers and byte strings, as every structure of the format consists of them.

use crate::error::{Error, Result};

/// Reads numbers and bytes from the front of a slice. Every method fails with [`Error::Truncated`] if too few bytes are left.
#[derive(Debug, Clone)]
pub struct ByteReader<'a> {
    bytes: &'a [u8],
    /// The structure that is read, for errors.
    what: &'static str,
}

impl<'a> ByteReader<'a> {
    /// Starts at the first byte of `bytes`. Errors name `what`.
    pub fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { bytes, what }
    }

    /// The bytes that are left.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// Reads `length` bytes.
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8]> {
        let Some((front, rest)) = self.bytes.split_at_checked(length) else {
            return Err(self.truncated(length as u64));
        };
        self.bytes = rest;
        Ok(front)
    }

    /// Reads as many bytes as a length from the file says. Lengths are 64 bits wide in the format, whatever the platform.
    pub fn bytes_u64(&mut self, length: u64) -> Result<&'a [u8]> {
        match usize::try_from(length) {
            Ok(length) => self.bytes(length),
            Err(_) => Err(self.truncated(length)),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let Some((front, rest)) = self.bytes.split_first_chunk::<N>() else {
            return Err(self.truncated(N as u64));
        };
        self.bytes = rest;
        Ok(*front)
    }

    /// Reads one byte.
    pub fn u8(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Reads a byte that is 0 or 1.
    pub fn flag(&mut self) -> Result<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.invalid("a flag of 0 or 1", other)),
        }
    }

    /// Reads an unsigned 32-bit integer.
    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// Reads a signed 32-bit integer.
    pub fn i32(&mut self) -> Result<i32> {
        self.array().map(i32::from_le_bytes)
    }

    /// Reads an unsigned 64-bit integer.
    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Reads UTF-8 text of `length` bytes.
    pub fn text(&mut self, length: u64) -> Result<&'a str> {
        let bytes = self.bytes_u64(length)?;
        std::str::from_utf8(bytes).map_err(|_| self.invalid("UTF-8 text", format!("{bytes:02x?}")))
    }

    /// Checks that nothing is left.
    pub fn finish(self) -> Result<()> {
        if self.bytes.is_empty() {
            Ok(())
        } else {
            Err(self.invalid("the end", format!("{} more bytes", self.bytes.len())))
        }
    }

    /// An [`Error::Invalid`] about the structure that is read.
    pub fn invalid(&self, expected: impl Into<String>, found: impl ToString) -> Error {
        Error::Invalid { what: self.what, expected: expected.into(), found: found.to_string() }
    }

    /// An [`Error::Unsupported`] about the structure that is read.
    pub fn unsupported(&self, found: impl ToString) -> Error {
        Error::Unsupported { what: self.what, found: found.to_string() }
    }

    fn truncated(&self, needed: u64) -> Error {
        Error::Truncated { what: self.what, needed, available: self.bytes.len() as u64 }
    }
}

/// Appends numbers and bytes to a buffer.
#[derive(Debug, Clone, Default)]
pub struct ByteWriter(Vec<u8>);

impl ByteWriter {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Appends one byte.
    pub fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    /// Appends an unsigned 32-bit integer.
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    /// Appends a signed 32-bit integer.
    pub fn i32(&mut self, value: i32) {
        self.bytes(&value.to_le_bytes());
    }

    /// Appends an unsigned 64-bit integer.
    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    /// The number of bytes written.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes written.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}
