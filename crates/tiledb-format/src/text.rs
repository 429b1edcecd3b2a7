//! Text and lists after their lengths of 32 bits, as schemas have them.

use crate::bytes::{ByteReader, ByteWriter};
use crate::error::Result;

/// Reads text after its length.
pub(crate) fn read_text(reader: &mut ByteReader<'_>) -> Result<String> {
    let length = reader.u32()?;
    reader.text(length.into()).map(str::to_owned)
}

/// Writes text after its length.
pub(crate) fn write_text(writer: &mut ByteWriter, text: &str) -> Result<()> {
    write_length(writer, text.len())?;
    writer.bytes(text.as_bytes());
    Ok(())
}

/// Writes the length of text or of a list.
pub(crate) fn write_length(writer: &mut ByteWriter, length: usize) -> Result<()> {
    let too_long = |_| ByteReader::new(&[], "text or list of a schema").invalid("a length below 4294967296", length);
    writer.u32(u32::try_from(length).map_err(too_long)?);
    Ok(())
}
