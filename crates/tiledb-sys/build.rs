//! Provisions libtiledb: the user's own below `TILEDB_DIR`, otherwise the one inside the pinned wheel.
//!
//! Either ends in `OUT_DIR/lib` with its own file name (its SONAME) and a `libtiledb` link beside it, because cargo puts only
//! folders of the target directory on the library search path of `cargo run` and `cargo test`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

mod wheel;

use wheel::wheel;

/// What is pinned, in pip's own format.
const LIST: &str = "wheel.txt";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=wheel.rs");
    println!("cargo::rerun-if-changed={LIST}");
    println!("cargo::rerun-if-env-changed=TILEDB_DIR");
    match provision() {
        Ok(folder) => {
            println!("cargo::rustc-link-search=native={}", folder.display());
            println!("cargo::rustc-link-lib=dylib=tiledb");
            println!("cargo::metadata=lib_dir={}", folder.display());
        }
        Err(message) => {
            println!("cargo::error={}", message.replace('\n', " "));
            std::process::exit(1);
        }
    }
}

/// The folder that holds the library to link.
fn provision() -> Result<PathBuf, String> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: run this through cargo")?);
    let folder = out.join("lib");
    match env::var_os("TILEDB_DIR").filter(|dir| !dir.is_empty()) {
        Some(dir) => {
            let found = users_libraries(Path::new(&dir))?;
            empty(&folder)?;
            for library in &found {
                println!("cargo::rerun-if-changed={}", library.display());
                link(library, &folder.join(library.file_name().unwrap_or_default()))?;
            }
        }
        None if cached(&folder, &out)? => return Ok(folder),
        None => {
            empty(&folder)?;
            let library = pinned_library(&out)?;
            let name = library.file_name().unwrap_or_default();
            fs::rename(&library, folder.join(name)).map_err(|e| at(&library, &e))?;
            empty(&out.join("wheel"))?;
            fs::copy(LIST, out.join(LIST)).map_err(|e| at(Path::new(LIST), &e))?;
        }
    }
    let plain = folder.join(plain_name());
    if !plain.exists() {
        let only = libraries_in(&folder).into_iter().next().ok_or("no libtiledb was put in place")?;
        link(Path::new(only.file_name().unwrap_or_default()), &plain)?;
    }
    Ok(folder)
}

/// The name under which a linker looks for libtiledb.
fn plain_name() -> &'static str {
    if target("OS") == "macos" { "libtiledb.dylib" } else { "libtiledb.so" }
}

/// What cargo says of the target: its `OS`, `ARCH` or `ENV`.
fn target(what: &str) -> String {
    env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default()
}

/// Whether `folder` already holds the library this list asks for (and not links to a user's).
fn cached(folder: &Path, out: &Path) -> Result<bool, String> {
    let wanted = fs::read(LIST).map_err(|e| at(Path::new(LIST), &e))?;
    let pinned = fs::read(out.join(LIST)).is_ok_and(|had| had == wanted);
    let real = |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|m| m.is_file());
    Ok(pinned && libraries_in(folder).iter().any(real) && folder.join(plain_name()).exists())
}

/// The shared libraries below a folder the user named.
fn users_libraries(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let dir = &fs::canonicalize(dir).map_err(|e| format!("TILEDB_DIR: {}", at(dir, &e)))?;
    let places = ["lib", "lib64", "."].map(|sub| dir.join(sub));
    places.iter().map(|place| libraries_in(place)).find(|found| !found.is_empty()).ok_or_else(|| {
        format!("TILEDB_DIR is {}, but neither lib/ nor lib64/ below it holds libtiledb.so*", dir.display())
    })
}

fn libraries_in(folder: &Path) -> Vec<PathBuf> {
    let is_library = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("libtiledb") && (name.contains(".so") || name.ends_with(".dylib"))
    };
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).filter(is_library).collect();
    found.sort();
    found
}

/// Downloads and unpacks the pinned wheel; pip refuses a file whose hash is not the one in the list.
fn pinned_library(out: &Path) -> Result<PathBuf, String> {
    let fitting = wheel(&target("OS"), &target("ARCH"), &target("ENV"))?;
    let download = out.join("wheel");
    empty(&download)?;
    let options = "-m pip --disable-pip-version-check download --quiet --no-deps --only-binary :all: --require-hashes \
                   --implementation cp --python-version 3.11 --abi cp311";
    let mut pip = Command::new("python3");
    pip.args(options.split_whitespace()).args(["--platform", fitting.platform]);
    run(pip.arg("-r").arg(LIST).arg("-d").arg(&download))?;
    let file = fs::read_dir(&download)
        .map_err(|e| at(&download, &e))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|e| e == "whl"))
        .ok_or("pip reported success, but left no wheel")?;
    run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&file).arg(&download))?;
    let library = libraries_in(&download.join(fitting.folder)).into_iter().next().ok_or_else(|| {
        format!("{} holds no {}/libtiledb*: set TILEDB_DIR to an installed TileDB", file.display(), fitting.folder)
    })?;
    if target("OS") == "macos" {
        rename_in_place(&library)?;
    }
    Ok(library)
}

/// The wheel's dylib carries a name that exists nowhere; programs look for it along their rpath instead. Its signature is
/// made anew, without which macOS would not load it.
fn rename_in_place(library: &Path) -> Result<(), String> {
    run(Command::new("install_name_tool").args(["-id", "@rpath/libtiledb.dylib"]).arg(library))?;
    run(Command::new("codesign").args(["--force", "--sign", "-"]).arg(library))
}

fn run(command: &mut Command) -> Result<(), String> {
    const HELP: &str = "libtiledb is fetched with python3 and pip; to use an installed one set TILEDB_DIR";
    let program = command.get_program().to_string_lossy().into_owned();
    let done = command.output().map_err(|e| format!("cannot run {program} ({e}): {HELP}"))?;
    if done.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&done.stderr);
    let hint = if told.contains("DO NOT MATCH THE HASHES") {
        "the downloaded wheel is not the one pinned in crates/tiledb-sys/wheel.txt"
    } else if told.contains("No module named pip") {
        "python3 has no pip"
    } else {
        "the wheel could not be fetched or unpacked"
    };
    Err(format!("{hint}. {HELP}. {program} said: {}", told.trim()))
}

fn empty(folder: &Path) -> Result<(), String> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|e| at(folder, &e))?;
    }
    fs::create_dir_all(folder).map_err(|e| at(folder, &e))
}

fn link(original: &Path, link: &Path) -> Result<(), String> {
    #[cfg(unix)]
    return std::os::unix::fs::symlink(original, link).map_err(|e| at(link, &e));
    #[cfg(not(unix))]
    return fs::copy(original, link).map(|_| ()).map_err(|e| at(link, &e));
}

fn at(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
