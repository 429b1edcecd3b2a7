//! Filter pipelines: what was done to the values of a tile before they were stored.

use crate::bytes::{ByteReader, ByteWriter};
use crate::datatype::Datatype;
use crate::error::{Error, Result};

/// The code of no datatype, in the options of a filter.
const ANY: u8 = 17;

/// A step of a pipeline, with its options.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Filter {
    /// Does nothing.
    Noop,
    /// A zlib stream, despite the format's name for it.
    Gzip {
        /// 0 to 9, or -1 for zlib's default.
        level: i32,
    },
    /// A zstd frame.
    Zstd {
        /// zstd's level. Below -7, libtiledb uses 3.
        level: i32,
    },
    /// Runs of equal cells.
    Rle {
        /// Stored, without a meaning.
        level: i32,
    },
    /// Differences of differences of integers, with as many bits as the largest needs.
    DoubleDelta {
        /// Stored, without a meaning.
        level: i32,
        /// The code of the datatype that values are treated as, whatever the field's type. Schemas have it since version 20.
        reinterpret: Option<u8>,
    },
    /// Integers as the difference from the least one of a window, with 1, 2, 4 or 8 bytes.
    BitWidthReduction {
        /// Bytes of a window when it is written.
        max_window: u32,
    },
    /// The first bits of all values, then the second ones and so on, in blocks.
    BitShuffle,
    /// The first bytes of all values, then the second ones and so on.
    ByteShuffle,
    /// A filter, or a form of its options, that this crate does not apply.
    Unsupported {
        /// The filter's code.
        code: u8,
        /// The bytes of its options.
        options: Vec<u8>,
    },
}

impl Filter {
    /// The code that pipelines store.
    pub fn code(&self) -> u8 {
        match self {
            Self::Noop => 0,
            Self::Gzip { .. } => 1,
            Self::Zstd { .. } => 2,
            Self::Rle { .. } => 4,
            Self::DoubleDelta { .. } => 6,
            Self::BitWidthReduction { .. } => 7,
            Self::BitShuffle => 8,
            Self::ByteShuffle => 9,
            Self::Unsupported { code, .. } => *code,
        }
    }

    /// The filter's name, as TileDB spells it.
    pub fn name(&self) -> &'static str {
        match self.code() {
            0 => "NOOP",
            1 => "GZIP",
            2 => "ZSTD",
            3 => "LZ4",
            4 => "RLE",
            5 => "BZIP2",
            6 => "DOUBLE_DELTA",
            7 => "BIT_WIDTH_REDUCTION",
            8 => "BITSHUFFLE",
            9 => "BYTESHUFFLE",
            10 => "POSITIVE_DELTA",
            11 => "AES_256_GCM",
            12 => "CHECKSUM_MD5",
            13 => "CHECKSUM_SHA256",
            14 => "DICTIONARY_ENCODING",
            15 => "SCALE_FLOAT",
            16 => "XOR",
            18 => "WEBP",
            19 => "DELTA",
            _ => "unknown filter",
        }
    }

    /// Whether parts of tiles go through a compressor, which counts them in the same way for all of these.
    pub(crate) fn is_compressor(&self) -> bool {
        matches!(self, Self::Gzip { .. } | Self::Zstd { .. } | Self::Rle { .. } | Self::DoubleDelta { .. })
    }

    fn parse(reader: &mut ByteReader<'_>) -> Result<Self> {
        let code = reader.u8()?;
        let length = reader.u32()?;
        let options = reader.bytes_u64(length.into())?;
        Ok(Self::known(code, options).unwrap_or_else(|| Self::Unsupported { code, options: options.to_vec() }))
    }

    fn known(code: u8, options: &[u8]) -> Option<Self> {
        // Compressors repeat their code before the level; libtiledb obeys the second one, so they must agree.
        let level = |bytes: &[u8]| match *bytes {
            [again, a, b, c, d] if again == code => Some(i32::from_le_bytes([a, b, c, d])),
            _ => None,
        };
        Some(match (code, options) {
            (0, []) => Self::Noop,
            (1, _) => Self::Gzip { level: level(options)? },
            (2, _) => Self::Zstd { level: level(options)? },
            (4, _) => Self::Rle { level: level(options)? },
            (6, [before @ .., reinterpret]) if options.len() == 6 => {
                Self::DoubleDelta { level: level(before)?, reinterpret: Some(*reinterpret) }
            }
            (6, _) => Self::DoubleDelta { level: level(options)?, reinterpret: None },
            (7, &[a, b, c, d]) => Self::BitWidthReduction { max_window: u32::from_le_bytes([a, b, c, d]) },
            (8, []) => Self::BitShuffle,
            (9, []) => Self::ByteShuffle,
            _ => return None,
        })
    }

    fn write(&self, writer: &mut ByteWriter) {
        let compressor = |level: i32, more: &[u8]| {
            let mut options = vec![self.code()];
            options.extend(level.to_le_bytes());
            options.extend(more);
            options
        };
        let options = match self {
            Self::Noop | Self::BitShuffle | Self::ByteShuffle => Vec::new(),
            Self::Gzip { level } | Self::Zstd { level } | Self::Rle { level } => compressor(*level, &[]),
            Self::DoubleDelta { level, reinterpret } => compressor(*level, reinterpret.as_slice()),
            Self::BitWidthReduction { max_window } => max_window.to_le_bytes().to_vec(),
            Self::Unsupported { options, .. } => options.clone(),
        };
        writer.u8(self.code());
        // Options were either counted by 32 bits when they were parsed, or are a few bytes.
        writer.u32(u32::try_from(options.len()).unwrap_or(u32::MAX));
        writer.bytes(&options);
    }
}

/// Filters in the order in which they are applied to values, and the size of the pieces that they are applied to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pipeline {
    /// Bytes of a chunk, before the filters. libtiledb writes this number, but obeys [`Pipeline::CHUNK_SIZE`].
    pub max_chunk_size: u32,
    /// The filters.
    pub filters: Vec<Filter>,
}

impl Default for Pipeline {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Pipeline {
    /// Bytes of a chunk as libtiledb makes them, before the filters.
    pub const CHUNK_SIZE: u32 = 65_536;

    /// Filters with chunks of libtiledb's size.
    pub fn new(filters: Vec<Filter>) -> Self {
        Self { max_chunk_size: Self::CHUNK_SIZE, filters }
    }

    /// Reads a pipeline. Filters that this crate does not apply are kept with their options.
    pub fn parse(reader: &mut ByteReader<'_>) -> Result<Self> {
        let max_chunk_size = reader.u32()?;
        let count = reader.u32()?;
        let filters = (0..count).map(|_| Filter::parse(reader)).collect::<Result<_>>()?;
        Ok(Self { max_chunk_size, filters })
    }

    /// Writes the bytes that [`Pipeline::parse`] read.
    pub fn write(&self, writer: &mut ByteWriter) {
        writer.u32(self.max_chunk_size);
        writer.u32(u32::try_from(self.filters.len()).unwrap_or(u32::MAX));
        for filter in &self.filters {
            filter.write(writer);
        }
    }

    /// Whether [`Pipeline::check`] succeeds.
    pub fn is_supported(&self, datatype: Datatype, variable: bool) -> bool {
        self.check(datatype, variable).is_ok()
    }

    /// Fails with the reason if tiles of this type cannot be decoded. `variable` says that cells have different lengths.
    pub fn check(&self, datatype: Datatype, variable: bool) -> Result<()> {
        let text = variable && matches!(datatype, Datatype::Ascii | Datatype::Utf8);
        let is_float = matches!(datatype, Datatype::Float32 | Datatype::Float64);
        for filter in &self.filters {
            let unsupported =
                |why: &str| Err(Error::Unsupported { what: "filter", found: filter.name().to_owned() + why });
            match filter {
                Filter::Unsupported { code, .. } => return unsupported(&format!(" (code {code})")),
                // Text has its own form of runs, which stores the offsets of the cells as well.
                Filter::Rle { .. } if text => return unsupported(" of text"),
                Filter::DoubleDelta { reinterpret: None | Some(ANY), .. } if is_float => {
                    return unsupported(" of floats");
                }
                Filter::DoubleDelta { reinterpret: Some(code), .. } if reinterpreted_size(*code, 1).is_none() => {
                    return unsupported(&format!(" of datatype {code}"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The size of a value in each filter's input: double delta may take values for another type, and so do the filters after it.
    pub(crate) fn value_size(&self, filter: usize, datatype_size: usize) -> Result<usize> {
        let mut size = datatype_size;
        for step in self.filters.iter().take(filter + 1) {
            if let Filter::DoubleDelta { reinterpret: Some(code), .. } = step {
                size = reinterpreted_size(*code, size)
                    .ok_or_else(|| Error::Unsupported { what: "datatype of DOUBLE_DELTA", found: code.to_string() })?;
            }
        }
        Ok(size)
    }
}

/// The size of the datatype that double delta takes values for.
fn reinterpreted_size(code: u8, size: usize) -> Option<usize> {
    match Datatype::from_code(code) {
        _ if code == ANY => Some(size),
        Ok(Datatype::Float32 | Datatype::Float64) | Err(_) => None,
        Ok(datatype) => Some(datatype.size()),
    }
}

#[cfg(test)]
mod tests;
