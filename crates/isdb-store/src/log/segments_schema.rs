//! The schema of `segments` as the log records it, so that neither a reader nor a writer has to open the array to know its columns.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::StreamWriter;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::arrow_stream::read_schema;

/// The columns of `segments`, and the size of its tiles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SegmentsSchema {
    /// The columns with their metadata, as [`tiledb::Array::schema`] returns them. In JSON: an Arrow IPC stream without batches, in
    /// base64.
    #[serde(serialize_with = "to_text", deserialize_with = "from_text")]
    pub(crate) arrow: SchemaRef,
    /// The number of segments in a data tile.
    pub(crate) capacity: u64,
}

fn to_text<S: Serializer>(schema: &SchemaRef, serializer: S) -> Result<S::Ok, S::Error> {
    let mut stream = Vec::new();
    let written = StreamWriter::try_new(&mut stream, schema).and_then(|mut writer| writer.finish());
    written.map_err(S::Error::custom)?;
    STANDARD.encode(&stream).serialize(serializer)
}

fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SchemaRef, D::Error> {
    let text = String::deserialize(deserializer)?;
    let stream = STANDARD.decode(text).map_err(D::Error::custom)?;
    read_schema(&stream).map(Arc::new).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use isdb_schema::catalogue::variable;

    use super::*;
    use crate::array_layout::segments_schema;

    #[test]
    fn the_schema_of_segments_is_the_same_after_its_json() {
        let arrow =
            Arc::new(segments_schema(&[variable("h_canopy").unwrap(), variable("canopy_h_metrics").unwrap()], &[]));
        let schema = SegmentsSchema { arrow, capacity: 500 };
        let json = serde_json::to_string(&schema).unwrap();
        assert_eq!(serde_json::from_str::<SegmentsSchema>(&json).unwrap(), schema);
    }
}
