//! The feature `vendored`: the libtiledb inside the pinned wheel of TileDB-Py.
//!
//! pip downloads the wheel: it uses the package index, mirror or offline folder that the user has configured, so that this
//! repository names no server, and it refuses a file whose hash is not in the list. A wheel is a zip archive; the python3 that
//! runs pip also unpacks it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::files::{add_linker_name, empty, libraries_in, linker_name, target, with_path};
use crate::wheel::wheel_for_target;

/// The pinned wheels, as a requirements file of pip.
const LIST: &str = "build/wheel.txt";
const LIST_COPY: &str = "wheel.txt";

const HINT: &str = "hint: to use an installed TileDB 2.30 set TILEDB_DIR to the folder that contains its lib/, or enable the \
                    feature `system` of tiledb-sys; otherwise install python3 with pip";

/// Downloads the pinned library into `folder`, unless it is there already, and returns `folder`. `out` has the list of wheels
/// that `folder` was filled from.
pub(crate) fn download_into(folder: &Path, out: &Path) -> Result<PathBuf, String> {
    if !is_current(folder, out)? {
        empty(folder)?;
        let library = pinned_library(out)?;
        let name = library.file_name().unwrap_or_default();
        fs::rename(&library, folder.join(name)).map_err(|e| with_path(&library, &e))?;
        add_linker_name(folder)?;
        empty(&out.join("wheel"))?;
        fs::copy(LIST, out.join(LIST_COPY)).map_err(|e| with_path(Path::new(LIST), &e))?;
    }
    Ok(folder.to_owned())
}

/// Whether `folder` has the library from the current list, rather than links to an installed one.
fn is_current(folder: &Path, out: &Path) -> Result<bool, String> {
    let list = fs::read(LIST).map_err(|e| with_path(Path::new(LIST), &e))?;
    let same_list = fs::read(out.join(LIST_COPY)).is_ok_and(|copy| copy == list);
    let is_file = |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|m| m.is_file());
    Ok(same_list && libraries_in(folder).iter().any(is_file) && folder.join(linker_name()).exists())
}

/// Downloads and unpacks the wheel of the target, and returns the library in it.
fn pinned_library(out: &Path) -> Result<PathBuf, String> {
    let wheel = wheel_for_target(&target("OS"), &target("ARCH"), &target("ENV"))?;
    let download = out.join("wheel");
    empty(&download)?;
    let options = "-m pip --disable-pip-version-check download --quiet --no-deps --only-binary :all: --require-hashes \
                   --implementation cp --python-version 3.11 --abi cp311";
    let mut pip = Command::new("python3");
    pip.args(options.split_whitespace()).args(["--platform", wheel.platform]);
    run(pip.arg("-r").arg(LIST).arg("-d").arg(&download))?;
    let file = fs::read_dir(&download)
        .map_err(|e| with_path(&download, &e))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|e| e == "whl"))
        .ok_or_else(|| format!("expected a wheel in {} after pip download, found none. {HINT}", download.display()))?;
    run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&file).arg(&download))?;
    let library = libraries_in(&download.join(wheel.folder)).into_iter().next();
    let library = library
        .ok_or_else(|| format!("expected {}/libtiledb* in {}, found none. {HINT}", wheel.folder, file.display()))?;
    if target("OS") == "macos" {
        set_install_name(&library)?;
    }
    Ok(library)
}

/// Sets the dylib's install name to one that programs find along their rpath: the path that the wheel records does not exist.
/// macOS only loads signed libraries, and the change makes the signature invalid, so the library is signed again.
fn set_install_name(library: &Path) -> Result<(), String> {
    run(Command::new("install_name_tool").args(["-id", "@rpath/libtiledb.dylib"]).arg(library))?;
    run(Command::new("codesign").args(["--force", "--sign", "-"]).arg(library))
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|e| format!("cannot run {program}: {e}. {HINT}"))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let reason = if stderr.contains("DO NOT MATCH THE HASHES") {
        "the downloaded wheel is not one of those pinned in tiledb-sys/build/wheel.txt"
    } else if stderr.contains("No module named pip") {
        "python3 has no pip"
    } else {
        "cannot download or unpack the pinned wheel"
    };
    Err(format!("{reason}. {HINT}. {program} failed with: {}", stderr.trim()))
}
