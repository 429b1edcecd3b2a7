//! Writes one image as BigTIFF: rows of 32-bit floats with several samples for each pixel, in strips that are compressed by deflate. The
//! format is that of [TIFF 6.0](https://www.loc.gov/preservation/digital/formats/fdd/fdd000022.shtml) with 64-bit offsets, little endian.

use std::io::{self, Seek, SeekFrom, Write};

use libdeflater::{CompressionLvl, Compressor};

/// The value of a tag.
pub(super) enum Value {
    Shorts(Vec<u16>),
    Longs(Vec<u32>),
    Offsets(Vec<u64>),
    Doubles(Vec<f64>),
    /// ASCII, without the byte 0 at its end.
    Text(String),
}

/// An image that is being written. Nothing can read it before [`finish`](Self::finish).
pub(super) struct BigTiff<W: Write + Seek> {
    sink: W,
    compressor: Compressor,
    strip: Vec<u8>,
    offsets: Vec<u64>,
    sizes: Vec<u64>,
    at: u64,
}

/// The layout of the pixels of an image.
#[derive(Clone, Copy)]
pub(super) struct Pixels {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) samples: u16,
    pub(super) rows_per_strip: u32,
}

/// Little endian, version 43, offsets of eight bytes; then the offset of the directory, which is written at the end.
const HEAD: [u8; 8] = [b'I', b'I', 43, 0, 8, 0, 0, 0];
const HEAD_BYTES: u64 = 16;
/// Adobe's deflate, in zlib's format.
const DEFLATE: u16 = 8;

impl<W: Write + Seek> BigTiff<W> {
    pub(super) fn new(mut sink: W) -> io::Result<BigTiff<W>> {
        sink.write_all(&HEAD)?;
        sink.write_all(&0_u64.to_le_bytes())?;
        let compressor = Compressor::new(CompressionLvl::default());
        Ok(BigTiff { sink, compressor, strip: Vec::new(), offsets: Vec::new(), sizes: Vec::new(), at: HEAD_BYTES })
    }

    /// Writes the next strip: all samples of a pixel, then those of the next.
    pub(super) fn write_strip(&mut self, samples: &[f32]) -> io::Result<()> {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        self.strip.resize(self.compressor.zlib_compress_bound(bytes.len()), 0);
        let compressed = self.compressor.zlib_compress(&bytes, &mut self.strip);
        let length = compressed.map_err(|error| io::Error::other(error.to_string()))?;
        let strip = self.strip.get(..length).unwrap_or_default();
        self.sink.write_all(strip)?;
        self.offsets.push(self.at);
        self.sizes.push(length as u64);
        self.at += length as u64;
        Ok(())
    }

    /// Writes the directory with the tags of the pixels and `more`, whose numbers are above 340 and ascend.
    pub(super) fn finish(mut self, pixels: Pixels, more: Vec<(u16, Value)>) -> io::Result<()> {
        let samples = usize::from(pixels.samples);
        let mut tags = vec![
            (256, Value::Longs(vec![pixels.width])),
            (257, Value::Longs(vec![pixels.height])),
            (258, Value::Shorts(vec![32; samples])),
            (259, Value::Shorts(vec![DEFLATE])),
            // Black is zero: grey, and further samples without a meaning of their own.
            (262, Value::Shorts(vec![1])),
            (273, Value::Offsets(std::mem::take(&mut self.offsets))),
            (277, Value::Shorts(vec![pixels.samples])),
            (278, Value::Longs(vec![pixels.rows_per_strip])),
            (279, Value::Offsets(std::mem::take(&mut self.sizes))),
            // The samples of a pixel are together.
            (284, Value::Shorts(vec![1])),
        ];
        if samples > 1 {
            tags.push((338, Value::Shorts(vec![0; samples - 1])));
        }
        // Floating point.
        tags.push((339, Value::Shorts(vec![3; samples])));
        tags.extend(more);

        // Values of more than eight bytes are after the directory.
        let directory = self.at.next_multiple_of(8);
        self.sink.write_all(&vec![0; usize::try_from(directory - self.at).unwrap_or(0)])?;
        let mut beyond = directory + 8 + 20 * tags.len() as u64 + 8;
        let mut entries = (tags.len() as u64).to_le_bytes().to_vec();
        let mut values = Vec::new();
        for (tag, value) in tags {
            let (kind, count, mut bytes) = value.to_bytes();
            entries.extend_from_slice(&u16::to_le_bytes(tag));
            entries.extend_from_slice(&kind.to_le_bytes());
            entries.extend_from_slice(&(count as u64).to_le_bytes());
            if bytes.len() <= 8 {
                bytes.resize(8, 0);
                entries.extend_from_slice(&bytes);
            } else {
                bytes.resize(bytes.len().next_multiple_of(8), 0);
                entries.extend_from_slice(&beyond.to_le_bytes());
                beyond += bytes.len() as u64;
                values.extend_from_slice(&bytes);
            }
        }
        // No other directory follows.
        entries.extend_from_slice(&0_u64.to_le_bytes());
        self.sink.write_all(&entries)?;
        self.sink.write_all(&values)?;
        self.sink.seek(SeekFrom::Start(HEAD.len() as u64))?;
        self.sink.write_all(&directory.to_le_bytes())?;
        self.sink.flush()
    }
}

impl Value {
    /// The number of the type, the count of values, and the bytes.
    fn to_bytes(&self) -> (u16, usize, Vec<u8>) {
        match self {
            Value::Text(text) => (2, text.len() + 1, [text.as_bytes(), &[0]].concat()),
            Value::Shorts(values) => (3, values.len(), values.iter().flat_map(|value| value.to_le_bytes()).collect()),
            Value::Longs(values) => (4, values.len(), values.iter().flat_map(|value| value.to_le_bytes()).collect()),
            Value::Doubles(values) => (12, values.len(), values.iter().flat_map(|value| value.to_le_bytes()).collect()),
            Value::Offsets(values) => (16, values.len(), values.iter().flat_map(|value| value.to_le_bytes()).collect()),
        }
    }
}
