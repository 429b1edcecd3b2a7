use proptest::prelude::*;

use super::*;

fn parse(bytes: &[u8]) -> Result<Pipeline> {
    let mut reader = ByteReader::new(bytes, "pipeline");
    let pipeline = Pipeline::parse(&mut reader)?;
    reader.finish()?;
    Ok(pipeline)
}

fn written(pipeline: &Pipeline) -> Vec<u8> {
    let mut writer = ByteWriter::new();
    pipeline.write(&mut writer);
    writer.finish()
}

/// A schema that was read and written again would otherwise filter tiles in another way than its fragments did.
#[test]
fn options_are_stored_as_libtiledb_stores_them() {
    let bytes = [
        &[0, 0, 1, 0, 5, 0, 0, 0][..],
        &[9, 0, 0, 0, 0],
        &[2, 5, 0, 0, 0, 2, 3, 0, 0, 0],
        &[6, 6, 0, 0, 0, 6, 255, 255, 255, 255, 17],
        &[7, 4, 0, 0, 0, 0, 1, 0, 0],
        &[15, 3, 0, 0, 0, 1, 2, 3],
    ]
    .concat();
    let filters = vec![
        Filter::ByteShuffle,
        Filter::Zstd { level: 3 },
        Filter::DoubleDelta { level: -1, reinterpret: Some(17) },
        Filter::BitWidthReduction { max_window: 256 },
        Filter::Unsupported { code: 15, options: vec![1, 2, 3] },
    ];
    assert_eq!(parse(&bytes), Ok(Pipeline::new(filters)));
    assert_eq!(parse(&bytes).map(|pipeline| written(&pipeline)), Ok(bytes));
}

/// Such tiles must be left to libtiledb, instead of being decoded wrongly.
#[test]
fn what_cannot_be_decoded_is_named() {
    let unknown = Pipeline::new(vec![Filter::Unsupported { code: 15, options: Vec::new() }]);
    let reason = unknown.check(Datatype::Float32, false).unwrap_err().to_string();
    assert_eq!(reason, "filter is not supported: SCALE_FLOAT (code 15)");
    let runs = Pipeline::new(vec![Filter::Rle { level: -1 }]);
    assert!(!runs.is_supported(Datatype::Ascii, true));
    assert!(runs.is_supported(Datatype::UInt8, false));
    let delta = |reinterpret| Pipeline::new(vec![Filter::DoubleDelta { level: -1, reinterpret }]);
    assert!(!delta(None).is_supported(Datatype::Float64, false));
    assert!(delta(Some(1)).is_supported(Datatype::Float64, false));
    assert!(!delta(Some(3)).is_supported(Datatype::Int64, false));
    // A compressor whose two codes differ is one of libtiledb's, but which one is unclear.
    let bytes = [0, 0, 1, 0, 1, 0, 0, 0, 2, 5, 0, 0, 0, 1, 3, 0, 0, 0];
    assert!(!parse(&bytes).unwrap().is_supported(Datatype::Int64, false));
}

proptest! {
    /// Unknown filters and options of other versions come back byte for byte.
    #[test]
    fn any_pipeline_is_written_as_it_was_read(
        chunk in any::<u32>(),
        filters in prop::collection::vec((0_u8..24, prop::collection::vec(0_u8..9, 0..8)), 0..5),
    ) {
        let mut writer = ByteWriter::new();
        writer.u32(chunk);
        writer.u32(filters.len().try_into().unwrap());
        for (code, options) in filters {
            writer.u8(code);
            writer.u32(options.len().try_into().unwrap());
            writer.bytes(&options);
        }
        let bytes = writer.finish();
        prop_assert_eq!(written(&parse(&bytes).unwrap()), bytes);
    }

    /// A damaged schema is an error, not a crash.
    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = parse(&bytes);
    }
}
