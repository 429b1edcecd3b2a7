//! Arrays of the Python packages icesat2db and gedidb, which have types, filters and fragments that this crate would not write.

use std::path::Path;

use isdb_testing::python;

use super::*;
use crate::{DimensionRange, Literal, Op, Predicate, Ranges};

/// The script that writes them.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/python/peers.py");
/// Rows of each fragment that it writes.
const ROWS: usize = 900;

/// A user who converts such a database gets its rows, whichever engine reads them. Consolidated fragments have the time of each cell.
#[test]
fn arrays_of_icesat2db_and_gedidb_give_the_same_rows_by_tile() {
    let Some(mut python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let run = python.arg(SCRIPT).arg(folder.path()).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    for name in ["icesat2db", "gedidb", "small_tiles"] {
        for (suffix, rows) in [("", 2 * ROWS), ("_consolidated", 3 * ROWS)] {
            let uri = folder.path().join(format!("{name}{suffix}")).to_str().unwrap().to_owned();
            let array = Array::open_by_library(ctx(), &uri, None).unwrap();
            assert_eq!(has_times(Path::new(&uri)), !suffix.is_empty(), "{uri}");
            assert!(by_tile(&array).is_some(), "{uri}");
            assert!(Array::open(ctx(), &uri).unwrap().tiles(&Ranges::new()).unwrap().is_some(), "{uri}");
            let schema = array.schema();
            let all = request(&names(&schema));
            assert_eq!(sorted(&array, &all).num_rows(), rows, "{uri}");

            let latitude =
                DimensionRange { dimension: "latitude".into(), low: Literal::Int(-10), high: Literal::Int(20) };
            let days =
                DimensionRange { dimension: "time".into(), low: Literal::Int(18_200), high: Literal::Int(18_600) };
            let compare = |column: &str, op, value| Predicate::Compare { column: column.into(), op, value };
            let conditions = [
                compare("landcover", Op::Gt, Literal::Int(20)),
                compare("quality_flag", Op::LtEq, Literal::Int(100)),
                compare("beam_name", Op::Eq, Literal::Text("BEAM1011".into())),
                compare("rh_1", Op::Lt, Literal::Float(12.5)),
            ];
            for condition in conditions {
                let ranges = vec![latitude.clone(), days.clone()];
                let found = sorted(&array, &ReadRequest { ranges, condition: Some(condition), ..all.clone() });
                assert!((1..rows).contains(&found.num_rows()), "{uri}: {} rows", found.num_rows());
            }
        }
    }
}

/// ASCII is text, too; a filter that this crate lacks must not make an array unreadable.
#[test]
fn an_array_with_a_filter_of_libtiledb_alone_is_read_by_libtiledb() {
    let Some(mut python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let run = python.arg(SCRIPT).arg(folder.path()).arg("ascii").arg("lz4").output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    for (name, is_by_tile) in [("ascii", true), ("lz4", false)] {
        let uri = folder.path().join(name).to_str().unwrap().to_owned();
        let array = Array::open(ctx(), &uri).unwrap();
        assert_eq!(array.tiles(&Ranges::new()).unwrap().is_some(), is_by_tile, "{name}");
        let request = request(&["row", "text"]);
        let rows = all_rows(&array, &request);
        assert_eq!(rows.num_rows(), 3);
        assert_eq!(rows, all_rows(&Array::open_by_library(ctx(), &uri, None).unwrap(), &request));
    }
}

/// Whether some fragment has the time of each cell.
fn has_times(array: &Path) -> bool {
    let fragments = std::fs::read_dir(array.join("__fragments")).unwrap();
    fragments.map(|fragment| fragment.unwrap().path()).any(|fragment| fragment.join("t.tdb").exists())
}
