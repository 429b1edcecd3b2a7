//! Statistics of tiles: the least and the greatest value, the sum and the number of NULLs, with libtiledb's meaning of each.
//!
//! One exception: a NaN is never the least or the greatest value unless all values are NaN. In libtiledb that depends on the order of
//! the cells.

use std::ops::AddAssign;

use tiledb_format::fragment::{FieldMetadata, TileValues};
use tiledb_format::{Datatype, Shape};

/// Values are summarised in this many lanes, which a processor does at once.
const LANES: usize = 8;

/// The statistics of the tiles of one column so far.
#[derive(Debug)]
pub(super) struct Statistics {
    shape: Shape,
    /// Bytes of the least and the greatest value of each tile, for single numbers.
    mins: Vec<u8>,
    maxs: Vec<u8>,
    sums: Vec<u64>,
    null_counts: Vec<u64>,
}

impl Statistics {
    pub(super) fn new(shape: Shape) -> Self {
        Self { shape, mins: Vec::new(), maxs: Vec::new(), sums: Vec::new(), null_counts: Vec::new() }
    }

    /// Adds a tile with these cells, of which a validity byte of 0 marks the NULLs. The cells of text are not looked at.
    pub(super) fn add(&mut self, cells: &[u8], validity: Option<&[u8]>) {
        let nulls = validity.map_or(0, |validity| validity.iter().filter(|byte| **byte == 0).count());
        if self.shape.nullable {
            self.null_counts.push(nulls as u64);
        }
        if self.shape.cell_size != Some(self.shape.datatype.size() as u64) {
            return;
        }
        let validity = validity.filter(|_| nulls > 0);
        match self.shape.datatype {
            Datatype::Int8 => self.add_values::<i8, 1>(cells, validity),
            Datatype::Int16 => self.add_values::<i16, 2>(cells, validity),
            Datatype::Int32 => self.add_values::<i32, 4>(cells, validity),
            Datatype::Int64 | Datatype::Time(_) => self.add_values::<i64, 8>(cells, validity),
            Datatype::UInt8 | Datatype::Bool => self.add_values::<u8, 1>(cells, validity),
            Datatype::UInt16 => self.add_values::<u16, 2>(cells, validity),
            Datatype::UInt32 => self.add_values::<u32, 4>(cells, validity),
            Datatype::UInt64 => self.add_values::<u64, 8>(cells, validity),
            Datatype::Float32 => self.add_values::<f32, 4>(cells, validity),
            Datatype::Float64 => self.add_values::<f64, 8>(cells, validity),
            Datatype::Ascii | Datatype::Utf8 | Datatype::Blob => {}
        }
    }

    fn add_values<T: Value<N>, const N: usize>(&mut self, cells: &[u8], validity: Option<&[u8]>) {
        let (cells, _) = cells.as_chunks::<N>();
        let (chunks, rest) = cells.as_chunks::<LANES>();
        let mut lanes = Lanes::<T, N>::new();
        match validity {
            None => {
                for chunk in chunks {
                    lanes.add(chunk, &[1; LANES]);
                }
                lanes.add_rest(rest, &[1; LANES]);
            }
            Some(validity) => {
                let (valid, rest_valid) = validity.as_chunks::<LANES>();
                for (chunk, valid) in chunks.iter().zip(valid) {
                    lanes.add(chunk, valid);
                }
                lanes.add_rest(rest, rest_valid);
            }
        }
        let is_valid = |at: usize| validity.is_none_or(|validity| validity.get(at).is_some_and(|valid| *valid != 0));
        let valid = cells.iter().enumerate().filter(|(at, _)| is_valid(*at)).map(|(_, cell)| T::from_bytes(*cell));
        let (mut min, mut max): (T, T) = lanes.range();
        if !min.is_at_most(max) {
            // Without values, libtiledb has zero. Floats of which none is a number are all NaN.
            let first = valid.clone().next().unwrap_or(T::ZERO);
            (min, max) = (first, first);
        }
        self.mins.extend(min.to_bytes());
        self.maxs.extend(max.to_bytes());
        self.sums.push(T::sum(&lanes.sums, valid));
    }

    /// The bytes of the least and the greatest value of each tile, for single numbers.
    pub(super) fn ranges(&self) -> impl Iterator<Item = [&[u8]; 2]> {
        let size = self.shape.datatype.size();
        self.mins.chunks_exact(size).zip(self.maxs.chunks_exact(size)).map(|(min, max)| [min, max])
    }

    /// Adds what the fragment's metadata have of the field.
    pub(super) fn describe(&self, metadata: &mut FieldMetadata) {
        let values =
            |bytes: &Vec<u8>| Some(TileValues::Fixed { size: self.shape.datatype.size(), bytes: bytes.clone() });
        if self.shape.has_min_max {
            metadata.mins = values(&self.mins);
            metadata.maxs = values(&self.maxs);
        }
        if self.shape.has_sum {
            metadata.sums.clone_from(&self.sums);
        }
        metadata.null_counts.clone_from(&self.null_counts);
    }
}

/// The least and the greatest values and the sums of every eighth value.
struct Lanes<T: Value<N>, const N: usize> {
    mins: [T; LANES],
    maxs: [T; LANES],
    sums: [T::Sum; LANES],
}

impl<T: Value<N>, const N: usize> Lanes<T, N> {
    fn new() -> Self {
        Self { mins: [T::GREATEST; LANES], maxs: [T::LEAST; LANES], sums: [T::ZERO.widened(); LANES] }
    }

    /// Adds a cell to each lane, unless its validity byte is 0.
    #[inline(always)]
    fn add(&mut self, cells: &[[u8; N]; LANES], validity: &[u8; LANES]) {
        // By index, and of a fixed number: so it compiles to vector instructions without branches.
        for lane in 0..LANES {
            let (value, is_valid) = (T::from_bytes(cells[lane]), validity[lane] != 0);
            self.mins[lane] = self.mins[lane].lesser(if is_valid { value } else { T::GREATEST });
            self.maxs[lane] = self.maxs[lane].greater(if is_valid { value } else { T::LEAST });
            self.sums[lane] += if is_valid { value } else { T::ZERO }.widened();
        }
    }

    /// Adds fewer cells than there are lanes.
    fn add_rest(&mut self, cells: &[[u8; N]], validity: &[u8]) {
        let (mut all, mut valid) = ([T::ZERO.to_bytes(); LANES], [0; LANES]);
        for ((cell, is_valid), (to, to_valid)) in cells.iter().zip(validity).zip(all.iter_mut().zip(&mut valid)) {
            (*to, *to_valid) = (*cell, *is_valid);
        }
        self.add(&all, &valid);
    }

    fn range(&self) -> (T, T) {
        let min = self.mins.iter().fold(T::GREATEST, |min, value| min.lesser(*value));
        (min, self.maxs.iter().fold(T::LEAST, |max, value| max.greater(*value)))
    }
}

/// A number of `N` bytes.
trait Value<const N: usize>: Copy {
    /// A type in which no sum of a tile's values overflows, or is silently wrong.
    type Sum: Copy + AddAssign;

    const ZERO: Self;
    /// No value is less; for floats, no number.
    const LEAST: Self;
    /// No value is greater.
    const GREATEST: Self;

    fn from_bytes(bytes: [u8; N]) -> Self;
    fn to_bytes(self) -> [u8; N];
    fn widened(self) -> Self::Sum;
    /// `self`, unless `other` is less.
    fn lesser(self, other: Self) -> Self;
    /// `self`, unless `other` is greater.
    fn greater(self, other: Self) -> Self;
    fn is_at_most(self, other: Self) -> bool;
    /// The bits of the sum as libtiledb stores it: in the widest type of its kind. It adds one of `values` after the other, and stops at
    /// the end of that type.
    fn sum(lanes: &[Self::Sum; LANES], values: impl Iterator<Item = Self>) -> u64;
}

macro_rules! integers {
    ($($integer:ty: $size:literal, $wide:ty, $sum:ty;)*) => {$(
        impl Value<$size> for $integer {
            type Sum = $sum;

            const ZERO: Self = 0;
            const LEAST: Self = Self::MIN;
            const GREATEST: Self = Self::MAX;

            fn from_bytes(bytes: [u8; $size]) -> Self {
                Self::from_le_bytes(bytes)
            }

            fn to_bytes(self) -> [u8; $size] {
                self.to_le_bytes()
            }

            fn widened(self) -> $sum {
                self.into()
            }

            fn lesser(self, other: Self) -> Self {
                self.min(other)
            }

            fn greater(self, other: Self) -> Self {
                self.max(other)
            }

            fn is_at_most(self, other: Self) -> bool {
                self <= other
            }

            fn sum(lanes: &[$sum; LANES], values: impl Iterator<Item = Self>) -> u64 {
                let total: $sum = lanes.iter().sum();
                // On the way to a total of 64 bits, a sum may have been at the end of the type.
                let sum = <$wide>::try_from(total).ok().filter(|_| $size < 8).unwrap_or_else(|| {
                    let mut sum: $wide = 0;
                    for value in values {
                        let value = <$wide>::from(value);
                        match sum.checked_add(value) {
                            Some(more) => sum = more,
                            None => return sum.saturating_add(value),
                        }
                    }
                    sum
                });
                u64::from_le_bytes(sum.to_le_bytes())
            }
        }
    )*};
}

integers! {
    i8: 1, i64, i64;
    i16: 2, i64, i64;
    i32: 4, i64, i64;
    i64: 8, i64, i128;
    u8: 1, u64, u64;
    u16: 2, u64, u64;
    u32: 4, u64, u64;
    u64: 8, u64, u128;
}

macro_rules! floats {
    ($($float:ty: $size:literal;)*) => {$(
        impl Value<$size> for $float {
            type Sum = f64;

            const ZERO: Self = 0.0;
            const LEAST: Self = Self::NEG_INFINITY;
            const GREATEST: Self = Self::INFINITY;

            fn from_bytes(bytes: [u8; $size]) -> Self {
                Self::from_le_bytes(bytes)
            }

            fn to_bytes(self) -> [u8; $size] {
                self.to_le_bytes()
            }

            fn widened(self) -> f64 {
                self.into()
            }

            fn lesser(self, other: Self) -> Self {
                if other < self { other } else { self }
            }

            fn greater(self, other: Self) -> Self {
                if other > self { other } else { self }
            }

            fn is_at_most(self, other: Self) -> bool {
                self <= other
            }

            fn sum(lanes: &[f64; LANES], values: impl Iterator<Item = Self>) -> u64 {
                let sum: f64 = lanes.iter().sum();
                let sum = if sum.is_finite() { sum } else { bounded_sum(values.map(f64::from)) };
                sum.to_bits()
            }
        }
    )*};
}

floats! {
    f32: 4;
    f64: 8;
}

/// The sum, which ends once it leaves the numbers' range, at the end of the range.
fn bounded_sum(values: impl Iterator<Item = f64>) -> f64 {
    let mut sum = 0.0_f64;
    for value in values {
        let more = sum + value;
        if more.is_infinite() && sum.is_finite() && value.is_finite() {
            return f64::MAX.copysign(more);
        }
        sum = more;
    }
    sum
}
