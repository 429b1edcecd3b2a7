//! The view in statements: its rows, and that conditions on the positions of pieces reach the array without losing one.

use arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::SessionContext;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::testing::{Granule, Segment, TestDatabase, database, physical_plan};
use crate::views::options::ViewOptions;

async fn of_segments(positions: &[(f64, f64)]) -> (TestDatabase, SessionContext) {
    let segments: Vec<Segment> = (0..)
        .zip(positions)
        .map(|(id, (latitude, longitude))| Segment {
            latitude: *latitude,
            longitude: *longitude,
            time: id,
            ingest_id: id % 2,
            beam: "gt1l",
            segment_id_beg: i32::try_from(id).ok(),
        })
        .collect();
    let granules = [1, 2].map(|cycle| Granule { rgt: Some(1), cycle: Some(cycle), region: Some(1) });
    database(&segments, &granules, &ViewOptions::default()).await
}

async fn answer(context: &SessionContext, sql: &str) -> String {
    let rows = context.sql(sql).await.unwrap().collect().await.unwrap();
    pretty_format_batches(&rows).unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_piece_with_a_position_is_a_row_with_its_own_values_and_those_of_its_segment() {
    let (_files, context) = of_segments(&[(10.0, 20.0), (11.0, 21.0)]).await;
    let sql = "SELECT id, along_m, round(latitude, 4) AS latitude, canopy_h, h_canopy, cycle FROM atl08_20m ORDER BY id, along_m";
    let found = answer(&context, sql).await;
    let expected = "\
+----+---------+----------+----------+----------+-------+
| id | along_m | latitude | canopy_h | h_canopy | cycle |
+----+---------+----------+----------+----------+-------+
| 0  | 10      | 9.9996   | 0.0      |          | 1     |
| 0  | 30      | 9.9998   |          |          | 1     |
| 0  | 50      | 10.0     | 2.0      |          | 1     |
| 0  | 70      | 10.0002  | 3.0      |          | 1     |
| 0  | 90      | 10.0004  | 4.0      |          | 1     |
| 1  | 10      | 10.9996  | 0.0      | 1.5      | 2     |
| 1  | 30      | 10.9998  |          | 1.5      | 2     |
| 1  | 50      | 11.0     | 2.0      | 1.5      | 2     |
| 1  | 70      | 11.0002  | 3.0      | 1.5      | 2     |
+----+---------+----------+----------+----------+-------+";
    assert_eq!(found, expected);
    let columns = context.table("atl08_20m").await.unwrap();
    let latitude = columns.schema().field_with_unqualified_name("latitude").unwrap();
    assert_eq!(latitude.data_type(), &arrow::datatypes::DataType::Float64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_around_pieces_reaches_the_array_widened_by_the_length_of_a_segment() {
    let (_files, context) = of_segments(&[(10.0, 20.0), (50.0, 21.0)]).await;
    let plan = physical_plan(&context, "SELECT canopy_h FROM atl08_20m WHERE latitude BETWEEN 9.0 AND 10.0").await;
    assert!(plan.contains("latitude in [8.997999, 10.002001]"), "{plan}");
    let sql = "SELECT id, along_m FROM atl08_20m WHERE canopy_h > 2 ORDER BY distance_m(latitude, longitude, 50.1, 21.0) LIMIT 1";
    assert!(answer(&context, sql).await.contains("| 1  | 70 "), "{}", answer(&context, sql).await);
}

/// Positions in the middle of the map, at the dateline and around the poles.
fn position() -> impl Strategy<Value = (f64, f64)> {
    let latitude = prop_oneof![2 => -1.0..1.0, 1 => 89.9..90.0, 1 => -90.0..-89.9];
    (latitude, prop_oneof![2 => -1.0..1.0, 1 => 179.99..180.0, 1 => -180.0..-179.99])
}

#[test]
fn conditions_on_pieces_select_the_same_rows_pushed_down_and_not() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let cases = Config { cases: Config::default().cases.min(40), ..Config::default() };
    let rows = proptest::collection::vec(position(), 1..40);
    TestRunner::new(cases)
        .run(&(rows, position(), 1.0..3_000.0_f64), |(rows, (latitude, longitude), metres)| {
            let all = runtime.block_on(async {
                let (_files, context) = of_segments(&rows).await;
                let copy = context.table("atl08_20m").await.unwrap().cache().await.unwrap();
                context.register_table("copy", copy.into_view()).unwrap();
                let mut all = Vec::new();
                for condition in [
                    format!("near(latitude, longitude, {latitude}, {longitude}, {metres})"),
                    format!("latitude > {latitude} AND longitude <= {longitude}"),
                    format!("latitude BETWEEN {latitude} AND {latitude} + 0.0005"),
                ] {
                    let rows =
                        |table: &str| format!("SELECT id, along_m FROM {table} WHERE {condition} ORDER BY id, along_m");
                    all.push((
                        condition.clone(),
                        answer(&context, &rows("atl08_20m")).await,
                        answer(&context, &rows("copy")).await,
                    ));
                }
                all
            });
            for (condition, found, expected) in all {
                prop_assert_eq!(found, expected, "{}", condition);
            }
            Ok(())
        })
        .unwrap();
}
