//! Files of one granule under the names of archives, subsetters and browsers.

use super::inputs::{columns, files, inputs, original};
use super::outcome::{all_good, same};
use crate::support::TestFolder;

const GRANULE: &str = "ATL08_20200821122613_08730802_004_01";
/// Columns that the extracts lack: they have no metadata, and no `orbit_info` with the orientation.
const LOST: [&str; 2] = ["sc_orient", "qa_granule_pass_fail"];

#[test]
fn a_granule_is_identified_by_the_id_anywhere_in_its_name() {
    let (Some(folder), Some(original)) = (inputs(), original()) else { return };
    let folder = folder.join("named");
    let names = files(&folder);
    assert_eq!(names.len(), 9, "{names:?}");
    let place = TestFolder::in_memory();
    all_good(names.iter().map(|name| {
        let run = super::inputs::ingest(&place, &folder, name);
        if run.code != Some(0) {
            return Err(format!("{name}: {}", run.stderr));
        }
        let is_whole = name.ends_with("_whole.h5");
        let found = columns(&place, &format!("{name}.db"));
        let problem = same(original, &found, if is_whole { &[] } else { &LOST });
        problem.map_err(|problem| format!("{name}: {problem}"))
    }));
}

#[test]
fn a_granule_under_many_names_is_one_granule() {
    let Some(folder) = inputs() else { return };
    let place = TestFolder::in_memory();
    let granule = crate::support::release_004().unwrap();
    // In both orders, which must not matter.
    for (db, order) in [("whole_first", [0, 1]), ("extracts_first", [1, 0])] {
        let named = folder.join("named");
        let sources = order.map(|at| [granule.to_str().unwrap(), named.to_str().unwrap()][at]);
        for source in sources {
            place.ok(&["--db", db, "ingest", source]);
        }
        for (view, rows) in [("atl08", "35"), ("atl08_unique", "35")] {
            let sql = format!("SELECT count(*) FROM {view}");
            assert_eq!(place.rows_with(&["--db", db], &sql), [rows], "{db} {view}");
        }
        let sql = "SELECT DISTINCT granule FROM atl08";
        assert_eq!(place.rows_with(&["--db", db], sql), [GRANULE], "{db}");
    }
}
