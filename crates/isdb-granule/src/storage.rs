//! Ways to store a dataset that HDF5 allows and isdb does not read, named with what a user can do about it.

use hdf5::{ChunkIndex, Filter, Layout};

use crate::error::Reason;

/// The filters that are read here or by the HDF5 reader: deflate, shuffle, fletcher32, scale-offset, LZF.
const READ: [u16; 5] = [1, 2, 3, 6, 32000];

/// Names of other filters, by their numbers in the registry of the HDF Group.
const NAMES: [(u16, &str); 8] = [
    (4, "szip"),
    (5, "nbit"),
    (307, "bzip2"),
    (32001, "Blosc"),
    (32004, "LZ4"),
    (32008, "bitshuffle"),
    (32013, "ZFP"),
    (32015, "Zstandard"),
];

/// An error for a dataset that is stored in a way that isdb does not read.
pub(crate) fn check(layout: &Layout, filters: &[Filter]) -> Result<(), Reason> {
    if let Some(id) = filters.iter().map(|filter| filter.id).find(|id| !READ.contains(id)) {
        let name = NAMES.iter().find(|(known, _)| *known == id);
        let name = name.map_or_else(|| format!("HDF5 filter {id}"), |(_, name)| (*name).to_owned());
        return Err(format!(
            "it is compressed with {name}, which isdb does not read; `h5repack -f GZIP=6 IN OUT` writes a file that it reads"
        )
        .into());
    }
    match layout {
        Layout::Chunked { index: ChunkIndex::BTreeV2, .. } => {
            Err("its chunks are indexed by a version 2 B-tree, which isdb does \
             not read; `h5repack IN OUT` writes a file that it reads"
                .into())
        }
        Layout::Virtual => Err("it is a virtual dataset, whose values are in other files".into()),
        _ => Ok(()),
    }
}
