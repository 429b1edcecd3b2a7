//! What lies on disk below an array: fragments by their folders and commit files, and schemas, read without opening the
//! array.

use std::collections::BTreeMap;

use tiledb::Vfs;

use crate::error::Result;

/// The folder of an array's commit files, `<fragment>.wrt`, without which TileDB does not see the fragments.
pub(crate) const COMMIT_FILES: &str = "__commits";
/// The folder of an array's fragments.
pub(crate) const FRAGMENTS: &str = "__fragments";

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
    for file in vfs.list(&format!("{uri}/{COMMIT_FILES}"))? {
        let name = last_part(&file).strip_suffix(".wrt").map(str::to_owned);
        if let Some(name) = name {
            found.entry(name).or_default().commit_file = Some(file);
        }
    }
    for folder in vfs.list(&format!("{uri}/{FRAGMENTS}"))? {
        let name = last_part(&folder).to_owned();
        found.entry(name).or_default().folder = Some(folder);
    }
    Ok(found)
}

/// Every schema of the array at `uri`: from when it is in force, in milliseconds since 1970, and its file.
pub(crate) fn schemas_on_disk(vfs: &Vfs, uri: &str) -> Result<Vec<(u64, String)>> {
    let files = vfs.list(&format!("{uri}/__schema"))?;
    Ok(files.into_iter().filter_map(|file| Some((timestamp_of(last_part(&file))?, file))).collect())
}

/// The end timestamp in the name of a fragment or schema, `__<start>_<end>_<uuid>…`.
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
    fn a_name_tells_when_its_fragment_or_schema_becomes_visible() {
        assert_eq!(timestamp_of("__10_20_0123abcd_22"), Some(20));
        assert_eq!(timestamp_of("__10_20_0123abcd"), Some(20));
        assert_eq!(timestamp_of("__enumerations"), None);
        assert_eq!(timestamp_of("notes.txt"), None);
    }

    #[test]
    fn folders_and_files_have_the_same_name_with_and_without_a_slash() {
        assert_eq!(last_part("/db/segments/__fragments/__1_2_x_22/"), "__1_2_x_22");
    }
}
