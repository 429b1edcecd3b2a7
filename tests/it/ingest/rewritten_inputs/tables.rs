//! Tables of the user, as spreadsheets write them.

use std::fs;

use super::inputs::{files, inputs};
use super::outcome::all_good;
use crate::support::{TestFolder, release_004};

/// A statement over a table, and its result.
type Try = (&'static str, Result<&'static [&'static str], &'static [&'static str]>);

/// The rows of a statement, or an error with these texts.
const TABLES: [Try; 10] = [
    ("SELECT \"Plot_ID\", \"Height\" FROM 'plots.csv' ORDER BY 1", Ok(&["A,12.5", "B,3.0"])),
    ("SELECT Plot_ID FROM 'plots.csv'", Err(&["plot_id", "Plot_ID"])),
    ("SELECT \"Plot_ID\", \"Latitude\" FROM 'plots_bom.csv'", Ok(&["A,48.27"])),
    ("SELECT \"Plot\", \"Lat\", \"Lon\" FROM 'plots_semicolon.csv'", Ok(&["A,48.27,-81.55"])),
    ("SELECT * FROM 'plots_latin1.csv'", Err(&["plots_latin1.csv", "UTF-8"])),
    ("SELECT max(height) FROM 'late_float.csv'", Ok(&["29.0"])),
    ("SELECT max(code) FROM 'late_text.csv'", Ok(&["DUMMY01"])),
    ("SELECT plot, lat FROM 'Plots.CSV'", Ok(&["A,48.27"])),
    ("SELECT count(*) FROM 'late_float.csv'", Ok(&["1501"])),
    ("SELECT count(*) FROM 'none.csv'", Err(&["none.csv"])),
];

#[test]
fn tables_of_spreadsheets_are_read_or_refused_by_name() {
    let (Some(folder), Some(granule)) = (inputs(), release_004()) else { return };
    let place = TestFolder::in_memory();
    place.ok(&["ingest", granule.to_str().unwrap()]);
    for name in files(&folder.join("tables")) {
        assert!(TABLES.iter().any(|(sql, _)| sql.contains(&*name)), "expected a statement over {name}");
        fs::copy(folder.join("tables").join(&name), place.path(&name)).unwrap();
    }
    all_good(TABLES.map(|(sql, expected)| {
        let run = place.run(&["query", "--format", "csv", sql]);
        let rows: Vec<_> = run.stdout.lines().skip(1).collect();
        let is_as_expected = match expected {
            Ok(expected) => run.code == Some(0) && rows == expected,
            Err(causes) => {
                run.code == Some(1) && rows.is_empty() && causes.iter().all(|cause| run.stderr.contains(cause))
            }
        };
        match is_as_expected {
            true => Ok(()),
            false => Err(format!("{sql}: expected {expected:?}, found {:?} {rows:?} {}", run.code, run.stderr)),
        }
    }));
}
