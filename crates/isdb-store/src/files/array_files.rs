//! Files of a TileDB array on disk: fragments with their commit files, and schemas, listed without opening the array.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::durable::io_error;
use crate::error::Result;

/// The folder of an array's commit files, `<fragment>.wrt`. TileDB does not see a fragment without one.
pub(crate) const COMMIT_FILES: &str = "__commits";
pub(super) const COMMIT_SUFFIX: &str = ".wrt";
/// The folder of an array's fragments.
pub(crate) const FRAGMENTS: &str = "__fragments";
/// The folder of an array's consolidated footers.
pub(crate) const CONSOLIDATED: &str = "__fragment_meta";
/// The folder of an array's metadata.
pub(crate) const METADATA: &str = "__meta";
/// The file of a fragment that describes its other files.
pub(crate) const FOOTER: &str = "__fragment_metadata.tdb";
/// The folder of an array's schemas.
pub(crate) const SCHEMAS: &str = "__schema";
/// The folder of the texts of dictionary columns, which schemas name.
pub(crate) const ENUMERATIONS: &str = "__schema/__enumerations";

/// The parts of one fragment that exist on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FragmentFiles {
    /// Its commit file, without which TileDB does not see it.
    pub(crate) commit_file: Option<PathBuf>,
    /// Whether its folder exists.
    pub(crate) has_folder: bool,
}

/// Lists every fragment of the array in the folder `array`, finished or not, by name. Only names are read.
pub(crate) fn list_fragments(array: &Path) -> Result<BTreeMap<String, FragmentFiles>> {
    let mut fragments: BTreeMap<String, FragmentFiles> = BTreeMap::new();
    let commits = array.join(COMMIT_FILES);
    for name in list_finished(array)? {
        let file = commits.join(format!("{name}{COMMIT_SUFFIX}"));
        fragments.entry(name).or_default().commit_file = Some(file);
    }
    for name in list_names(&array.join(FRAGMENTS))? {
        fragments.entry(name).or_default().has_folder = true;
    }
    Ok(fragments)
}

/// Lists the fragments of the array in the folder `array` that have a commit file, in no particular order.
pub(crate) fn list_finished(array: &Path) -> Result<Vec<String>> {
    let name = |mut file: String| {
        let end = file.strip_suffix(COMMIT_SUFFIX)?.len();
        file.truncate(end);
        Some(file)
    };
    Ok(list_names(&array.join(COMMIT_FILES))?.into_iter().filter_map(name).collect())
}

/// Lists every schema of the array in the folder `array`: its timestamp in milliseconds since 1970, and its file.
pub(crate) fn list_schemas(array: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let folder = array.join(SCHEMAS);
    let names = list_names(&folder)?.into_iter();
    Ok(names.filter_map(|name| Some((end_timestamp(&name)?, folder.join(name)))).collect())
}

/// The schemas that no commit records: their writers died, or were replaced, while they added variables. A snapshot may see one of a
/// replaced writer, but no fragment has it: a writer that meets it fails, because its rows lack the columns. The first schema is the
/// array's own, whatever its timestamp.
pub(crate) fn unrecorded_schemas(mut schemas: Vec<(u64, PathBuf)>, recorded: &[u64]) -> Vec<PathBuf> {
    schemas.sort();
    let others = schemas.into_iter().skip(1).filter(|(written, _)| !recorded.contains(written));
    others.map(|(_, file)| file).collect()
}

/// The names in `folder`; none if it does not exist. A name that is not UTF-8 is not ours and is left out.
pub(crate) fn list_names(folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|source| io_error(folder, source))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(|source| io_error(folder, source))?.file_name().into_string().ok());
    }
    Ok(names)
}

/// The end timestamp in the name of a fragment or schema, `__<start>_<end>_<uuid>…`.
pub(crate) fn end_timestamp(name: &str) -> Option<u64> {
    name.strip_prefix("__")?.split('_').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unrecorded_schema_counts_as_one_but_never_the_first() {
        let schemas =
            |times: &[u64]| times.iter().map(|at| (*at, PathBuf::from(format!("__{at}_{at}_x")))).collect::<Vec<_>>();
        assert_eq!(unrecorded_schemas(schemas(&[1, 9, 10, 11]), &[9, 10]), [PathBuf::from("__11_11_x")]);
        assert!(unrecorded_schemas(schemas(&[2_000]), &[10]).is_empty());
    }

    #[test]
    fn the_name_of_a_fragment_or_schema_contains_its_end_timestamp() {
        assert_eq!(end_timestamp("__10_20_0123abcd_22"), Some(20));
        assert_eq!(end_timestamp("__10_20_0123abcd"), Some(20));
        assert_eq!(end_timestamp("__enumerations"), None);
        assert_eq!(end_timestamp("notes.txt"), None);
    }
}
