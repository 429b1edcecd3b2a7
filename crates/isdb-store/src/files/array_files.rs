//! Files of a TileDB array on disk: fragments with their commit files, and schemas, listed without opening the array.

use std::collections::BTreeMap;

use tiledb::Vfs;

use crate::error::Result;

/// The folder of an array's commit files, `<fragment>.wrt`. TileDB does not see a fragment without one.
pub(crate) const COMMIT_FILES: &str = "__commits";
/// The folder of an array's fragments.
pub(crate) const FRAGMENTS: &str = "__fragments";
const SCHEMAS: &str = "__schema";

/// The parts of one fragment that exist on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FragmentFiles {
    /// The URI of its commit file, without which TileDB does not see it.
    pub(crate) commit_file: Option<String>,
    /// The URI of its folder.
    pub(crate) folder: Option<String>,
}

/// Lists every fragment of the array at `uri`, finished or not, by name.
pub(crate) fn list_fragments(vfs: &Vfs, uri: &str) -> Result<BTreeMap<String, FragmentFiles>> {
    let mut fragments: BTreeMap<String, FragmentFiles> = BTreeMap::new();
    for file in vfs.list(&format!("{uri}/{COMMIT_FILES}"))? {
        let name = file_name(&file).strip_suffix(".wrt").map(str::to_owned);
        if let Some(name) = name {
            fragments.entry(name).or_default().commit_file = Some(file);
        }
    }
    for folder in vfs.list(&format!("{uri}/{FRAGMENTS}"))? {
        let name = file_name(&folder).to_owned();
        fragments.entry(name).or_default().folder = Some(folder);
    }
    Ok(fragments)
}

/// Lists every schema of the array at `uri`: its timestamp in milliseconds since 1970, and its file.
pub(crate) fn list_schemas(vfs: &Vfs, uri: &str) -> Result<Vec<(u64, String)>> {
    let files = vfs.list(&format!("{uri}/{SCHEMAS}"))?;
    Ok(files.into_iter().filter_map(|file| Some((end_timestamp(file_name(&file))?, file))).collect())
}

/// The end timestamp in the name of a fragment or schema, `__<start>_<end>_<uuid>…`.
pub(crate) fn end_timestamp(name: &str) -> Option<u64> {
    name.strip_prefix("__")?.split('_').nth(1)?.parse().ok()
}

fn file_name(uri: &str) -> &str {
    uri.trim_end_matches('/').rsplit('/').next().unwrap_or(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_fragment_or_schema_contains_its_end_timestamp() {
        assert_eq!(end_timestamp("__10_20_0123abcd_22"), Some(20));
        assert_eq!(end_timestamp("__10_20_0123abcd"), Some(20));
        assert_eq!(end_timestamp("__enumerations"), None);
        assert_eq!(end_timestamp("notes.txt"), None);
    }

    #[test]
    fn a_trailing_slash_is_not_part_of_a_name() {
        assert_eq!(file_name("/db/segments/__fragments/__1_2_x_22/"), "__1_2_x_22");
    }
}
