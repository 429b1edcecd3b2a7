//! The HDF5 files behind the paths of a request: files, folders and glob patterns.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Returns the files behind `paths`, each once, sorted. A file is accepted whatever its name, a folder gives the `.h5`
/// files in and below it, and a pattern (`data/*_004_*.h5`, `**` for any depth) gives the files and folders that match.
///
/// # Errors
/// When a path does not exist, a pattern is invalid or matches nothing, or a folder contains no `.h5` file.
pub fn find_granules(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = BTreeSet::new();
    for path in paths {
        let text = path.to_string_lossy();
        let mut matched = BTreeSet::new();
        if path.is_dir() {
            add_folder(path, &mut matched)?;
        } else if path.exists() {
            matched.insert(path.clone());
        } else if text.contains(['*', '?', '[']) {
            let matches = glob::glob(&text).map_err(|source| Error::Pattern { pattern: text.to_string(), source })?;
            for entry in matches {
                let entry = entry.map_err(|error| Error::Io { path: error.path().to_owned(), source: error.into() })?;
                if entry.is_dir() {
                    add_folder(&entry, &mut matched)?;
                } else {
                    matched.insert(entry);
                }
            }
        } else {
            return Err(Error::NoSuchPath { path: path.clone() });
        }
        if matched.is_empty() {
            return Err(Error::NoGranules { what: text.into_owned() });
        }
        found.append(&mut matched);
    }
    Ok(found.into_iter().collect())
}

fn add_folder(folder: &Path, found: &mut BTreeSet<PathBuf>) -> Result<()> {
    let failed = |source| Error::Io { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // The entry's own type, so that a link to a parent folder cannot cause an endless loop.
        let kind = entry.file_type().map_err(failed)?;
        let path = entry.path();
        if kind.is_dir() {
            add_folder(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("h5")) {
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
    fn a_folder_gives_the_h5_files_in_and_below_it() {
        assert_eq!(names(&tree(), &[""]), ["a.h5", "b.h5", "below/c.H5"]);
    }

    #[test]
    fn a_file_named_twice_is_ingested_once() {
        assert_eq!(names(&tree(), &["a.h5", "*.h5", "a.h5"]), ["a.h5", "b.h5"]);
    }

    #[test]
    fn a_file_is_accepted_whatever_its_name() {
        assert_eq!(names(&tree(), &["notes.txt"]), ["notes.txt"]);
    }

    #[test]
    fn a_path_or_pattern_that_matches_nothing_is_an_error() {
        let folder = tree();
        let find = |path: &str| find_granules(&[folder.path().join(path)]).unwrap_err().to_string();
        assert!(find("missing.h5").contains("no such file"));
        assert!(find("*.hdf").contains("no .h5 file found"));
        assert!(find("[").contains("invalid pattern"));
    }
}
