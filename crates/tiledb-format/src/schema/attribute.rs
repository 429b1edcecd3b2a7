//! Attributes.

use crate::bytes::{ByteReader, ByteWriter};
use crate::datatype::Datatype;
use crate::error::Result;
use crate::pipeline::Pipeline;
use crate::text::{read_text, write_text};

/// An attribute of an array.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// The name.
    pub name: String,
    /// The type of values.
    pub datatype: Datatype,
    /// Values per cell; [`Attribute::VARIABLE`] for cells of variable length.
    pub cell_values: u32,
    /// Filters of the values.
    pub filters: Pipeline,
    /// The bytes of the cell that is read where a fragment lacks the attribute.
    pub fill: Vec<u8>,
    /// Whether cells may be NULL, and have validity bytes.
    pub nullable: bool,
    /// The validity byte of that cell.
    pub fill_validity: u8,
    /// The name of the enumeration whose values the cells number.
    pub enumeration: Option<String>,
}

impl Attribute {
    /// The number of values per cell that means cells of variable length.
    pub const VARIABLE: u32 = u32::MAX;

    pub(super) fn read(reader: &mut ByteReader<'_>) -> Result<Self> {
        let name = read_text(reader)?;
        let datatype = Datatype::from_code(reader.u8()?)?;
        let cell_values = reader.u32()?;
        if cell_values == 0 {
            return Err(reader.invalid("at least one value per cell", 0));
        }
        let filters = Pipeline::parse(reader)?;
        let length = reader.u64()?;
        let fill = reader.bytes_u64(length)?.to_vec();
        let nullable = reader.flag()?;
        let fill_validity = reader.u8()?;
        let order = reader.u8()?;
        if order != 0 {
            return Err(reader.unsupported(format!("attribute {name} with ordered data ({order})")));
        }
        // The specification does not mention it: since version 20 the enumeration's name follows, which may be empty.
        let enumeration = Some(read_text(reader)?).filter(|name| !name.is_empty());
        let attribute = Self { name, datatype, cell_values, filters, fill, nullable, fill_validity, enumeration };
        if attribute.fixed_cell_size().is_some_and(|size| size != length) {
            return Err(reader.invalid(format!("a fill value as long as a cell of {}", attribute.name), length));
        }
        Ok(attribute)
    }

    pub(super) fn write(&self, writer: &mut ByteWriter) -> Result<()> {
        write_text(writer, &self.name)?;
        writer.u8(self.datatype.code());
        writer.u32(self.cell_values);
        self.filters.write(writer);
        writer.u64(self.fill.len() as u64);
        writer.bytes(&self.fill);
        writer.u8(self.nullable.into());
        writer.u8(self.fill_validity);
        writer.u8(0);
        write_text(writer, self.enumeration.as_deref().unwrap_or_default())
    }

    /// Whether cells have variable length.
    pub fn is_variable(&self) -> bool {
        self.cell_values == Self::VARIABLE
    }

    /// Bytes of a cell, `None` if their number varies.
    pub fn fixed_cell_size(&self) -> Option<u64> {
        (!self.is_variable()).then(|| u64::from(self.cell_values) * self.datatype.size() as u64)
    }
}
