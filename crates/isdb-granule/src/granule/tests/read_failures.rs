//! Reads that fail: each is a transient error, and never passes as a granule that lacks something.

use std::sync::atomic::AtomicUsize;

use hdf5::AttrValue;

use super::*;

/// A granule in memory, some of whose reads fail with `error`.
struct FailingSource {
    bytes: Bytes,
    reads: Arc<AtomicUsize>,
    /// The numbers of the reads that fail.
    failing: std::ops::Range<usize>,
    error: fn() -> io::Error,
}

impl ByteSource for FailingSource {
    fn name(&self) -> &str {
        self.bytes.name()
    }

    fn len(&self) -> u64 {
        self.bytes.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        match self.failing.contains(&self.reads.fetch_add(1, Ordering::Relaxed)) {
            true => Err((self.error)()),
            false => self.bytes.read_at(offset, buffer),
        }
    }
}

/// A granule with attributes in headers and in a heap (strings of variable length): its identity, and the units of its times.
fn granule() -> Vec<u8> {
    let text = |text: &str| AttrValue::VarLenAsciiString(text.to_owned());
    build_file(|file| {
        file.set_attr("short_name", text("ATL08"));
        add_group(file, "METADATA", |metadata| {
            let mut identification = metadata.create_group("DatasetIdentification");
            identification.set_attr("fileName", text("ATL08_20200821122613_08730802_004_01.h5"));
            let identification = identification.finish();
            metadata.add_group(identification);
        });
        add_group(file, "ancillary_data", |ancillary| {
            ancillary.create_dataset("atlas_sdp_gps_epoch").with_f64_data(&[ATLAS_EPOCH_GPS]).with_shape(&[1]);
        });
        add_orientations(file, &[1], &[0.0]);
        add_beam(file, "gt1l", &[("atlas_beam_type", "weak")], &["delta_time"], |land| {
            let time = land.create_dataset("delta_time").with_f64_data(&[1000.0, 1000.5, 1001.0]).with_shape(&[3]);
            time.set_attr("units", text("days since 2018-01-01"));
        });
    })
}

/// Opens and decodes the granule while the reads with numbers in `failing` fail; also returns the number of reads.
fn read(failing: std::ops::Range<usize>, error: fn() -> io::Error) -> (Result<(Identity, Decoded)>, usize) {
    let reads = Arc::new(AtomicUsize::new(0));
    let bytes = Bytes::new("made.h5", granule());
    let source = FailingSource { bytes, reads: Arc::clone(&reads), failing, error };
    let result = Granule::open(source)
        .and_then(|granule| Ok((granule.identity().clone(), granule.decode(&named(&["h_canopy"]), 1)?)));
    (result, reads.load(Ordering::Relaxed))
}

/// EIO on every Unix.
fn disk_error() -> io::Error {
    io::Error::from_raw_os_error(5)
}

#[test]
fn a_failed_read_is_a_transient_error_wherever_it_happens() {
    let (intact, reads) = read(0..0, disk_error);
    let (identity, decoded) = intact.unwrap();
    assert_eq!((identity.source, decoded.rows_read, decoded.rows_rejected), (IdentitySource::Metadata, 3, 0));
    assert_eq!(decoded.notes, [Note::TimeConverted { units: "days since 2018-01-01".to_owned() }]);
    assert!(reads > 30, "{reads}");
    for first in 0..reads {
        for failing in [first..first + 1, first..usize::MAX] {
            let error = read(failing.clone(), disk_error).0.expect_err("a read failed");
            assert!(error.is_transient() && error.to_string().contains("made.h5"), "{failing:?}: {error:?}");
        }
    }
}

#[test]
fn a_read_past_the_end_is_not_transient() {
    let (_, reads) = read(0..0, disk_error);
    let short = read(reads - 1..usize::MAX, || io::ErrorKind::UnexpectedEof.into()).0.unwrap_err();
    assert!(!short.is_transient(), "{short:?}");
}
