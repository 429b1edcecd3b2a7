//! A view of the array: a temporary folder of links to its parts, in which libtiledb sees chosen fragments only. One broken fragment
//! makes every open of the array fail; a view without it can be opened.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::Result;
use crate::files::array_files::{COMMIT_FILES, METADATA, SCHEMAS};
use crate::files::durable::io_error;
use crate::files::location::Location;
use crate::files::staging::staging_folder;

/// The folder of consolidated footers in an array.
pub(super) const CONSOLIDATED: &str = "__fragment_meta";

/// The parts of an array that a view shows, apart from fragments.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    /// Whether it shows the consolidated footers.
    pub(super) footers: bool,
    /// Schemas and metadata that it does not show, as paths in the array.
    pub(super) hidden: BTreeSet<String>,
    /// Schemas and metadata that it shows in place of those of the array, by path in the array.
    pub(super) rebuilt: BTreeMap<String, Vec<u8>>,
}

/// A view. Dropping it removes the folder.
#[derive(Debug)]
pub(super) struct View {
    folder: TempDir,
    array: PathBuf,
    shown: Vec<PathBuf>,
}

impl View {
    /// A view of these `parts` of the array of the database at `location` that shows no fragment. It is in `staging`, or among the
    /// temporary files of the system if the database cannot be written or has no links. Blocks.
    pub(super) fn new(location: &Location, parts: &Parts) -> Result<View> {
        let array = PathBuf::from(location.segments());
        if let Ok(folder) = staging_folder(location, "check-")
            && link_parts(&array, folder.path(), parts).is_ok()
        {
            return Ok(View { folder, array, shown: Vec::new() });
        }
        let temporary = std::env::temp_dir();
        let folder = tempfile::Builder::new().prefix("isdb-check-").tempdir_in(&temporary);
        let folder = folder.map_err(|source| io_error(&temporary, source))?;
        link_parts(&array, folder.path(), parts).map_err(|source| io_error(&array, source))?;
        Ok(View { folder, array, shown: Vec::new() })
    }

    /// Shows the fragments `names` and no others.
    pub(super) fn show<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) -> Result<()> {
        let failed = |source| io_error(self.folder.path(), source);
        for file in self.shown.drain(..) {
            fs::remove_file(file).map_err(failed)?;
        }
        for name in names {
            let file = self.folder.path().join(COMMIT_FILES).join(format!("{name}.wrt"));
            File::create(&file).map_err(failed)?;
            self.shown.push(file);
        }
        Ok(())
    }

    /// The URI of the array that the view shows.
    pub(super) fn uri(&self) -> String {
        self.folder.path().to_string_lossy().into_owned()
    }

    /// `text` with the paths of the array in place of those of the view.
    pub(super) fn with_real_paths(&self, text: &str) -> String {
        text.replace(&self.uri(), &self.array.to_string_lossy())
    }
}

/// Links the parts of `array` in `view`, except for commit files.
fn link_parts(array: &Path, view: &Path, parts: &Parts) -> io::Result<()> {
    fs::create_dir(view.join(COMMIT_FILES))?;
    for entry in fs::read_dir(array)? {
        let name = entry?.file_name();
        match name.to_str() {
            Some(COMMIT_FILES) => {}
            Some(CONSOLIDATED) if !parts.footers => {}
            Some(folder @ (SCHEMAS | METADATA)) => link_files(array, view, Path::new(folder), parts)?,
            _ => symlink(array.join(&name), view.join(&name))?,
        }
    }
    for (path, content) in &parts.rebuilt {
        let file = view.join(path);
        file.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(file, content)?;
    }
    Ok(())
}

/// Links the files in `folder` of `array`, and in folders below it, in `view`, except for those that are hidden or rebuilt.
fn link_files(array: &Path, view: &Path, folder: &Path, parts: &Parts) -> io::Result<()> {
    fs::create_dir(view.join(folder))?;
    for entry in fs::read_dir(array.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            link_files(array, view, &path, parts)?;
            continue;
        }
        let is_left_out = |path: &str| parts.hidden.contains(path) || parts.rebuilt.contains_key(path);
        if !path.to_str().is_some_and(is_left_out) {
            symlink(array.join(&path), view.join(&path))?;
        }
    }
    Ok(())
}
