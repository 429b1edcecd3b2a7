//! The footer: sizes of files, and where each part of the metadata begins.

use crate::bytes::{ByteReader, ByteWriter};
use crate::error::Result;
use crate::field::{Field, Numbering};
use crate::generic_tile;
use crate::schema::Schema;

const WHAT: &str = "footer of a fragment's metadata";
/// Bytes of the length at the end of the file.
const LENGTH: u64 = 8;

/// The footer's numbers of one field. Offsets are those of generic tiles in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FieldFooter {
    /// Bytes of the file of values of fixed size, or of offsets.
    pub file_size: u64,
    /// Bytes of the file of values of variable size.
    pub var_file_size: u64,
    /// Bytes of the file of validity bytes.
    pub validity_file_size: u64,
    /// Offset of the tiles' offsets in the first file.
    pub tile_offsets: u64,
    /// Offset of the tiles' offsets in the second file.
    pub var_offsets: u64,
    /// Offset of the decoded sizes of tiles in the second file.
    pub var_sizes: u64,
    /// Offset of the tiles' offsets in the third file.
    pub validity_offsets: u64,
    /// Offset of the least value of each tile.
    pub mins: u64,
    /// Offset of the greatest value of each tile.
    pub maxs: u64,
    /// Offset of the sum of each tile's values.
    pub sums: u64,
    /// Offset of the number of NULLs in each tile.
    pub null_counts: u64,
}

/// One number of every field.
type Column = (fn(&FieldFooter) -> u64, fn(&mut FieldFooter) -> &mut u64);

/// The sizes, in the order of the file.
const SIZES: [Column; 3] = [
    (|field| field.file_size, |field| &mut field.file_size),
    (|field| field.var_file_size, |field| &mut field.var_file_size),
    (|field| field.validity_file_size, |field| &mut field.validity_file_size),
];

/// The offsets, in the order of the file.
const OFFSETS: [Column; 8] = [
    (|field| field.tile_offsets, |field| &mut field.tile_offsets),
    (|field| field.var_offsets, |field| &mut field.var_offsets),
    (|field| field.var_sizes, |field| &mut field.var_sizes),
    (|field| field.validity_offsets, |field| &mut field.validity_offsets),
    (|field| field.mins, |field| &mut field.mins),
    (|field| field.maxs, |field| &mut field.maxs),
    (|field| field.sums, |field| &mut field.sums),
    (|field| field.null_counts, |field| &mut field.null_counts),
];

/// The footer of a sparse fragment, versions 16 to 22.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footer {
    /// The version of the format.
    pub version: u32,
    /// The name of the schema's file.
    pub schema_name: String,
    /// The bytes of the least and the greatest coordinate of each dimension.
    pub domain: Vec<u8>,
    /// Tiles of each field.
    pub tile_count: u64,
    /// Cells of the last tile; the others have as many as the schema's capacity.
    pub last_tile_cells: u64,
    /// Whether cells have times of their own, since fragments were consolidated.
    pub has_timestamps: bool,
    /// Whether cells have marks of deletion.
    pub has_deletes: bool,
    /// The fields, in the order of [`Numbering`].
    pub fields: Vec<FieldFooter>,
    /// Offset of the R-tree.
    pub rtree: u64,
    /// Offset of the statistics of whole fields.
    pub statistics: u64,
    /// Offset of the conditions of deletion that were applied.
    pub processed_conditions: u64,
}

impl Footer {
    /// The name of the schema that [`Footer::parse`] needs. `tail` ends where the file ends.
    pub fn schema_name(tail: &[u8]) -> Result<&str> {
        let mut reader = ByteReader::new(Self::locate(tail)?, WHAT);
        Self::start(&mut reader).map(|(_, name)| name)
    }

    /// Parses the footer at the end of a file of `file_size` bytes, of which `tail` has the last ones.
    pub fn parse(tail: &[u8], file_size: u64, schema: &Schema) -> Result<Self> {
        let bytes = Self::locate(tail)?;
        let mut reader = ByteReader::new(bytes, WHAT);
        let (version, schema_name) = Self::start(&mut reader)?;
        if reader.flag()? {
            return Err(reader.unsupported("a dense fragment"));
        }
        if reader.flag()? {
            return Err(reader.unsupported("a fragment without a domain"));
        }
        let domain_size = schema.dimensions.iter().map(|dimension| 2 * dimension.datatype.size()).sum();
        let domain = reader.bytes(domain_size)?.to_vec();
        let (tile_count, last_tile_cells) = (reader.u64()?, reader.u64()?);
        if (tile_count > 0 && last_tile_cells == 0) || last_tile_cells > schema.capacity {
            return Err(reader.invalid(format!("1 to {} cells in the last tile", schema.capacity), last_tile_cells));
        }
        let (has_timestamps, has_deletes) = (reader.flag()?, reader.flag()?);
        let count = Numbering::new(schema, has_timestamps, has_deletes).count();
        let needed = (count * (SIZES.len() + OFFSETS.len()) + 3) * 8;
        if reader.rest().len() != needed {
            return Err(reader.invalid(format!("{needed} bytes for {count} fields"), reader.rest().len()));
        }
        let mut fields = vec![FieldFooter::default(); count];
        for (_, place) in SIZES {
            for field in &mut fields {
                *place(field) = reader.u64()?;
            }
        }
        // The last generic tile has at least a header before the footer.
        let end = file_size.saturating_sub(bytes.len() as u64 + LENGTH);
        let mut offset = || {
            let offset = reader.u64()?;
            if offset.saturating_add(generic_tile::HEADER_SIZE) > end {
                return Err(reader.invalid(format!("the offset of a tile before byte {end}"), offset));
            }
            Ok(offset)
        };
        let rtree = offset()?;
        for (_, place) in OFFSETS {
            for field in &mut fields {
                *place(field) = offset()?;
            }
        }
        let (statistics, processed_conditions) = (offset()?, offset()?);
        let schema_name = schema_name.to_owned();
        let footer = Self {
            version,
            schema_name,
            domain,
            tile_count,
            last_tile_cells,
            has_timestamps,
            has_deletes,
            fields,
            rtree,
            statistics,
            processed_conditions,
        };
        match footer.cell_count(schema.capacity) {
            Some(_) => Ok(footer),
            None => Err(ByteReader::new(&[], WHAT).invalid("fewer than 2^64 cells", format!("{tile_count} tiles"))),
        }
    }

    /// The footer's bytes at the end of a file, without the length after them. `tail` ends where the file ends.
    pub fn locate(tail: &[u8]) -> Result<&[u8]> {
        let mut reader = ByteReader::new(tail, WHAT);
        let Some((before, length)) = tail.split_last_chunk::<8>() else {
            reader.u64()?;
            return Ok(&[]);
        };
        let length = u64::from_le_bytes(*length);
        let mut skipped = ByteReader::new(before, WHAT);
        match (before.len() as u64).checked_sub(length) {
            Some(skip) => {
                skipped.bytes_u64(skip)?;
                Ok(skipped.rest())
            }
            None => skipped.bytes_u64(length),
        }
    }

    fn start<'a>(reader: &mut ByteReader<'a>) -> Result<(u32, &'a str)> {
        let version = reader.u32()?;
        if !(16..=22).contains(&version) {
            return Err(reader.unsupported(format!("version {version}, expected 16 to 22")));
        }
        let length = reader.u64()?;
        Ok((version, reader.text(length)?))
    }

    /// The footer's bytes and the length at the end of the file.
    pub fn write(&self) -> Vec<u8> {
        let mut writer = ByteWriter::new();
        writer.u32(self.version);
        writer.u64(self.schema_name.len() as u64);
        writer.bytes(self.schema_name.as_bytes());
        // Sparse, and with a domain.
        writer.bytes(&[0, 0]);
        writer.bytes(&self.domain);
        writer.u64(self.tile_count);
        writer.u64(self.last_tile_cells);
        writer.u8(self.has_timestamps.into());
        writer.u8(self.has_deletes.into());
        let column = |writer: &mut ByteWriter, (number, _): Column| {
            for field in &self.fields {
                writer.u64(number(field));
            }
        };
        for size in SIZES {
            column(&mut writer, size);
        }
        writer.u64(self.rtree);
        for offset in OFFSETS {
            column(&mut writer, offset);
        }
        writer.u64(self.statistics);
        writer.u64(self.processed_conditions);
        let length = writer.len() as u64;
        writer.u64(length);
        writer.finish()
    }

    /// Cells of the fragment, `None` if they are more than 2^64.
    pub fn cell_count(&self, capacity: u64) -> Option<u64> {
        match self.tile_count.checked_sub(1) {
            Some(full) => full.checked_mul(capacity)?.checked_add(self.last_tile_cells),
            None => Some(0),
        }
    }

    /// Bytes of the files of all fields.
    pub fn data_bytes(&self) -> u64 {
        let sizes = self.fields.iter().flat_map(|field| SIZES.map(|(size, _)| size(field)));
        sizes.fold(0, u64::saturating_add)
    }

    /// The numbers of the fragment's fields.
    pub fn numbering(&self, schema: &Schema) -> Numbering {
        Numbering::new(schema, self.has_timestamps, self.has_deletes)
    }

    /// The numbers of one field. `None` if the fragment does not have it.
    pub fn field(&self, schema: &Schema, field: Field) -> Option<&FieldFooter> {
        self.fields.get(self.numbering(schema).number(field)?)
    }
}
