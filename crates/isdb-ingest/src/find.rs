//! From what a user names (files, folders, patterns) to the HDF5 files meant, each once, in a stable order.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The files behind `paths`: a file is taken whatever its name, a folder gives the `.h5` files in and below it, and a pattern
/// (`data/*_004_*.h5`, `**` for any depth) the files and folders that match.
///
/// # Errors
/// A path that does not exist, a pattern that matches nothing and a folder without granules are errors, not empty results.
pub fn find_granules(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = BTreeSet::new();
    for path in paths {
        let text = path.to_string_lossy();
        let mut here = BTreeSet::new();
        if path.is_dir() {
            take_folder(path, &mut here)?;
        } else if path.exists() {
            here.insert(path.clone());
        } else if text.contains(['*', '?', '[']) {
            let matches = glob::glob(&text).map_err(|source| Error::Pattern { pattern: text.to_string(), source })?;
            for entry in matches {
                let entry = entry.map_err(|error| Error::Io { path: error.path().to_owned(), source: error.into() })?;
                if entry.is_dir() {
                    take_folder(&entry, &mut here)?;
                } else {
                    here.insert(entry);
                }
            }
        } else {
            return Err(Error::NoSuchPath { path: path.clone() });
        }
        if here.is_empty() {
            return Err(Error::NoGranules { what: text.into_owned() });
        }
        found.append(&mut here);
    }
    Ok(found.into_iter().collect())
}

fn take_folder(folder: &Path, found: &mut BTreeSet<PathBuf>) -> Result<()> {
    let failed = |source| Error::Io { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // The entry's own type, so that a link to a folder above cannot lead in circles.
        let kind = entry.file_type().map_err(failed)?;
        let path = entry.path();
        if kind.is_dir() {
            take_folder(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("h5")) {
            found.insert(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("below")).unwrap();
        for name in ["b.h5", "a.h5", "notes.txt", "below/c.H5"] {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        folder
    }

    fn names(folder: &tempfile::TempDir, paths: &[&str]) -> Vec<String> {
        let paths: Vec<_> = paths.iter().map(|path| folder.path().join(path)).collect();
        let name = |path: &PathBuf| path.strip_prefix(folder.path()).unwrap().to_string_lossy().into_owned();
        find_granules(&paths).unwrap().iter().map(name).collect()
    }

    #[test]
    fn a_folder_gives_its_granules_at_every_depth_and_nothing_else() {
        assert_eq!(names(&tree(), &[""]), ["a.h5", "b.h5", "below/c.H5"]);
    }

    #[test]
    fn a_file_named_twice_is_ingested_once() {
        assert_eq!(names(&tree(), &["a.h5", "*.h5", "a.h5"]), ["a.h5", "b.h5"]);
    }

    #[test]
    fn a_file_is_taken_whatever_its_name() {
        assert_eq!(names(&tree(), &["notes.txt"]), ["notes.txt"]);
    }

    #[test]
    fn a_typo_in_a_path_or_pattern_is_an_error_and_not_an_empty_ingest() {
        let folder = tree();
        let find = |path: &str| find_granules(&[folder.path().join(path)]).unwrap_err().to_string();
        assert!(find("missing.h5").contains("no such file"));
        assert!(find("*.hdf").contains("no .h5 file found"));
        assert!(find("[").contains("not a pattern"));
    }
}
