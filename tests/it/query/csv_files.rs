//! The user's files, named in quotes in SQL: CSV as spreadsheets of several countries write it, and errors for files that cannot
//! be read.

use std::fs;

use crate::support::TestFolder;

fn with_granule() -> TestFolder {
    let place = TestFolder::new();
    place.synthesise("granules", 1, 40);
    place.ok(&["ingest", "granules"]);
    place
}

#[test]
fn csv_files_of_spreadsheets_of_several_countries_are_read() {
    let place = with_granule();
    let late = |last: &str| {
        format!("id,value\n{}1500,{last}\n", (0..1_500).map(|id| format!("{id},{id}\n")).collect::<String>())
    };
    for (name, text, sql, expected) in [
        ("plots.csv", "Plot,Lat\nA,48.27\nB,49\n".to_owned(), "SELECT max(\"Lat\")", "49.0"),
        (
            "semicolon.csv",
            "Plot;Lat;Lon\r\nA;48,27;-81,55\r\nB;49;\r\n".to_owned(),
            "SELECT max(\"Lat\"), min(\"Lon\")",
            "49.0,-81.55",
        ),
        ("tab.tsv", "Plot\tHeight\nA, old\t12\n".to_owned(), "SELECT \"Plot\", \"Height\" + 1", "\"A, old\",13"),
        ("tab.txt", "Plot\tHeight\nA\t12,5\n".to_owned(), "SELECT \"Height\"", "12.5"),
        ("mark.csv", "\u{feff}plot,lat\nA,1.5\n".to_owned(), "SELECT plot, lat", "A,1.5"),
        ("UPPER.CSV", "plot,lat\nA,1.5\n".to_owned(), "SELECT lat", "1.5"),
        ("blanks.csv", "plot, lat\nA, 1.5\n".to_owned(), "SELECT lat * 2", "3.0"),
        ("zeros.csv", "plot\n001\n012\n".to_owned(), "SELECT max(plot)", "012"),
        ("lines.csv", "plot,note\nA,\"one\ntwo\"\nB,x\n".to_owned(), "SELECT count(*), max(note)", "2,x"),
        ("late_float.csv", late("12.5"), "SELECT max(value), min(value)", "1499.0,0.0"),
        ("late_text.csv", late("DUMMY01"), "SELECT count(*), max(value)", "1501,DUMMY01"),
        (
            "array.json",
            "[{\"plot\": \"A\", \"lat\": 1.5}, {\"plot\": \"B\", \"lat\": 2}]".to_owned(),
            "SELECT sum(lat)",
            "3.5",
        ),
        (
            "lines.ndjson",
            "{\"plot\": \"A\", \"lat\": 1.5}\n{\"plot\": \"B\", \"lat\": 2}\n".to_owned(),
            "SELECT sum(lat)",
            "3.5",
        ),
        ("a[1] *?.csv", "x\n7\n".to_owned(), "SELECT x", "7"),
        ("50% über.csv", "x\n8\n".to_owned(), "SELECT x", "8"),
    ] {
        fs::write(place.path(name), text).unwrap();
        assert_eq!(place.rows(&format!("{sql} FROM '{name}'")), [expected], "{name}");
    }
    let view = "CREATE VIEW p AS SELECT * FROM 'semicolon.csv'; SELECT count(*) FROM p JOIN 'semicolon.csv' q ON p.\"Lat\" = q.\"Lat\"";
    assert_eq!(place.rows(view), ["2"]);
}

#[test]
fn an_invalid_table_file_is_refused_with_its_line_and_a_hint() {
    let place = with_granule();
    fs::create_dir(place.path("folder.csv")).unwrap();
    for (name, bytes, error, hint) in [
        ("latin1.csv", &b"Plot,Lat\nFor\xEAt,1\n"[..], "latin1.csv: line 2 is not UTF-8", "iconv -f LATIN1"),
        ("utf16.csv", b"\xFF\xFEP\0l\0", "utf16.csv: it is UTF-16, expected UTF-8", "iconv -f UTF-16"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3\n", "ragged.csv: line 3 has 3 fields, the header has 2", "double quotes"),
        ("empty.csv", b"", "empty.csv: it is empty, expected a header and rows", ""),
        (
            "plots.xlsx",
            b"PK",
            "plots.xlsx: expected .csv, .tsv, .txt, .parquet, .json, .ndjson, .geojson or .arrow",
            "",
        ),
    ] {
        fs::write(place.path(name), bytes).unwrap();
        let run = place.run(&["query", &format!("SELECT * FROM '{name}'")]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{name}");
        assert!(run.stderr.starts_with(&format!("error: {error}\n")), "{name}: {}", run.stderr);
        assert!(run.stderr.contains(hint), "{name}: {}", run.stderr);
    }
    for (name, error, hint) in [
        ("folder.csv", "folder.csv: it is a folder, expected a file", "UNION ALL"),
        ("*.csv", "no such file: *.csv", "patterns are not expanded"),
        ("s3://bucket/plots.parquet", "no such file: s3://bucket/plots.parquet", "copy it here first"),
    ] {
        let run = place.run(&["query", &format!("SELECT * FROM '{name}'")]);
        assert!(run.stderr.starts_with(&format!("error: {error}\n")), "{name}: {}", run.stderr);
        assert!(run.stderr.contains(hint), "{name}: {}", run.stderr);
    }
}
