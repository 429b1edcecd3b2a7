//! Results as Parquet, Arrow and NDJSON, read back by the formats' own readers.

use std::fs::File;
use std::process::Stdio;

use arrow::array::{Array, FixedSizeListArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::ipc::reader::{FileReader, StreamReader};
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::parquet::basic::Compression;

use crate::support::TestFolder;

/// Every kind of column, and profiles that are NULL as a whole and in parts.
const SQL: &str = "SELECT latitude, time, beam, beam_strength, night_flag, canopy_h, granule, subset_can_flag, \
                   CASE WHEN segment_id_beg % 3 > 0 THEN canopy_h_metrics END AS profile \
                   FROM atl08 ORDER BY granule, beam, segment_id_beg LIMIT 300";

fn with_granules() -> TestFolder {
    let place = TestFolder::new();
    place.synthesise("granules", 2, 60);
    place.ok(&["ingest", "granules"]);
    place
}

fn parquet(place: &TestFolder, name: &str) -> (SchemaRef, Vec<RecordBatch>) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(place.path(name)).unwrap()).unwrap();
    let metadata = std::sync::Arc::clone(reader.metadata());
    for group in metadata.row_groups() {
        assert!(group.columns().iter().all(|column| matches!(column.compression(), Compression::ZSTD(_))));
    }
    (SchemaRef::clone(reader.schema()), reader.build().unwrap().map(Result::unwrap).collect())
}

fn arrow(place: &TestFolder, name: &str) -> (SchemaRef, Vec<RecordBatch>) {
    let reader = FileReader::try_new(File::open(place.path(name)).unwrap(), None).unwrap();
    (reader.schema(), reader.map(Result::unwrap).collect())
}

/// The rows as the program writes them in JSON.
fn json(batches: &[RecordBatch]) -> serde_json::Value {
    let mut text = Vec::new();
    let mut writer = arrow::json::writer::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow::json::writer::JsonArray>(&mut text);
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn says_where_from(schema: &SchemaRef, place: &TestFolder) {
    let metadata = schema.metadata();
    assert_eq!(metadata["isdb_sql"], SQL);
    assert_eq!(metadata["isdb_version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(metadata["isdb_snapshot"], place.timestamp(), "--at asks the same state again");
    assert_eq!(schema.field_with_name("canopy_h").unwrap().metadata()["units"], "meters");
    let DataType::FixedSizeList(_, 18) = schema.field_with_name("profile").unwrap().data_type() else {
        panic!("{schema}")
    };
}

#[test]
fn parquet_and_arrow_files_hold_the_rows_that_json_holds() {
    let place = with_granules();
    let expected: serde_json::Value =
        serde_json::from_str(&place.ok(&["query", "--format", "json", SQL]).stdout).unwrap();
    assert_eq!(expected.as_array().unwrap().len(), 300);
    for name in ["rows.parquet", "rows.arrow", "rows.feather"] {
        place.ok(&["query", "-o", name, SQL]);
        let (schema, rows) = if name == "rows.parquet" { parquet(&place, name) } else { arrow(&place, name) };
        assert_eq!(json(&rows), expected, "{name}");
        says_where_from(&schema, &place);
        let profiles = |rows: &RecordBatch| {
            let profile = rows.column_by_name("profile").unwrap();
            let profile = profile.as_any().downcast_ref::<FixedSizeListArray>().unwrap();
            let parts = (0..profile.len()).filter(|row| profile.is_valid(*row));
            (profile.null_count(), parts.map(|row| profile.value(row).null_count()).sum::<usize>())
        };
        let nulls = rows.iter().map(profiles).fold((0, 0), |sum, next| (sum.0 + next.0, sum.1 + next.1));
        assert!(nulls.0 > 0 && nulls.1 > 0, "{name} has whole and partial NULL profiles: {nulls:?}");
    }
}

#[test]
fn ndjson_is_one_object_a_line_and_json_one_array_that_ends_its_line() {
    let place = with_granules();
    let array: serde_json::Value = serde_json::from_str(&place.ok(&["query", "--format", "json", SQL]).stdout).unwrap();
    assert!(place.ok(&["query", "--format", "json", SQL]).stdout.ends_with("]\n"));
    for name in ["rows.ndjson", "rows.jsonl"] {
        place.ok(&["query", "-o", name, SQL]);
        let text = std::fs::read_to_string(place.path(name)).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(&lines, array.as_array().unwrap());
    }
}

#[test]
fn arrow_on_standard_output_is_a_stream_that_a_pipe_can_read() {
    let place = with_granules();
    let output = place.command(&["query", "--format", "arrow", SQL]).stderr(Stdio::inherit()).output().unwrap();
    let reader = StreamReader::try_new(output.stdout.as_slice(), None).unwrap();
    says_where_from(&reader.schema(), &place);
    let rows: usize = reader.map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, 300);
}

#[test]
fn parquet_can_go_to_standard_output() {
    let place = with_granules();
    let output = place.command(&["query", "--format", "parquet", SQL]).output().unwrap();
    std::fs::write(place.path("piped.parquet"), output.stdout).unwrap();
    let (_, rows) = parquet(&place, "piped.parquet");
    assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 300);
}

#[test]
fn a_result_without_rows_is_a_file_with_columns() {
    let place = with_granules();
    let none = SQL.replace("ORDER BY", "WHERE canopy_h > 1000 ORDER BY");
    place.ok(&["query", "-o", "none.parquet", &none]);
    place.ok(&["query", "-o", "none.arrow", &none]);
    for (schema, rows) in [parquet(&place, "none.parquet"), arrow(&place, "none.arrow")] {
        assert_eq!((schema.fields().len(), rows.iter().map(RecordBatch::num_rows).sum::<usize>()), (9, 0));
    }
}

#[test]
fn an_unknown_file_extension_is_refused_before_anything_is_read() {
    let run = TestFolder::new().run(&["query", "-o", "rows.xlsx", "SELECT 1"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("rows.xlsx: the file name does not determine the format"), "{}", run.stderr);
}

#[test]
fn a_file_records_the_region_and_period_that_were_applied_and_no_others() {
    let place = with_granules();
    let exported = |sql: &str, options: &[&str]| {
        place.ok(&[&["query", "-o", "rows.parquet"], options, &[sql]].concat());
        let (schema, batches) = parquet(&place, "rows.parquet");
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        let recorded = |key: &str| schema.metadata().get(key).cloned();
        (rows, recorded("isdb_region"), recorded("isdb_period"))
    };
    let none_there = ["--bbox", "0,0,1,1", "--start", "2030"];
    let (region, period) = (Some("0,0,1,1".to_owned()), Some("from 2030-01-01T00:00:00Z".to_owned()));
    for view in ["atl08", "atl08_unique"] {
        assert_eq!(exported(&format!("SELECT beam FROM {view}"), &none_there), (0, region.clone(), period.clone()));
    }
    let in_subquery = "SELECT beam FROM segments WHERE beam IN (SELECT beam FROM atl08)";
    assert_eq!(exported(in_subquery, &none_there[..2]), (0, region, None));
    let (rows, region, period) = exported("WITH atl08 AS (SELECT * FROM segments) SELECT beam FROM atl08", &none_there);
    assert!(rows > 0 && region.is_none() && period.is_none(), "{rows} {region:?} {period:?}");
}
