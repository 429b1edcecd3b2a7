//! Stand-in until the data half is merged.
#![allow(missing_docs)]

use crate::bytes::{ByteReader, ByteWriter};
use crate::error::Result;

#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    pub code: u8,
    pub options: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    pub max_chunk_size: u32,
    pub filters: Vec<Filter>,
}

impl Pipeline {
    pub fn parse(reader: &mut ByteReader<'_>) -> Result<Self> {
        let max_chunk_size = reader.u32()?;
        let mut filters = Vec::new();
        for _ in 0..reader.u32()? {
            let code = reader.u8()?;
            let length = reader.u32()?;
            filters.push(Filter { code, options: reader.bytes_u64(length.into())?.to_vec() });
        }
        Ok(Self { max_chunk_size, filters })
    }

    pub fn write(&self, writer: &mut ByteWriter) {
        writer.u32(self.max_chunk_size);
        writer.u32(u32::try_from(self.filters.len()).unwrap_or(0));
        for filter in &self.filters {
            writer.u8(filter.code);
            writer.u32(u32::try_from(filter.options.len()).unwrap_or(0));
            writer.bytes(&filter.options);
        }
    }
}
