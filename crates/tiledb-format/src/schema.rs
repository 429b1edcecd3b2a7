//! Array schemas: files of `__schema`, versions 20 to 22, of sparse arrays.

mod attribute;
mod dimension;
#[cfg(test)]
mod tests;

pub use attribute::Attribute;
pub use dimension::Dimension;

use crate::bytes::{ByteReader, ByteWriter};
use crate::error::Result;
use crate::pipeline::Pipeline;
use crate::text::{read_text, write_length, write_text};

const WHAT: &str = "array schema";
/// The first version with the array's current domain.
const CURRENT_DOMAIN: u32 = 22;

/// The order of cells, or of space tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// The last dimension varies fastest.
    RowMajor,
    /// The first dimension varies fastest.
    ColumnMajor,
    /// Along a Hilbert curve through the domain.
    Hilbert,
}

impl Order {
    fn read(reader: &mut ByteReader<'_>) -> Result<Self> {
        match reader.u8()? {
            0 => Ok(Self::RowMajor),
            1 => Ok(Self::ColumnMajor),
            4 => Ok(Self::Hilbert),
            other => Err(reader.invalid("an order of 0, 1 or 4", other)),
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::RowMajor => 0,
            Self::ColumnMajor => 1,
            Self::Hilbert => 4,
        }
    }
}

/// The name of an enumeration and of its file in `__schema/__enumerations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumerationPath {
    /// The name that attributes use.
    pub name: String,
    /// The file's name.
    pub path: String,
}

/// The schema of a sparse array. Fragments name the one they were written with.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// The version of the format, 20 to 22.
    pub version: u32,
    /// Whether several cells may have the same coordinates.
    pub allows_duplicates: bool,
    /// The order of space tiles.
    pub tile_order: Order,
    /// The order of cells.
    pub cell_order: Order,
    /// Cells in a tile, except in a fragment's last one.
    pub capacity: u64,
    /// Filters of dimensions without filters of their own, and of the cells' timestamps.
    pub coords: Pipeline,
    /// Filters of the offsets of values of variable length.
    pub offsets: Pipeline,
    /// Filters of validity bytes.
    pub validity: Pipeline,
    /// The dimensions.
    pub dimensions: Vec<Dimension>,
    /// The attributes.
    pub attributes: Vec<Attribute>,
    /// The enumerations' files, in the order of the file.
    pub enumerations: Vec<EnumerationPath>,
    /// The version of the empty current domain, which version 22 began to store.
    pub current_domain: Option<u32>,
}

impl Schema {
    /// Parses the content of a schema's file: the decoded generic tile.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = ByteReader::new(bytes, WHAT);
        let version = reader.u32()?;
        if !(20..=22).contains(&version) {
            return Err(reader.unsupported(format!("version {version}, expected 20 to 22")));
        }
        let allows_duplicates = reader.flag()?;
        match reader.u8()? {
            0 => return Err(reader.unsupported("a dense array")),
            1 => {}
            other => return Err(reader.invalid("an array type of 0 or 1", other)),
        }
        let (tile_order, cell_order) = (Order::read(&mut reader)?, Order::read(&mut reader)?);
        let capacity = reader.u64()?;
        if capacity == 0 {
            return Err(reader.invalid("a capacity of at least 1", capacity));
        }
        let coords = Pipeline::parse(&mut reader)?;
        let offsets = Pipeline::parse(&mut reader)?;
        let validity = Pipeline::parse(&mut reader)?;
        // Lists grow with the bytes read: a count from the file reserves nothing.
        let mut dimensions = Vec::new();
        for _ in 0..reader.u32()? {
            dimensions.push(Dimension::read(&mut reader)?);
        }
        if dimensions.is_empty() {
            return Err(reader.invalid("at least one dimension", 0));
        }
        let mut attributes = Vec::new();
        for _ in 0..reader.u32()? {
            attributes.push(Attribute::read(&mut reader)?);
        }
        match reader.u32()? {
            0 => {}
            count => return Err(reader.unsupported(format!("{count} dimension labels"))),
        }
        let mut enumerations = Vec::new();
        for _ in 0..reader.u32()? {
            enumerations.push(EnumerationPath { name: read_text(&mut reader)?, path: read_text(&mut reader)? });
        }
        let current_domain = if version >= CURRENT_DOMAIN {
            let version = reader.u32()?;
            if !reader.flag()? {
                return Err(reader.unsupported("a current domain that is not empty"));
            }
            Some(version)
        } else {
            None
        };
        reader.finish()?;
        Ok(Self {
            version,
            allows_duplicates,
            tile_order,
            cell_order,
            capacity,
            coords,
            offsets,
            validity,
            dimensions,
            attributes,
            enumerations,
            current_domain,
        })
    }

    /// The content of the schema's file, before it becomes a generic tile.
    ///
    /// # Errors
    /// If a name or a list is too long for the format.
    pub fn write(&self) -> Result<Vec<u8>> {
        let mut writer = ByteWriter::new();
        writer.u32(self.version);
        writer.u8(self.allows_duplicates.into());
        writer.u8(1);
        writer.u8(self.tile_order.code());
        writer.u8(self.cell_order.code());
        writer.u64(self.capacity);
        for pipeline in [&self.coords, &self.offsets, &self.validity] {
            pipeline.write(&mut writer);
        }
        write_length(&mut writer, self.dimensions.len())?;
        for dimension in &self.dimensions {
            dimension.write(&mut writer)?;
        }
        write_length(&mut writer, self.attributes.len())?;
        for attribute in &self.attributes {
            attribute.write(&mut writer)?;
        }
        // No dimension labels.
        writer.u32(0);
        write_length(&mut writer, self.enumerations.len())?;
        for enumeration in &self.enumerations {
            write_text(&mut writer, &enumeration.name)?;
            write_text(&mut writer, &enumeration.path)?;
        }
        if self.version >= CURRENT_DOMAIN {
            writer.u32(self.current_domain.unwrap_or(0));
            writer.u8(1);
        }
        Ok(writer.finish())
    }

    /// The filters that a dimension's tiles have: its own, or the schema's for coordinates.
    pub fn dimension_filters<'a>(&'a self, dimension: &'a Dimension) -> &'a Pipeline {
        if dimension.filters.filters.is_empty() { &self.coords } else { &dimension.filters }
    }

    /// The file in `__schema/__enumerations` of the enumeration of that name.
    pub fn enumeration_path(&self, name: &str) -> Option<&str> {
        let found = self.enumerations.iter().find(|enumeration| enumeration.name == name);
        found.map(|enumeration| enumeration.path.as_str())
    }
}
