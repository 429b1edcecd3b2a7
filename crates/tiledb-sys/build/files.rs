//! Library files and the folder that cargo links from.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// A value of `CARGO_CFG_TARGET_…`: the target's `OS`, `ARCH` or `ENV`.
pub(crate) fn target(name: &str) -> String {
    env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default()
}

/// The file name that the linker looks for.
pub(crate) fn linker_name() -> &'static str {
    if target("OS") == "macos" { "libtiledb.dylib" } else { "libtiledb.so" }
}

/// Returns the libtiledb files directly in `folder`, sorted.
pub(crate) fn libraries_in(folder: &Path) -> Vec<PathBuf> {
    let is_library = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("libtiledb") && (name.contains(".so") || name.ends_with(".dylib"))
    };
    let mut libraries: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).filter(is_library).collect();
    libraries.sort();
    libraries
}

/// Returns the libtiledb files of the installation `dir` (`TILEDB_DIR`).
pub(crate) fn libraries_below(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let dir = &fs::canonicalize(dir).map_err(|e| format!("invalid TILEDB_DIR: {}", with_path(dir, &e)))?;
    let folders = ["lib", "lib64", "."].map(|sub| dir.join(sub));
    folders.iter().map(|folder| libraries_in(folder)).find(|libraries| !libraries.is_empty()).ok_or_else(|| {
        format!("invalid TILEDB_DIR: expected libtiledb.so* in lib/ or lib64/ below {}, found none", dir.display())
    })
}

/// Empties `folder`, links `libraries` into it, and returns it.
pub(crate) fn link_all(libraries: &[PathBuf], folder: &Path) -> Result<PathBuf, String> {
    empty(folder)?;
    for library in libraries {
        println!("cargo::rerun-if-changed={}", library.display());
        link(library, &folder.join(library.file_name().unwrap_or_default()))?;
    }
    add_linker_name(folder)?;
    Ok(folder.to_owned())
}

/// Adds a link with the name that the linker looks for, unless `folder` has one.
pub(crate) fn add_linker_name(folder: &Path) -> Result<(), String> {
    let plain = folder.join(linker_name());
    if plain.exists() {
        return Ok(());
    }
    let library = libraries_in(folder).into_iter().next();
    let library = library.ok_or_else(|| format!("expected libtiledb in {}, found none", folder.display()))?;
    link(Path::new(library.file_name().unwrap_or_default()), &plain)
}

/// Creates `folder`, or removes its contents.
pub(crate) fn empty(folder: &Path) -> Result<(), String> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|e| with_path(folder, &e))?;
    }
    fs::create_dir_all(folder).map_err(|e| with_path(folder, &e))
}

fn link(original: &Path, link: &Path) -> Result<(), String> {
    #[cfg(unix)]
    return std::os::unix::fs::symlink(original, link).map_err(|e| with_path(link, &e));
    #[cfg(not(unix))]
    return fs::copy(original, link).map(|_| ()).map_err(|e| with_path(link, &e));
}

/// An I/O error with its path.
pub(crate) fn with_path(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
