//! The rewritten granules, and their expected rows.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use isdb_testing::{beside_data, python};

use crate::support::{Run, TestFolder, release_004};

/// The folder of inputs; `None`, counted as a skipped test, without the real granule, the script or Python's packages.
///
/// Python needs ten seconds or more to write them: they stay below `target/` until the script or the packages change.
pub(crate) fn inputs() -> Option<&'static Path> {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    let (script, granule, mut python) = (beside_data("tools/make_tries.py")?, release_004()?, python()?);
    let made = MADE.get_or_init(|| {
        let mut hasher = DefaultHasher::new();
        let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/requirements.txt");
        for file in [&script, &requirements] {
            fs::read(file).unwrap().hash(&mut hasher);
        }
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = kept.join(format!("tries-{:016x}", hasher.finish()));
        if !folder.exists() {
            let making = tempfile::tempdir_in(kept).unwrap();
            let made = python.arg(script).arg(granule).arg(making.path().join("tries")).output().unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            fs::rename(making.path().join("tries"), &folder).unwrap();
        }
        folder
    });
    Some(made)
}

/// The names of the files in `folder` of the inputs, in order.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file());
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Columns by name, in the order of beam and segment; the values as `isdb query` writes them.
pub(crate) type Columns = BTreeMap<String, Vec<String>>;

/// Columns that differ between any two attempts.
const OWN: [&str; 2] = ["ingest_id", "fragment_id"];

/// The columns of the view `atl08` in the database `db` of `place`.
pub(crate) fn columns(place: &TestFolder, db: &str) -> Columns {
    let sql = "SELECT * FROM atl08 ORDER BY beam, segment_id_beg";
    let text = place.ok(&["query", "--db", db, "--format", "csv", sql]).stdout;
    let mut lines = text.lines().map(cells);
    let names = lines.next().unwrap();
    let mut columns: Columns = names.iter().map(|name| (name.clone(), Vec::new())).collect();
    for line in lines {
        assert_eq!(line.len(), names.len(), "{line:?}");
        for (name, value) in names.iter().zip(line) {
            columns.get_mut(name).unwrap().push(value);
        }
    }
    columns.retain(|name, _| !OWN.contains(&name.as_str()));
    columns
}

/// The cells of a CSV line without line breaks in it.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut is_quoted = false;
    for character in line.chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(String::new()),
            other => cells.last_mut().unwrap().push(other),
        }
    }
    cells
}

/// The rows of the original granule of all inputs.
pub(crate) fn original() -> Option<&'static Columns> {
    static ORIGINAL: OnceLock<Columns> = OnceLock::new();
    let granule = release_004()?;
    Some(ORIGINAL.get_or_init(|| {
        let place = TestFolder::in_memory();
        place.ok(&["ingest", granule.to_str().unwrap()]);
        let columns = columns(&place, "db");
        assert_eq!(columns["latitude"].len(), 35);
        columns
    }))
}

/// Ingests the file `name` into the database `<name>.db` in `place`.
pub(crate) fn ingest(place: &TestFolder, folder: &Path, name: &str) -> Run {
    place.run(&["--db", &format!("{name}.db"), "ingest", folder.join(name).to_str().unwrap()])
}
