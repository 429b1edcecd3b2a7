//! libtiledb's order of cells along a Hilbert curve, in which arrays with Hilbert order store them.
//!
//! Each coordinate becomes the number of one of 2^bits equal slices of its domain, with 63 bits for all dimensions together, all in doubles.
//! The position of these numbers on the curve is Skilling's ("Programming the Hilbert curve", 2004), with the first dimension's bits
//! highest. Cells are ordered by position, and cells with the same one by their coordinates, the first dimension first.

use crate::error::{Error, Result};

/// Bits of a position.
const POSITION_BITS: u32 = 63;
/// libtiledb has fewer dimensions than this in Hilbert order.
const MAX_DIMENSIONS: usize = 16;
/// Cells whose positions are computed together.
const LANES: usize = 32;

/// The curve through a domain.
#[derive(Debug, Clone, PartialEq)]
pub struct HilbertCurve {
    dimensions: Vec<Scale>,
    /// Bits of a slice's number.
    bits: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Scale {
    low: f64,
    range: f64,
    /// The number of the last slice, as a double.
    top: f64,
}

impl Scale {
    /// The number of the slice with a coordinate. Coordinates outside of the domain, which libtiledb refuses, are in the slice at its edge.
    #[inline]
    fn slice(self, coordinate: f64) -> f64 {
        // One operation after the other, as libtiledb does them: a multiplication with the inverse would round in another way.
        (coordinate - self.low) / self.range * self.top
    }

    /// For slices of at most 32 bits.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "slices are cut to whole numbers, as in libtiledb"
    )]
    fn slice_u32(self, coordinate: f64) -> u32 {
        self.slice(coordinate).min(self.top) as u32
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "slices are cut to whole numbers, as in libtiledb"
    )]
    fn slice_u64(self, coordinate: f64, bits: u32) -> u64 {
        (self.slice(coordinate) as u64).min((1 << bits) - 1)
    }
}

impl HilbertCurve {
    /// The curve through these domains, lowest and highest coordinate of each dimension. Integers and times are given as the nearest
    /// double.
    pub fn new(domains: &[(f64, f64)]) -> Result<Self> {
        let count = u32::try_from(domains.len()).ok().filter(|_| (1..MAX_DIMENSIONS).contains(&domains.len()));
        let Some(count) = count else {
            return Err(invalid(format!("1 to {} dimensions", MAX_DIMENSIONS - 1), domains.len()));
        };
        let bits = POSITION_BITS / count;
        let dimension = |&(low, high): &(f64, f64)| {
            let range = high - low;
            if !(range > 0.0 && range.is_finite()) {
                return Err(invalid("a domain with a length", format!("{low} to {high}")));
            }
            // Of 63 bits, this rounds to 2^63, as in libtiledb.
            Ok(Scale { low, range, top: ((1_u64 << bits) - 1) as f64 })
        };
        Ok(Self { dimensions: domains.iter().map(dimension).collect::<Result<_>>()?, bits })
    }

    /// The position of a cell on the curve. It must have a coordinate for each dimension; others are ignored.
    pub fn value(&self, coordinates: &[f64]) -> u64 {
        let mut slices = [0; MAX_DIMENSIONS];
        let slices = &mut slices[..self.dimensions.len()];
        for ((slice, dimension), coordinate) in slices.iter_mut().zip(&self.dimensions).zip(coordinates) {
            *slice = dimension.slice_u64(*coordinate, self.bits);
        }
        transpose(slices, self.bits);
        let mut position = 0;
        for bit in (0..self.bits).rev() {
            for slice in slices.iter() {
                position = position << 1 | slice >> bit & 1;
            }
        }
        position
    }

    /// Appends the positions of cells to `out`. There must be a column for each dimension, all of one length. Two and three dimensions take
    /// some nanoseconds a cell.
    pub fn values(&self, columns: &[&[f64]], out: &mut Vec<u64>) -> Result<()> {
        let rows = columns.first().map_or(0, |column| column.len());
        if columns.len() != self.dimensions.len() || columns.iter().any(|column| column.len() != rows) {
            let found = format!("columns of {:?}", columns.iter().map(|column| column.len()).collect::<Vec<_>>());
            return Err(invalid(format!("{} columns of one length", self.dimensions.len()), found));
        }
        out.reserve(rows);
        match (columns, self.dimensions.as_slice()) {
            (&[a, b], &[c, d]) => self.lanes([a, b], [c, d], |[x, y]| spread2(x) << 1 | spread2(y), out),
            (&[a, b, c], &[d, e, f]) => {
                self.lanes([a, b, c], [d, e, f], |[x, y, z]| spread3(x) << 2 | spread3(y) << 1 | spread3(z), out);
            }
            _ => {
                let mut cell = [0.0; MAX_DIMENSIONS];
                let cell = &mut cell[..columns.len()];
                for row in 0..rows {
                    cell.iter_mut().zip(columns).for_each(|(value, column)| *value = column[row]);
                    out.push(self.value(cell));
                }
            }
        }
        Ok(())
    }

    /// Positions of some cells at a time, without branches, so that compilers use vector instructions.
    fn lanes<const N: usize>(
        &self,
        columns: [&[f64]; N],
        dimensions: [Scale; N],
        interleave: impl Fn([u32; N]) -> u64,
        out: &mut Vec<u64>,
    ) {
        let rows = columns[0].len();
        for start in (0..rows).step_by(LANES) {
            let count = LANES.min(rows - start);
            let mut slices = [[0; LANES]; N];
            for ((slices, dimension), column) in slices.iter_mut().zip(dimensions).zip(columns) {
                for (slice, coordinate) in slices.iter_mut().zip(&column[start..start + count]) {
                    *slice = dimension.slice_u32(*coordinate);
                }
            }
            transpose_lanes(&mut slices, self.bits);
            out.extend((0..count).map(|lane| interleave(slices.map(|slices| slices[lane]))));
        }
    }
}

/// Turns numbers of slices to the bits of the position, of which each dimension gets every n-th.
fn transpose(slices: &mut [u64], bits: u32) {
    let [first, others @ ..] = slices else { return };
    for bit in (1..bits).rev() {
        let lower = (1 << bit) - 1;
        if *first >> bit & 1 == 1 {
            *first ^= lower;
        }
        for other in others.iter_mut() {
            if *other >> bit & 1 == 1 {
                *first ^= lower;
            } else {
                let exchanged = (*first ^ *other) & lower;
                *first ^= exchanged;
                *other ^= exchanged;
            }
        }
    }
    let mut before = *first;
    for other in others {
        *other ^= before;
        before = *other;
    }
    // Each bit of the last dimension inverts all lower ones, of all dimensions.
    let mut inverted = before >> 1;
    for shift in [1, 2, 4, 8, 16, 32] {
        inverted ^= inverted >> shift;
    }
    for slice in slices {
        *slice ^= inverted;
    }
}

/// The same as [`transpose`] for some cells at a time.
fn transpose_lanes<const N: usize>(slices: &mut [[u32; LANES]; N], bits: u32) {
    let Some((first, others)) = slices.split_first_mut() else { return };
    for bit in (1..bits).rev() {
        let lower = (1 << bit) - 1;
        let mask = |number: u32| (number >> bit & 1).wrapping_neg();
        for first in first.iter_mut() {
            *first ^= mask(*first) & lower;
        }
        for other in others.iter_mut() {
            for (first, other) in first.iter_mut().zip(other) {
                let is_set = mask(*other);
                let exchanged = (*first ^ *other) & lower & !is_set;
                *first ^= exchanged | is_set & lower;
                *other ^= exchanged;
            }
        }
    }
    let mut before = *first;
    for other in others {
        for (other, before) in other.iter_mut().zip(&mut before) {
            *other ^= *before;
            *before = *other;
        }
    }
    let inverted = before.map(|before| {
        let shifted = before >> 1;
        [1, 2, 4, 8, 16].into_iter().fold(shifted, |inverted, shift| inverted ^ inverted >> shift)
    });
    for slices in slices {
        slices.iter_mut().zip(inverted).for_each(|(slice, inverted)| *slice ^= inverted);
    }
}

/// Puts a zero bit after each bit.
fn spread2(number: u32) -> u64 {
    let steps = [(16, 0x0000_ffff_0000_ffff), (8, 0x00ff_00ff_00ff_00ff), (4, 0x0f0f_0f0f_0f0f_0f0f)];
    let steps = steps.into_iter().chain([(2, 0x3333_3333_3333_3333), (1, 0x5555_5555_5555_5555)]);
    steps.fold(number.into(), |bits: u64, (shift, mask)| (bits | bits << shift) & mask)
}

/// Puts two zero bits after each of 21 bits.
fn spread3(number: u32) -> u64 {
    let bits = u64::from(number);
    let bits = (bits | bits << 32) & 0x001f_0000_0000_ffff;
    let bits = (bits | bits << 16) & 0x001f_0000_ff00_00ff;
    let bits = (bits | bits << 8) & 0x100f_00f0_0f00_f00f;
    let bits = (bits | bits << 4) & 0x10c3_0c30_c30c_30c3;
    (bits | bits << 2) & 0x1249_2492_4924_9249
}

fn invalid(expected: impl Into<String>, found: impl ToString) -> Error {
    Error::Invalid { what: "Hilbert curve", expected: expected.into(), found: found.to_string() }
}

#[cfg(test)]
mod tests;
