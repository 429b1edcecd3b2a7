use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int32Type;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::SessionContext;
use isdb_region::{Position, Region};

use crate::testing::{DAY, Granule, Segment, TestDatabase, YEAR_2020, database, physical_plan};
use crate::views::options::ViewOptions;

const BEAMS: [&str; 2] = ["gt1l", "gt2r"];

/// 6,000 segments: around 61° N 25.5° E, around 61° N 180° E, around the north pole, and everywhere. Some of granule 1 repeat those of
/// granule 0.
fn segments() -> Vec<Segment> {
    let mut state = 7_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(state >> 32).unwrap()) / f64::from(u32::MAX)
    };
    let mut rows = Vec::new();
    for number in 0..6_000_i32 {
        let (latitude, longitude) = match number % 4 {
            0 => (60.0 + 2.0 * random(), 24.5 + 2.0 * random()),
            1 => (60.5 + random(), 179.0 + 2.0 * random()),
            2 => (88.0 + 2.0 * random(), 360.0 * random()),
            _ => (-90.0 + 180.0 * random(), 360.0 * random()),
        };
        let longitude = if longitude > 180.0 { longitude - 360.0 } else { longitude };
        let row = Segment {
            latitude,
            longitude,
            time: i64::from(number % 100) * DAY,
            ingest_id: 0,
            beam: BEAMS[usize::try_from(number / 4 % 2).unwrap()],
            segment_id_beg: Some(number),
        };
        if number % 5 == 0 {
            rows.push(Segment { ingest_id: 1, ..row.clone() });
        }
        rows.push(row);
    }
    rows
}

async fn place(options: &ViewOptions) -> (Vec<Segment>, TestDatabase, SessionContext) {
    let granule = |region| Granule { rgt: Some(7), cycle: Some(3), region: Some(region) };
    let rows = segments();
    let (files, context) = database(&rows, &[granule(1), granule(2)], options).await;
    (rows, files, context)
}

/// Returns the column `id` in the order of the rows.
async fn in_order(context: &SessionContext, sql: &str) -> Vec<i32> {
    let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
    batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int32Type>().values().to_vec()).collect()
}

/// Returns the ids of `rows` that meet `condition`, nearest first.
fn sorted(rows: &[Segment], (lat, lon): (f64, f64), condition: impl Fn(i32, &Segment) -> bool) -> Vec<i32> {
    let centre = Position::new(lat, lon).unwrap();
    let mut all: Vec<(f64, i32)> = (0..)
        .zip(rows)
        .filter(|(id, row)| condition(*id, row))
        .map(|(id, row)| (centre.distance(&Position::new(row.latitude, row.longitude).unwrap()), id))
        .collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    all.into_iter().map(|(_, id)| id).collect()
}

const CENTRES: [(f64, f64); 4] = [(61.0, 25.5), (61.0, 179.99), (89.0, 10.0), (-90.0, 0.0)];

#[tokio::test]
async fn the_nearest_segments_are_those_of_brute_force_with_every_condition() {
    let (rows, _files, context) = place(&ViewOptions::default()).await;
    for centre in CENTRES {
        let key = format!("distance_m(latitude, longitude, {}, {})", centre.0, centre.1);
        let all = sorted(&rows, centre, |_, _| true);
        let sql = format!("SELECT id FROM atl08 ORDER BY {key}, id LIMIT 20");
        assert_eq!(in_order(&context, &sql).await, all[..20], "{sql}");
        let sql = format!("SELECT id, {key} AS far FROM atl08 ORDER BY far, id LIMIT 20 OFFSET 5");
        assert_eq!(in_order(&context, &sql).await, all[5..25], "{sql}");
        let strong = sorted(&rows, centre, |id, row| row.beam == "gt2r" && id % 3 != 0);
        let sql = format!(
            "SELECT id FROM atl08 WHERE beam = 'gt2r' AND h_canopy > 1 AND rgt = 7 ORDER BY {key}, id LIMIT 20"
        );
        assert_eq!(in_order(&context, &sql).await, strong[..20], "{sql}");
        let once = sorted(&rows, centre, |_, row| row.ingest_id == 0);
        let sql = format!("SELECT id FROM atl08_unique ORDER BY {key}, id LIMIT 20");
        assert_eq!(in_order(&context, &sql).await, once[..20], "{sql}");
        let sql = format!("SELECT id FROM (SELECT * FROM atl08_unique WHERE beam = 'gt1l') ORDER BY {key} LIMIT 20");
        let left = sorted(&rows, centre, |_, row| row.ingest_id == 0 && row.beam == "gt1l");
        assert_eq!(in_order(&context, &sql).await, left[..20], "{sql}");
        // Fewer rows than the limit are found in the circle of everything.
        let sql = format!("SELECT id FROM atl08 WHERE latitude < -80 AND beam = 'gt1l' ORDER BY {key}, id LIMIT 2000");
        let south = sorted(&rows, centre, |_, row| row.latitude < -80.0 && row.beam == "gt1l");
        assert!(south.len() > 10 && south.len() < 2_000);
        assert_eq!(in_order(&context, &sql).await, south, "{sql}");
        let sql = format!("SELECT id FROM atl08 WHERE beam = 'gt9' ORDER BY {key} LIMIT 3");
        assert!(in_order(&context, &sql).await.is_empty());
    }
}

#[tokio::test]
async fn a_region_and_a_period_apply_before_the_nearest_are_chosen() {
    let options = ViewOptions { region: Some(Region::parse("25.6,60,40,90").unwrap()), ..ViewOptions::default() };
    let (rows, _files, context) = place(&options).await;
    let inside = |_: i32, row: &Segment| (25.6..=40.0).contains(&row.longitude) && row.latitude >= 60.0;
    let expected = sorted(&rows, (61.0, 25.5), inside);
    let sql = "SELECT id FROM atl08 ORDER BY distance_m(61, 25.5, latitude, longitude), id LIMIT 20";
    assert_eq!(in_order(&context, sql).await, expected[..20]);
    let period = isdb_schema::period::Period { start: Some(YEAR_2020 + 50 * DAY), end: None };
    let (rows, _files, context) = place(&ViewOptions { period, ..ViewOptions::default() }).await;
    let later = sorted(&rows, (61.0, 25.5), |_, row| row.time >= 50 * DAY);
    assert_ne!(later, sorted(&rows, (61.0, 25.5), |_, _| true), "the period leaves rows out");
    assert_eq!(in_order(&context, sql).await, later[..20]);
}

/// Returns the metric `name` of the operator that reads circles.
fn metric(plan: &Arc<dyn ExecutionPlan>, name: &str) -> Option<usize> {
    if plan.name() == "NearestExec" {
        return plan.metrics()?.sum_by_name(name).map(|value| value.as_usize());
    }
    plan.children().into_iter().find_map(|child| metric(child, name))
}

#[tokio::test]
async fn the_nearest_segments_are_found_by_reading_a_small_part_of_the_array() {
    let (rows, _files, context) = place(&ViewOptions::default()).await;
    for (lat, lon) in CENTRES {
        for table in ["atl08", "atl08_unique"] {
            let sql = format!("SELECT id FROM {table} ORDER BY distance_m(latitude, longitude, {lat}, {lon}) LIMIT 20");
            let plan = context.sql(&sql).await.unwrap().create_physical_plan().await.unwrap();
            collect(Arc::clone(&plan), context.task_ctx()).await.unwrap();
            let read = metric(&plan, "rows_read").unwrap();
            assert!(read < rows.len() / 4, "{sql}: {read} of {}", rows.len());
            assert!(metric(&plan, "circles").unwrap() > 1, "{sql}");
        }
    }
    let first =
        physical_plan(&context, "SELECT id FROM atl08 ORDER BY distance_m(latitude, longitude, 61, 25.5) LIMIT 9");
    let first = first.await;
    assert!(first.contains("ranges=[latitude in [60.99") && first.contains("longitude in [25.48"), "{first}");
}

#[tokio::test]
async fn other_orders_and_other_tables_are_sorted_as_usual() {
    let (_, _files, context) = place(&ViewOptions::default()).await;
    let key = "distance_m(latitude, longitude, 61, 25.5)";
    for sql in [
        format!("SELECT id FROM atl08 ORDER BY {key} DESC LIMIT 3"),
        format!("SELECT id FROM atl08 ORDER BY {key}"),
        format!("SELECT id FROM atl08 ORDER BY beam, {key} LIMIT 3"),
        format!("SELECT * FROM (VALUES (1.0, 2.0)) AS t(latitude, longitude) ORDER BY {key} LIMIT 3"),
        format!(
            "SELECT beam FROM (SELECT beam, max(latitude) AS latitude, max(longitude) AS longitude FROM atl08 GROUP BY beam) ORDER BY {key} LIMIT 1"
        ),
    ] {
        let plan = physical_plan(&context, &sql).await;
        assert!(!plan.contains("NearestExec"), "{sql}: {plan}");
        context.sql(&sql).await.unwrap().collect().await.unwrap();
    }
}
