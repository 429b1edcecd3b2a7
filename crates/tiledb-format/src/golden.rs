//! Tiles that libtiledb wrote, see `testdata/make.py`.

use std::path::Path;

use libdeflater::Decompressor;

use crate::bytes::ByteReader;

/// The byte strings of a file of `testdata/tiles`.
pub(crate) fn golden<const N: usize>(name: &str) -> [Vec<u8>; N] {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("testdata/tiles/{name}.gz"));
    let compressed = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    // gzip ends with the length of its content.
    let length = u32::from_le_bytes(*compressed.last_chunk().unwrap());
    let mut content = vec![0; length.try_into().unwrap()];
    Decompressor::new().gzip_decompress(&compressed, &mut content).unwrap();
    let mut reader = ByteReader::new(&content, "golden file");
    let parts = std::array::from_fn(|_| {
        let length = reader.u64().unwrap();
        reader.bytes_u64(length).unwrap().to_vec()
    });
    reader.finish().unwrap();
    parts
}
