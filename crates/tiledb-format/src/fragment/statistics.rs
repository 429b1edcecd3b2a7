//! Statistics of fields: least and greatest values, sums, counts of NULLs, of each tile and of the whole fragment.

use std::cmp::Ordering;

use crate::bytes::{ByteReader, ByteWriter};
use crate::error::{Error, Result};
use crate::field::Shape;
use crate::fragment::vectors::TileOffsets;
use crate::number::Number;

const TILES: &str = "least or greatest values of tiles";
const FIELDS: &str = "statistics of a fragment";

/// The least or the greatest value of each tile. The value of a tile of only NULLs means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TileValues {
    /// Values of fixed size.
    Fixed {
        /// Bytes of a value.
        size: usize,
        /// The values.
        bytes: Vec<u8>,
    },
    /// Text.
    Variable {
        /// Where each value begins.
        offsets: Vec<u64>,
        /// The values.
        bytes: Vec<u8>,
    },
}

impl TileValues {
    /// Parses the decoded generic tile. `None` if the field has no such values.
    pub(crate) fn parse(content: &[u8], shape: Shape, tiles: u64) -> Result<Option<Self>> {
        let mut reader = ByteReader::new(content, TILES);
        let (fixed, variable) = (reader.u64()?, reader.u64()?);
        let (fixed, variable) = (reader.bytes_u64(fixed)?, reader.bytes_u64(variable)?);
        reader.clone().finish()?;
        if fixed.is_empty() {
            return if variable.is_empty() { Ok(None) } else { Err(reader.invalid("offsets of values", "none")) };
        }
        let size = shape.cell_size.unwrap_or(8);
        if tiles.checked_mul(size) != Some(fixed.len() as u64) {
            let expected = format!("{tiles} values of {size} bytes");
            return Err(reader.invalid(expected, format!("{} bytes", fixed.len())));
        }
        if shape.cell_size.is_none() {
            let (numbers, _) = fixed.as_chunks::<8>();
            let offsets = numbers.iter().map(|number| u64::from_le_bytes(*number)).collect();
            let checked = TileOffsets::new(offsets, variable.len() as u64, TILES)?;
            return Ok(Some(Self::Variable { offsets: checked.offsets().to_vec(), bytes: variable.to_vec() }));
        }
        match usize::try_from(size) {
            Ok(size) if variable.is_empty() => Ok(Some(Self::Fixed { size, bytes: fixed.to_vec() })),
            _ => Err(reader.invalid("values of fixed size", format!("{} bytes of variable size", variable.len()))),
        }
    }

    /// The content of the generic tile. A field without such values has an empty one.
    pub(crate) fn write(values: Option<&Self>) -> Vec<u8> {
        let mut writer = ByteWriter::new();
        let offset_bytes: Vec<u8>;
        let (fixed, variable): (&[u8], &[u8]) = match values {
            None => (&[], &[]),
            Some(Self::Fixed { bytes, .. }) => (bytes, &[]),
            Some(Self::Variable { offsets, bytes }) => {
                offset_bytes = offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect();
                (&offset_bytes, bytes)
            }
        };
        writer.u64(fixed.len() as u64);
        writer.u64(variable.len() as u64);
        writer.bytes(fixed);
        writer.bytes(variable);
        writer.finish()
    }

    /// The number of tiles.
    pub fn len(&self) -> usize {
        match self {
            Self::Fixed { size, bytes } => bytes.len().checked_div(*size).unwrap_or(0),
            Self::Variable { offsets, .. } => offsets.len(),
        }
    }

    /// Whether the fragment is without tiles.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of a tile's value. `None` if the fragment has fewer tiles.
    pub fn tile(&self, tile: usize) -> Option<&[u8]> {
        match self {
            Self::Fixed { size, bytes } => {
                let start = tile.checked_mul(*size)?;
                bytes.get(start..start.checked_add(*size)?)
            }
            Self::Variable { offsets, bytes } => {
                let start = usize::try_from(*offsets.get(tile)?).ok()?;
                let end = offsets.get(tile + 1).map_or(Ok(bytes.len()), |end| usize::try_from(*end)).ok()?;
                bytes.get(start..end)
            }
        }
    }
}

/// Statistics of one field over a whole fragment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldStatistics {
    /// The bytes of the least value. Empty if there is none.
    pub min: Vec<u8>,
    /// The bytes of the greatest value. Empty if there is none.
    pub max: Vec<u8>,
    /// The bits of the sum; see [`Number::of_sum`].
    pub sum: u64,
    /// The number of NULLs.
    pub null_count: u64,
}

impl FieldStatistics {
    /// Parses the decoded generic tile, with the statistics of `fields` fields.
    pub(crate) fn parse(content: &[u8], fields: usize) -> Result<Vec<Self>> {
        let mut reader = ByteReader::new(content, FIELDS);
        let mut statistics = Vec::new();
        for _ in 0..fields {
            let length = reader.u64()?;
            let min = reader.bytes_u64(length)?.to_vec();
            let length = reader.u64()?;
            let max = reader.bytes_u64(length)?.to_vec();
            statistics.push(Self { min, max, sum: reader.u64()?, null_count: reader.u64()? });
        }
        reader.finish()?;
        Ok(statistics)
    }

    /// The content of the generic tile.
    pub(crate) fn write(statistics: &[Self]) -> Vec<u8> {
        let mut writer = ByteWriter::new();
        for field in statistics {
            for value in [&field.min, &field.max] {
                writer.u64(value.len() as u64);
                writer.bytes(value);
            }
            writer.u64(field.sum);
            writer.u64(field.null_count);
        }
        writer.finish()
    }

    /// Combines the statistics of a field's tiles. `cells` are the cells of each tile: one of only NULLs has no values.
    pub(crate) fn of_tiles(
        shape: Shape,
        cells: impl Iterator<Item = u64>,
        mins: Option<&TileValues>,
        maxs: Option<&TileValues>,
        sums: &[u64],
        null_counts: &[u64],
    ) -> Self {
        let mut all = Self::default();
        let (mut sum, mut has_left) = (Number::of_sum(shape.datatype, 0), false);
        let mut found = false;
        for (tile, cells) in cells.enumerate() {
            let nulls = null_counts.get(tile).copied().unwrap_or(0);
            all.null_count = all.null_count.saturating_add(nulls);
            if nulls >= cells {
                continue;
            }
            for (best, values, wanted) in
                [(&mut all.min, mins, Ordering::Less), (&mut all.max, maxs, Ordering::Greater)]
            {
                let Some(value) = values.and_then(|values| values.tile(tile)) else { continue };
                // A tile of only NaN has no other value.
                if !found || compare(shape, value, best) == Some(wanted) || compare(shape, best, best).is_none() {
                    *best = value.to_vec();
                }
            }
            found = true;
            if let Some(bits) = sums.get(tile).filter(|_| !has_left) {
                (sum, has_left) = sum.add_sum(Number::of_sum(shape.datatype, *bits));
            }
        }
        all.sum = sum.sum_bits();
        all
    }
}

/// Compares values of one type: numbers as such, text by its bytes.
fn compare(shape: Shape, a: &[u8], b: &[u8]) -> Option<Ordering> {
    match (Number::read(shape.datatype, a), Number::read(shape.datatype, b)) {
        (Some(a), Some(b)) if shape.cell_size == Some(shape.datatype.size() as u64) => a.partial_cmp(&b),
        _ => Some(a.cmp(b)),
    }
}

/// Parses the names of conditions of deletion that were applied to a fragment.
pub(crate) fn parse_conditions(content: &[u8]) -> Result<Vec<String>> {
    let mut reader = ByteReader::new(content, "processed conditions");
    let mut names = Vec::new();
    for _ in 0..reader.u64()? {
        let length = reader.u64()?;
        names.push(reader.text(length)?.to_owned());
    }
    reader.finish()?;
    Ok(names)
}

/// The content of the generic tile of [`parse_conditions`].
pub(crate) fn write_conditions(names: &[String]) -> Vec<u8> {
    let mut writer = ByteWriter::new();
    writer.u64(names.len() as u64);
    for name in names {
        writer.u64(name.len() as u64);
        writer.bytes(name.as_bytes());
    }
    writer.finish()
}

/// Checks that no tile has more NULLs than cells.
pub(crate) fn check_null_counts(null_counts: &[u64], cells: impl Iterator<Item = u64>) -> Result<()> {
    match null_counts.iter().zip(cells).find(|(nulls, cells)| *nulls > cells) {
        Some((nulls, cells)) => Err(Error::Invalid {
            what: "counts of NULLs",
            expected: format!("at most {cells}, the cells of the tile"),
            found: nulls.to_string(),
        }),
        None => Ok(()),
    }
}
