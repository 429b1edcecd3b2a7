//! HDF5 granules.

use std::io;

use isdb_granule::{ByteSource, Granule};
use isdb_schema::catalogue::{Variable, variables};

/// A granule in memory.
struct Bytes(Vec<u8>);

impl ByteSource for Bytes {
    fn name(&self) -> &str {
        "fuzzed.h5"
    }

    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let bytes = start.checked_add(buffer.len()).and_then(|end| self.0.get(start..end));
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// Opening succeeds, or fails with the name of the file.
pub(crate) fn open(input: &[u8]) {
    if let Err(error) = Granule::open(Bytes(input.to_vec())) {
        assert!(error.to_string().contains("fuzzed.h5"), "an error that does not name the file: {error}");
    }
}

/// Decoding returns the rows that it counts, all with a position on Earth, or fails with the name of the file.
pub(crate) fn decode(input: &[u8]) {
    let Ok(granule) = Granule::open(Bytes(input.to_vec())) else { return };
    let all: Vec<&Variable> = variables().iter().collect();
    match granule.decode(&all, 1) {
        Ok(decoded) => {
            let rows: usize = decoded.batches.iter().map(arrow::array::RecordBatch::num_rows).sum();
            assert_eq!(rows as u64 + decoded.rows_rejected, decoded.rows_read);
            for batch in &decoded.batches {
                for (name, most) in [("latitude", 90.0), ("longitude", 180.0)] {
                    let values = batch.column_by_name(name).unwrap();
                    let values = values.as_any().downcast_ref::<arrow::array::Float64Array>().unwrap();
                    assert!(values.values().iter().all(|value| value.abs() <= most), "{name}");
                }
            }
        }
        Err(error) => assert!(error.to_string().contains("fuzzed.h5"), "an error that does not name the file: {error}"),
    }
}
