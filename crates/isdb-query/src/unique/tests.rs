use datafusion::prelude::SessionContext;
use isdb_region::Region;
use isdb_schema::period::Period;
use proptest::prelude::*;

use crate::testing::{DAY, Granule, Segment, TestDatabase, YEAR_2020, database, ids, physical_plan};
use crate::views::options::ViewOptions;

/// The definition of the view in other SQL than the shipped one: compares every row with every other.
const SLOW: &str = "CREATE VIEW slow AS SELECT a.* FROM atl08 AS a WHERE NOT EXISTS (
    SELECT 1 FROM atl08 AS o
    WHERE o.rgt = a.rgt AND o.cycle = a.cycle AND o.region < a.region
        AND o.beam = a.beam AND o.segment_id_beg = a.segment_id_beg
        AND abs(o.latitude - a.latitude) <= 0.1
        AND CASE WHEN abs(o.longitude - a.longitude) > 180.0 THEN 360.0 - abs(o.longitude - a.longitude)
                 ELSE abs(o.longitude - a.longitude) END * cos(radians(a.latitude)) <= 0.1
        AND o.time >= a.time - INTERVAL '10 seconds' AND o.time <= a.time + INTERVAL '10 seconds')";

const SECOND: i64 = 1_000_000_000;

/// Positions in three groups: near the equator, across the dateline and beside the pole.
fn position() -> impl Strategy<Value = (f64, f64)> {
    let jitter = || prop_oneof![3 => -0.01_f64..0.01, 2 => -0.12_f64..0.12];
    (prop_oneof![2 => Just((0.0, 10.0)), 2 => Just((45.0, 180.0)), 1 => Just((89.5, 0.0))], jitter(), jitter())
        .prop_map(|((latitude, longitude), north, east): ((f64, f64), f64, f64)| {
            let longitude: f64 = longitude + east / f64::to_radians(latitude).cos();
            ((latitude + north).min(90.0), (longitude + 540.0).rem_euclid(360.0) - 180.0)
        })
}

fn segment() -> impl Strategy<Value = Segment> {
    let time = prop_oneof![3 => Just(0), 2 => -12 * SECOND..12 * SECOND, 1 => Just(10 * SECOND)];
    let beam = prop_oneof![Just("gt1l"), Just("gt2r")];
    let segment = prop_oneof![6 => (0..4).prop_map(Some), 1 => Just(None)];
    (position(), time, 0..6_i64, beam, segment).prop_map(
        |((latitude, longitude), time, ingest_id, beam, segment_id_beg)| Segment {
            latitude,
            longitude,
            time: time + DAY,
            ingest_id,
            beam,
            segment_id_beg,
        },
    )
}

fn granules() -> impl Strategy<Value = Vec<Granule>> {
    let number = |high: i32| prop_oneof![8 => (1..=high).prop_map(Some), 1 => Just(None)];
    let granule = (number(2), number(1), number(3)).prop_map(|(rgt, cycle, region)| Granule { rgt, cycle, region });
    prop::collection::vec(granule, 6)
}

/// Returns a condition of a statement, in SQL.
fn condition() -> impl Strategy<Value = String> {
    let degrees = || prop_oneof![Just(0.0), Just(45.0), Just(89.5), Just(10.0), Just(180.0), Just(-180.0)];
    let bound = move || (degrees(), -0.13..0.13).prop_map(|(near, off)| near + off);
    let operator = || prop_oneof![Just(">="), Just("<"), Just("="), Just("<>")];
    let box_of =
        |column: &'static str| move |(low, width): (f64, f64)| format!("{column} BETWEEN {low} AND {}", low + width);
    let leaf = prop_oneof![
        3 => (bound(), 0.0..0.3).prop_map(box_of("latitude")),
        3 => (bound(), 0.0..9.0).prop_map(box_of("longitude")),
        1 => bound().prop_map(|at| format!("latitude > {at}")),
        1 => bound().prop_map(|at| format!("longitude <= {at}")),
        1 => (0.0..0.2).prop_map(|off| format!("(longitude >= {} OR longitude <= {})", 180.0 - off, off - 180.0)),
        2 => (operator(), -11..11_i64).prop_map(|(operator, seconds)| {
            format!("time {operator} TIMESTAMP '2020-01-02' + INTERVAL '{seconds} seconds'")
        }),
        1 => Just("beam = 'gt1l'".to_owned()),
        1 => (operator(), 0..4).prop_map(|(operator, id)| format!("segment_id_beg {operator} {id}")),
        1 => Just("segment_id_beg IS NULL".to_owned()),
        1 => (0..6).prop_map(|id| format!("granule = 'g{id}'")),
        1 => (operator(), 1..4).prop_map(|(operator, region)| format!("region {operator} {region}")),
        1 => (operator(), 1..3).prop_map(|(operator, rgt)| format!("rgt {operator} {rgt}")),
        1 => Just("cycle IS NULL".to_owned()),
        1 => (operator(), 0..6).prop_map(|(operator, id)| format!("ingest_id {operator} {id}")),
        1 => Just("canopy_h IS NOT NULL".to_owned()),
        1 => Just("in_region(latitude, longitude, '{\"type\":\"Polygon\",\"coordinates\":[[[9.95,-0.05],[10.05,-0.05],[10,0.1],[9.95,-0.05]]]}')".to_owned()),
    ];
    leaf.prop_recursive(3, 5, 2, |inner| {
        prop_oneof![
            3 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} AND {b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            1 => inner.prop_map(|a| format!("NOT {a}")),
        ]
    })
}

fn options() -> impl Strategy<Value = ViewOptions> {
    let region = prop_oneof![Just("9.95,-0.05,10.05,0.1"), Just("179.95,44,-179.97,46"), Just("-180,-90,180,90")];
    let start = prop::option::of(-11..11_i64);
    (prop::option::of(region), start).prop_map(|(region, start)| ViewOptions {
        filters: Vec::new(),
        region: region.map(|text| Region::parse(text).unwrap()),
        period: Period { start: start.map(|seconds| YEAR_2020 + DAY + seconds * SECOND), end: None },
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: isdb_testing::times(8, 64), max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn a_statement_over_the_view_returns_the_rows_of_its_definition(
        rows in prop::collection::vec(segment(), 1..120), granules in granules(), options in options(),
        conditions in prop::collection::vec(condition(), 12),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(async {
            let (_arrays, context) = database(&rows, &granules, &options).await;
            context.sql(SLOW).await.unwrap();
            for condition in conditions {
                let rows = |view: &str| format!("SELECT id FROM {view} WHERE {condition}");
                let expected = ids(&context, &rows("slow")).await;
                prop_assert_eq!(ids(&context, &rows("atl08_unique")).await, expected, "{}", condition);
            }
            Ok(())
        })?;
    }
}

/// Two granules of one pass: the second begins with the last segment of the first, 20 m away.
async fn overlapping() -> (TestDatabase, SessionContext) {
    let row = |ingest_id, at: i32, off: f64| Segment {
        latitude: 1.0 + f64::from(at) * 0.001 + off,
        longitude: 10.0,
        time: i64::from(at) * 14_000_000,
        ingest_id,
        beam: "gt1l",
        segment_id_beg: Some(1_000 + at * 5),
    };
    let rows = [row(0, 0, 0.0), row(0, 1, 0.0), row(1, 1, 0.000_2), row(1, 2, 0.0)];
    let granule = |region| Granule { rgt: Some(7), cycle: Some(3), region: Some(region) };
    database(&rows, &[granule(1), granule(2)], &ViewOptions::default()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_with_only_the_hidden_row_of_a_segment_returns_neither_of_its_rows() {
    let (_arrays, context) = overlapping().await;
    assert_eq!(ids(&context, "SELECT id FROM atl08_unique").await, [0, 1, 3]);
    assert_eq!(ids(&context, "SELECT id FROM atl08 WHERE latitude > 1.0011").await, [2, 3]);
    assert_eq!(ids(&context, "SELECT id FROM atl08_unique WHERE latitude > 1.0011").await, [3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_limits_joins_and_columns_work_as_for_other_views() {
    let (_arrays, context) = overlapping().await;
    let count = "SELECT CAST(count(*) AS INT) FROM atl08_unique";
    assert_eq!(ids(&context, count).await, [3]);
    assert_eq!(ids(&context, &format!("{count} WHERE granule = 'g1'")).await, [1]);
    assert_eq!(ids(&context, "SELECT id FROM atl08_unique LIMIT 2").await.len(), 2);
    let joined = "SELECT u.id FROM atl08_unique u JOIN atl08_unique v ON u.id = v.id + 1 WHERE u.canopy_h IS NULL";
    assert_eq!(ids(&context, joined).await, Vec::<i32>::new());
    let nested = "SELECT id FROM segments s WHERE NOT EXISTS (SELECT 1 FROM atl08_unique u WHERE u.id = s.id)";
    assert_eq!(ids(&context, nested).await, [2]);
    let schema = |view: &'static str| {
        let context = &context;
        async move { context.table(view).await.unwrap().schema().as_arrow().clone() }
    };
    assert_eq!(schema("atl08_unique").await.fields(), schema("atl08").await.fields());
}

#[tokio::test(flavor = "multi_thread")]
async fn predicates_reach_both_scans() {
    let (_arrays, context) = overlapping().await;
    let plan = physical_plan(
        &context,
        "SELECT id FROM atl08_unique WHERE latitude BETWEEN 0.5 AND 1.5 AND longitude BETWEEN 10 AND 11 \
         AND time >= '2020-01-01' AND time < '2020-01-02' AND beam = 'gt1l'",
    )
    .await;
    let scans: Vec<&str> = plan.lines().filter(|line| line.contains("array=segments")).collect();
    assert_eq!(scans.len(), 2, "{plan}");
    let others = "ranges=[latitude in [0.399999, 1.600001], longitude in [9.899";
    let own = "ranges=[latitude in [0.5, 1.5], longitude in [10, 11], time in [2020-01-01T00:00:00, 2020-01-01T23:59:59.999999999]]";
    for (scan, ranges) in scans.iter().zip([others, own]) {
        assert!(scan.contains(ranges) && scan.contains("condition=[beam = 'gt1l']"), "{ranges}: {plan}");
    }
    assert!(scans[0].contains("time in [2019-12-31T23:59:50, 2020-01-02T00:00:09.999999999]"), "{plan}");
    // The rows that can hide others are the smaller side: their keys are in memory, the rows of the statement are streamed.
    assert!(plan.contains("join_type=RightAnti"), "{plan}");
    let plan = physical_plan(&context, "SELECT id FROM atl08_unique WHERE granule = 'g1'").await;
    let of_ledger = |line: &&str| line.contains("file_type=parquet") && line.contains("predicate=granule@1 = g1");
    assert_eq!(plan.lines().filter(of_ledger).count(), 2, "{plan}");
}
