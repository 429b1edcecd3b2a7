//! Dimensions with coordinates of fixed size.

use crate::bytes::{ByteReader, ByteWriter};
use crate::datatype::Datatype;
use crate::error::Result;
use crate::number::Number;
use crate::pipeline::Pipeline;
use crate::text::{read_text, write_text};

/// A dimension of an array.
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    /// The name.
    pub name: String,
    /// The type of coordinates.
    pub datatype: Datatype,
    /// The dimension's own filters; see [`Schema::dimension_filters`](crate::Schema::dimension_filters).
    pub filters: Pipeline,
    /// The bytes of the least and the greatest coordinate.
    pub domain: Vec<u8>,
    /// The bytes of the extent of space tiles.
    pub extent: Option<Vec<u8>>,
}

impl Dimension {
    pub(super) fn read(reader: &mut ByteReader<'_>) -> Result<Self> {
        let name = read_text(reader)?;
        let datatype = Datatype::from_code(reader.u8()?)?;
        match reader.u32()? {
            1 => {}
            u32::MAX => return Err(reader.unsupported("a dimension of variable length")),
            other => return Err(reader.invalid("one value per coordinate", other)),
        }
        let filters = Pipeline::parse(reader)?;
        let length = reader.u64()?;
        if length != 2 * datatype.size() as u64 {
            return Err(reader.invalid(format!("a domain of {} bytes", 2 * datatype.size()), length));
        }
        let domain = reader.bytes_u64(length)?.to_vec();
        let extent = if reader.flag()? { None } else { Some(reader.bytes(datatype.size())?.to_vec()) };
        let dimension = Self { name, datatype, filters, domain, extent };
        match dimension.limits() {
            Some([low, high]) if low <= high => Ok(dimension),
            _ => Err(reader.invalid("a domain in ascending order", format!("{:02x?}", dimension.domain))),
        }
    }

    pub(super) fn write(&self, writer: &mut ByteWriter) -> Result<()> {
        write_text(writer, &self.name)?;
        writer.u8(self.datatype.code());
        writer.u32(1);
        self.filters.write(writer);
        writer.u64(self.domain.len() as u64);
        writer.bytes(&self.domain);
        writer.u8(self.extent.is_none().into());
        writer.bytes(self.extent.as_deref().unwrap_or_default());
        Ok(())
    }

    /// The least and the greatest coordinate. `None` if `domain` does not hold two values of the datatype; a parsed one
    /// does.
    pub fn limits(&self) -> Option<[Number; 2]> {
        let (low, high) = self.domain.split_at_checked(self.datatype.size())?;
        Some([Number::read(self.datatype, low)?, Number::read(self.datatype, high)?])
    }
}
