//! Integers that are stored with fewer bytes, window by window.
//!
//! The metadata are the length of all values, the number of windows, and for each window its least value, the bits of a stored value and the
//! window's length. Both lengths are those before the filter. Values of one byte pass without metadata.

use crate::bytes::{ByteReader, ByteWriter};
use crate::error::{Error, Result};
use crate::filter::signed;

/// The length of all values, from the front of the metadata.
pub(crate) fn output_length(metadata: &mut ByteReader<'_>) -> Result<usize> {
    let length = metadata.u32()?;
    usize::try_from(length).map_err(|_| metadata.invalid("a length of 32 bits", length))
}

/// Fills `out` with values of `size` bytes. The metadata begin after [`output_length`], and are read to their end.
pub(crate) fn expand(metadata: &mut ByteReader<'_>, data: &[u8], size: usize, out: &mut [u8]) -> Result<()> {
    match size {
        2 => expand_as::<2>(metadata, data, out),
        4 => expand_as::<4>(metadata, data, out),
        8 => expand_as::<8>(metadata, data, out),
        _ => Err(metadata.unsupported(format!("BIT_WIDTH_REDUCTION of values of {size} bytes"))),
    }
}

fn expand_as<const W: usize>(metadata: &mut ByteReader<'_>, data: &[u8], out: &mut [u8]) -> Result<()> {
    let mut source = ByteReader::new(data, "windows of a tile");
    let mut rest = out;
    let windows = metadata.u32()?;
    for _ in 0..windows {
        let mut least = [0; 8];
        least[..W].copy_from_slice(metadata.bytes(W)?);
        let bits = usize::from(metadata.u8()?);
        let length = usize::try_from(metadata.u32()?).unwrap_or(usize::MAX);
        let left = rest.len();
        let Some((window, after)) = rest.split_at_mut_checked(length) else {
            return Err(metadata.invalid(format!("at most {left} bytes of a window"), length));
        };
        rest = after;
        if bits >= W * 8 || !length.is_multiple_of(W) {
            window.copy_from_slice(source.bytes(length)?);
            continue;
        }
        let least = u64::from_le_bytes(least);
        let (values, _) = window.as_chunks_mut::<W>();
        match bits {
            8 => add::<1, W>(source.bytes(values.len())?, least, values),
            16 => add::<2, W>(source.bytes(values.len() * 2)?, least, values),
            32 => add::<4, W>(source.bytes(values.len() * 4)?, least, values),
            _ => return Err(metadata.invalid("8, 16, 32 or 64 bits", bits)),
        }
    }
    if !rest.is_empty() {
        return Err(metadata.invalid(format!("windows for {} more bytes", rest.len()), "none"));
    }
    source.finish()
}

/// Adds the window's least value. Stored values are never negative, whether the type is signed or not.
fn add<const N: usize, const W: usize>(stored: &[u8], least: u64, values: &mut [[u8; W]]) {
    for (stored, value) in stored.as_chunks::<N>().0.iter().zip(values) {
        let mut bytes = [0; 8];
        bytes[..N].copy_from_slice(stored);
        let sum = u64::from_le_bytes(bytes).wrapping_add(least).to_le_bytes();
        *value = std::array::from_fn(|i| sum[i]);
    }
}

/// Appends the metadata of values of `size` bytes, and replaces the content of `out`. Values count as signed ones; the bytes are libtiledb's
/// unless unsigned values lie in the upper half of their range. Of a window that is stored as it is, libtiledb leaves the least value
/// undefined; here it is 0.
pub(crate) fn reduce(
    data: &[u8],
    size: usize,
    max_window: u32,
    metadata: &mut ByteWriter,
    out: &mut Vec<u8>,
) -> Result<()> {
    let window = usize::try_from(max_window).unwrap_or(usize::MAX);
    match size {
        2 => reduce_as::<2>(data, window, metadata, out),
        4 => reduce_as::<4>(data, window, metadata, out),
        8 => reduce_as::<8>(data, window, metadata, out),
        _ => Err(Error::Unsupported { what: "datatype of BIT_WIDTH_REDUCTION", found: format!("{size} bytes") }),
    }
}

fn reduce_as<const W: usize>(
    data: &[u8],
    max_window: usize,
    metadata: &mut ByteWriter,
    out: &mut Vec<u8>,
) -> Result<()> {
    let windows = data.chunks((max_window / W * W).max(W));
    let too_long = |_| Error::Invalid {
        what: "values of a chunk",
        expected: "fewer than 4 GiB".to_owned(),
        found: data.len().to_string(),
    };
    metadata.u32(u32::try_from(data.len()).map_err(too_long)?);
    metadata.u32(u32::try_from(windows.len()).map_err(too_long)?);
    out.clear();
    for window in windows {
        let (values, rest) = window.as_chunks::<W>();
        let (least, bits) = range(values);
        metadata.bytes(&least.to_le_bytes()[..W]);
        metadata.u8(bits);
        metadata.u32(u32::try_from(window.len()).map_err(too_long)?);
        let stored = usize::from(bits / 8);
        if stored >= W || !rest.is_empty() {
            out.extend_from_slice(window);
            continue;
        }
        for value in values {
            out.extend_from_slice(&signed(*value).wrapping_sub(least).to_le_bytes()[..stored]);
        }
    }
    Ok(())
}

/// The least value of a window, and the bits that differences from it are stored with.
fn range<const W: usize>(values: &[[u8; W]]) -> (i64, u8) {
    let (mut least, mut most) = (i64::MAX, i64::MIN);
    for value in values {
        let value = signed(*value);
        (least, most) = (least.min(value), most.max(value));
    }
    // libtiledb looks at one more than the range, as a signed number of the type. What does not fit there is stored as it is.
    let limit = i64::MAX >> (64 - 8 * W);
    let range = most.checked_sub(least).and_then(|range| range.checked_add(1)).filter(|range| *range <= limit);
    match range {
        None => (
            0,
            if W == 2 {
                16
            } else if W == 4 {
                32
            } else {
                64
            },
        ),
        Some(range) if range <= i64::from(i8::MAX) => (least, 8),
        Some(range) if range <= i64::from(i16::MAX) => (least, 16),
        Some(range) if range <= i64::from(i32::MAX) => (least, 32),
        Some(_) => (least, 64),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A window of two-byte values from 1,000 on, stored as one byte each, and one that is stored as it is.
    #[test]
    fn windows_are_expanded() {
        let metadata = [&[0xe8, 3, 8, 6, 0, 0, 0][..], &[0, 0, 16, 2, 0, 0, 0]].concat();
        let metadata = [&[2, 0, 0, 0][..], &metadata].concat();
        let mut out = [0; 8];
        expand(&mut ByteReader::new(&metadata, "test"), &[0, 1, 200, 7, 9], 2, &mut out).unwrap();
        assert_eq!(out, [0xe8, 3, 0xe9, 3, 0xb0, 4, 7, 9]);
    }

    proptest! {
        /// Any values come back, also those of a window that is cut short or too wide.
        #[test]
        fn values_come_back(
            values in prop::collection::vec((any::<i64>(), 0..64_u32), 0..60), rest in 0..8_usize, window in 0..70_u32, narrow: bool,
        ) {
            let shift = |(value, bits): &(i64, u32)| value >> if narrow { 55 } else { *bits };
            let mut data: Vec<u8> = values.iter().flat_map(|value| shift(value).to_le_bytes()).collect();
            data.extend(vec![1; rest]);
            for size in [2, 4, 8] {
                let (mut metadata, mut stored) = (ByteWriter::new(), Vec::new());
                reduce(&data, size, window, &mut metadata, &mut stored).unwrap();
                let metadata = metadata.finish();
                let mut reader = ByteReader::new(&metadata, "test");
                let mut out = vec![7; output_length(&mut reader).unwrap()];
                expand(&mut reader, &stored, size, &mut out).unwrap();
                reader.finish().unwrap();
                prop_assert_eq!(&out, &data);
            }
        }

        /// Damaged metadata are an error, never a crash.
        #[test]
        fn arbitrary_bytes_do_not_panic(
            metadata in prop::collection::vec(prop_oneof![Just(0_u8), Just(8), Just(16), any::<u8>()], 0..60),
            data in prop::collection::vec(any::<u8>(), 0..60),
            length in 0..90_usize,
        ) {
            for size in [1, 2, 4, 8] {
                let _ = expand(&mut ByteReader::new(&metadata, "test"), &data, size, &mut vec![0; length]);
            }
        }
    }
}
