//! The feature `system`: an installed libtiledb, found through pkg-config.

use std::path::PathBuf;

use crate::files::libraries_in;

/// Returns the installed libtiledb files; `None` if they are on the linker's default path.
pub(crate) fn libraries() -> Result<Option<Vec<PathBuf>>, String> {
    let mut config = pkg_config::Config::new();
    config.range_version("2.30".."2.31").cargo_metadata(false).print_system_libs(false);
    let package = config.probe("tiledb").map_err(|error| {
        format!(
            "cannot find libtiledb 2.30: install TileDB 2.30 and add the folder of its tiledb.pc to PKG_CONFIG_PATH, or set \
             TILEDB_DIR to the folder that contains its lib/, or build without the feature `system` of tiledb-sys. {error}"
        )
    })?;
    Ok(package.link_paths.iter().map(|folder| libraries_in(folder)).find(|libraries| !libraries.is_empty()))
}
