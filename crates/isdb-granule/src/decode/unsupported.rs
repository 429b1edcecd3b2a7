//! Storage that HDF5 allows and isdb does not read, with what the user can do about it.

use hdf5::{ChunkIndex, Filter, Layout};

use crate::error::Reason;

/// The filters that isdb or the HDF5 reader can undo: deflate, shuffle, fletcher32, scale-offset, LZF.
const SUPPORTED: [u16; 5] = [1, 2, 3, 6, 32000];

/// Names of other filters, by their ids in the HDF Group's registry.
const OTHER_FILTERS: [(u16, &str); 8] = [
    (4, "szip"),
    (5, "nbit"),
    (307, "bzip2"),
    (32001, "Blosc"),
    (32004, "LZ4"),
    (32008, "bitshuffle"),
    (32013, "ZFP"),
    (32015, "Zstandard"),
];

/// Refuses a dataset whose filters or layout isdb does not read.
pub(crate) fn check_supported(layout: &Layout, filters: &[Filter]) -> Result<(), Reason> {
    if let Some(id) = filters.iter().map(|filter| filter.id).find(|id| !SUPPORTED.contains(id)) {
        let name = OTHER_FILTERS.iter().find(|(known, _)| *known == id);
        let name = name.map_or_else(|| format!("HDF5 filter {id}"), |(_, name)| (*name).to_owned());
        return Err(format!(
            "it is compressed with {name}, which isdb does not read; `h5repack -f GZIP=6 IN OUT` writes a file that it reads"
        )
        .into());
    }
    match layout {
        Layout::Chunked { index: ChunkIndex::BTreeV2, .. } => {
            Err("its HDF5 chunks are indexed by a version 2 B-tree, which isdb does \
             not read; `h5repack IN OUT` writes a file that it reads"
                .into())
        }
        Layout::Virtual => Err("it is a virtual dataset, whose values are in other files".into()),
        _ => Ok(()),
    }
}
