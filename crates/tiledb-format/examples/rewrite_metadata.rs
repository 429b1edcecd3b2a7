//! Writes the metadata of an array's fragments again: `rewrite_metadata <array> none|zstd`. What libtiledb wrote without
//! checksums then has them. `testdata/check_rewritten.py` compares what libtiledb reads before and after.

use std::path::Path;
use std::sync::Arc;
use std::{env, fs};

use tiledb_format::fragment::{Footer, FragmentMetadata, FragmentMetadataBuilder};
use tiledb_format::generic_tile::{self, Compression};
use tiledb_format::{Schema, TimestampedName};

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (array, compression) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [array, "none"] => (array, Compression::None),
        [array, "zstd"] => (array, Compression::default()),
        _ => return Err("expected <array> none|zstd".into()),
    };
    let array = Path::new(array);
    for entry in fs::read_dir(array.join("__fragments"))? {
        let folder = entry?.path();
        TimestampedName::parse(&folder.file_name().unwrap_or_default().to_string_lossy())?;
        let path = folder.join("__fragment_metadata.tdb");
        let bytes = fs::read(&path)?;
        let schema = fs::read(array.join("__schema").join(Footer::schema_name(&bytes)?))?;
        let schema = Schema::parse(&generic_tile::read(&schema, 0)?)?;
        let metadata = FragmentMetadata::parse(bytes, Arc::new(schema))?;
        let written = FragmentMetadataBuilder::copy_of(&metadata)?.build(compression)?;
        println!("{}: {} tiles, {} bytes", folder.display(), metadata.tile_count(), written.len());
        fs::write(&path, written)?;
    }
    Ok(())
}
