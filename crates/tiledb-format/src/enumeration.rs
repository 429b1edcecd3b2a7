//! Enumerations: files of `__schema/__enumerations`.

use crate::bytes::{ByteReader, ByteWriter};
use crate::datatype::Datatype;
use crate::error::{Error, Result};
use crate::schema::Attribute;
use crate::text::{read_text, write_text};

const WHAT: &str = "enumeration";

/// The values that the cells of an attribute number from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Enumeration {
    /// The name that attributes use.
    pub name: String,
    /// The file's name.
    pub path: String,
    /// The type of values.
    pub datatype: Datatype,
    /// Values of `datatype` in each value of the enumeration; [`Attribute::VARIABLE`] for variable length.
    pub cell_values: u32,
    /// Whether the values' order has a meaning.
    pub ordered: bool,
    /// The values' bytes, one after another.
    pub data: Vec<u8>,
    /// Where each value of variable length begins in `data`.
    pub offsets: Vec<u64>,
}

impl Enumeration {
    /// Parses the content of the file: the decoded generic tile.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = ByteReader::new(bytes, WHAT);
        match reader.u32()? {
            0 => {}
            version => return Err(reader.unsupported(format!("version {version}"))),
        }
        let (name, path) = (read_text(&mut reader)?, read_text(&mut reader)?);
        let datatype = Datatype::from_code(reader.u8()?)?;
        let cell_values = reader.u32()?;
        if cell_values == 0 {
            return Err(reader.invalid("at least one value per cell", 0));
        }
        let ordered = reader.flag()?;
        let length = reader.u64()?;
        let data = reader.bytes_u64(length)?.to_vec();
        let mut offsets = Vec::new();
        if cell_values == Attribute::VARIABLE {
            let length = reader.u64()?;
            let (chunks, rest) = reader.bytes_u64(length)?.as_chunks::<8>();
            if !rest.is_empty() {
                return Err(reader.invalid("whole offsets", format!("{length} bytes")));
            }
            offsets.extend(chunks.iter().map(|offset| u64::from_le_bytes(*offset)));
        }
        reader.finish()?;
        let enumeration = Self { name, path, datatype, cell_values, ordered, data, offsets };
        enumeration.check()?;
        Ok(enumeration)
    }

    fn check(&self) -> Result<()> {
        let invalid =
            |expected: &str, found: String| Error::Invalid { what: WHAT, expected: expected.to_owned(), found };
        match self.value_size() {
            Some(size) if !(self.data.len() as u64).is_multiple_of(size) => {
                Err(invalid("whole values", format!("{} bytes", self.data.len())))
            }
            Some(_) => Ok(()),
            None => {
                let ends = self.offsets.iter().skip(1).copied().chain([self.data.len() as u64]);
                let sorted = self.offsets.iter().zip(ends).all(|(start, end)| *start <= end);
                if sorted {
                    Ok(())
                } else {
                    Err(invalid("ascending offsets within the data", format!("{:?}", self.offsets)))
                }
            }
        }
    }

    /// The content of the file, before it becomes a generic tile.
    ///
    /// # Errors
    /// If a name is too long for the format.
    pub fn write(&self) -> Result<Vec<u8>> {
        let mut writer = ByteWriter::new();
        writer.u32(0);
        write_text(&mut writer, &self.name)?;
        write_text(&mut writer, &self.path)?;
        writer.u8(self.datatype.code());
        writer.u32(self.cell_values);
        writer.u8(self.ordered.into());
        writer.u64(self.data.len() as u64);
        writer.bytes(&self.data);
        if self.cell_values == Attribute::VARIABLE {
            writer.u64(8 * self.offsets.len() as u64);
            for offset in &self.offsets {
                writer.u64(*offset);
            }
        }
        Ok(writer.finish())
    }

    /// Bytes of each value, `None` if their number varies.
    fn value_size(&self) -> Option<u64> {
        let fixed = self.cell_values != Attribute::VARIABLE;
        fixed.then(|| u64::from(self.cell_values) * self.datatype.size() as u64)
    }

    /// The bytes of each value, in order.
    pub fn values(&self) -> Vec<&[u8]> {
        match self.value_size().map(usize::try_from) {
            Some(Ok(size)) => self.data.chunks_exact(size.max(1)).collect(),
            // A value as large as that does not fit into memory, so that there is none.
            Some(Err(_)) => Vec::new(),
            None => {
                let position = |offset: &u64| usize::try_from(*offset).unwrap_or(usize::MAX);
                let ends = self.offsets.iter().skip(1).map(position).chain([self.data.len()]);
                let ranges = self.offsets.iter().map(position).zip(ends);
                ranges.filter_map(|(start, end)| self.data.get(start..end)).collect()
            }
        }
    }
}
