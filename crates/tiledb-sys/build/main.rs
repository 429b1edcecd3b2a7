//! Provides libtiledb and has cargo link it.
//!
//! A library below `TILEDB_DIR` takes precedence; without that variable, the feature `system` looks for an installed library,
//! and the feature `vendored` downloads the pinned one. On docs.rs nothing happens: documentation is not linked.
//!
//! The library ends up in `OUT_DIR/lib` under its own file name (its SONAME), with a link `libtiledb.so` beside it, because
//! cargo puts only folders of the target directory on the library search path of `cargo run` and `cargo test`.

use std::env;
use std::path::{Path, PathBuf};

mod files;
#[cfg(feature = "system")]
mod system;
#[cfg(all(feature = "vendored", not(feature = "system")))]
mod vendored;
#[cfg(all(feature = "vendored", not(feature = "system")))]
mod wheel;

fn main() {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-env-changed=DOCS_RS");
    println!("cargo::rerun-if-env-changed=TILEDB_DIR");
    if env::var_os("DOCS_RS").is_some() {
        return;
    }
    match library_folder() {
        Ok(folder) => {
            if let Some(folder) = folder {
                println!("cargo::rustc-link-search=native={}", folder.display());
                println!("cargo::metadata=lib_dir={}", folder.display());
            }
            println!("cargo::rustc-link-lib=dylib=tiledb");
        }
        Err(message) => {
            println!("cargo::error={}", message.replace('\n', " "));
            std::process::exit(1);
        }
    }
}

/// Returns the folder of the library to link; `None` if it is on the linker's default path.
fn library_folder() -> Result<Option<PathBuf>, String> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: run the build script through cargo")?);
    match env::var_os("TILEDB_DIR").filter(|dir| !dir.is_empty()) {
        Some(dir) => files::link_all(&files::libraries_below(Path::new(&dir))?, &out.join("lib")).map(Some),
        None => default_library(&out),
    }
}

#[cfg(feature = "system")]
fn default_library(out: &Path) -> Result<Option<PathBuf>, String> {
    system::libraries()?.map(|libraries| files::link_all(&libraries, &out.join("lib"))).transpose()
}

#[cfg(all(feature = "vendored", not(feature = "system")))]
fn default_library(out: &Path) -> Result<Option<PathBuf>, String> {
    vendored::download_into(&out.join("lib"), out).map(Some)
}

#[cfg(not(any(feature = "vendored", feature = "system")))]
fn default_library(_: &Path) -> Result<Option<PathBuf>, String> {
    Err("cannot find libtiledb: enable the feature `vendored` or `system` of tiledb-sys, or set TILEDB_DIR to the folder of an \
         installed TileDB 2.30 that contains its lib/"
        .to_owned())
}
