//! What lies on disk below an array: fragments by their folders and commit files, read without opening the array.

use std::collections::BTreeMap;

use tiledb::Vfs;

use crate::error::Result;

/// A fragment's traces on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OnDisk {
    /// The URI of its commit file, without which TileDB does not see it.
    pub(crate) commit_file: Option<String>,
    /// The URI of its folder.
    pub(crate) folder: Option<String>,
}

/// Every fragment of the array at `uri`, finished or not, by name.
pub(crate) fn fragments_on_disk(vfs: &Vfs, uri: &str) -> Result<BTreeMap<String, OnDisk>> {
    let mut found: BTreeMap<String, OnDisk> = BTreeMap::new();
    for file in vfs.list(&format!("{uri}/__commits"))? {
        let name = last_part(&file).strip_suffix(".wrt").map(str::to_owned);
        if let Some(name) = name {
            found.entry(name).or_default().commit_file = Some(file);
        }
    }
    for folder in vfs.list(&format!("{uri}/__fragments"))? {
        let name = last_part(&folder).to_owned();
        found.entry(name).or_default().folder = Some(folder);
    }
    Ok(found)
}

/// The end timestamp in a fragment's name, `__<start>_<end>_<uuid>_<version>`.
pub(crate) fn timestamp_of(name: &str) -> Option<u64> {
    name.strip_prefix("__")?.split('_').nth(1)?.parse().ok()
}

fn last_part(uri: &str) -> &str {
    uri.trim_end_matches('/').rsplit('/').next().unwrap_or(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_s_name_tells_when_it_becomes_visible() {
        assert_eq!(timestamp_of("__10_20_0123abcd_22"), Some(20));
        assert_eq!(timestamp_of("notes.txt"), None);
    }

    #[test]
    fn folders_and_files_have_the_same_name_with_and_without_a_slash() {
        assert_eq!(last_part("/db/segments/__fragments/__1_2_x_22/"), "__1_2_x_22");
    }
}
