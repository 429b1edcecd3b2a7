use std::sync::Arc;

use arrow::array::{AsArray, Float64Array, Int32Array, RecordBatch};
use arrow::datatypes::Int64Type;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::SessionContext;
use proptest::prelude::*;

use crate::testing::{DAY, Granule, Segment, TestDatabase, database, physical_plan};
use crate::views::options::ViewOptions;

/// A position in one of three places: 61° N, across the dateline, at the pole.
fn position() -> impl Strategy<Value = (f64, f64)> {
    let place = prop_oneof![Just((61.0, 25.5)), Just((10.0, 180.0)), Just((89.99, 0.0))];
    (place, -0.02_f64..0.02, -0.02_f64..0.02).prop_map(
        |((latitude, longitude), north, east): ((f64, f64), f64, f64)| {
            let east = if latitude > 89.0 { east * 9_000.0 } else { east };
            ((latitude + north).min(90.0), (longitude + east + 540.0).rem_euclid(360.0) - 180.0)
        },
    )
}

/// A plot: its position, NULL for some, and a radius.
type Plot = (Option<(f64, f64)>, Option<f64>);

fn plot() -> impl Strategy<Value = Plot> {
    let metres = prop_oneof![4 => (0.0_f64..1_500.0).prop_map(Some), 1 => Just(Some(-1.0)), 1 => Just(None)];
    let position = prop_oneof![8 => position().prop_map(Some), 1 => Just(None)];
    (position, metres)
}

fn segment((latitude, longitude): (f64, f64), number: usize) -> Segment {
    let number = i32::try_from(number).unwrap();
    Segment {
        latitude,
        longitude,
        time: i64::from(number % 9) * DAY,
        ingest_id: i64::from(number % 2),
        beam: if number % 3 == 0 { "gt1l" } else { "gt2r" },
        segment_id_beg: Some(number),
    }
}

async fn place(segments: &[(f64, f64)], plots: &[Plot]) -> (TestDatabase, SessionContext) {
    let segments: Vec<_> = segments.iter().enumerate().map(|(number, at)| segment(*at, number)).collect();
    let granule = |region| Granule { rgt: Some(7), cycle: Some(3), region: Some(region) };
    let (files, context) = database(&segments, &[granule(1), granule(2)], &ViewOptions::default()).await;
    let ids = 0..i32::try_from(plots.len()).unwrap();
    let column = |value: fn(&Plot) -> Option<f64>| -> arrow::array::ArrayRef {
        Arc::new(plots.iter().map(value).collect::<Float64Array>())
    };
    let batch = RecordBatch::try_from_iter([
        ("plot", Arc::new(Int32Array::from_iter_values(ids)) as arrow::array::ArrayRef),
        ("lat", column(|plot| plot.0.map(|at| at.0))),
        ("lon", column(|plot| plot.0.map(|at| at.1))),
        ("radius", column(|plot| plot.1)),
    ]);
    context.register_batch("plots", batch.unwrap()).unwrap();
    (files, context)
}

/// Returns the rows of a statement as text, sorted.
async fn rows(context: &SessionContext, sql: &str) -> Vec<String> {
    let mut rows = Vec::new();
    for batch in context.sql(sql).await.unwrap().collect().await.unwrap() {
        let options = FormatOptions::default().with_null("NULL");
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        rows.extend(
            (0..batch.num_rows())
                .map(|row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join(" ")),
        );
    }
    rows.sort();
    rows
}

/// The joins; `#` is the condition, `@` the radius.
const JOINS: [&str; 12] = [
    "SELECT a.id, p.plot FROM atl08 a JOIN plots p ON #",
    "SELECT a.id, p.plot FROM plots p JOIN atl08 a ON # AND a.id % 4 > p.plot % 4",
    "SELECT a.id, p.plot FROM plots p LEFT JOIN atl08 a ON # AND a.beam = 'gt2r'",
    "SELECT a.id, p.plot FROM atl08 a LEFT JOIN plots p ON # AND p.plot <> a.id % 3",
    "SELECT a.id, p.plot FROM atl08 a RIGHT JOIN plots p ON #",
    "SELECT a.id, p.plot FROM atl08 a FULL JOIN plots p ON #",
    "SELECT id, beam FROM atl08 a WHERE EXISTS (SELECT 1 FROM plots p WHERE #)",
    "SELECT id FROM atl08 a WHERE NOT EXISTS (SELECT 1 FROM plots p WHERE # AND p.plot % 3 > a.id % 2)",
    "SELECT plot, lat FROM plots p WHERE EXISTS (SELECT 1 FROM atl08 a WHERE # AND a.rgt = 7)",
    "SELECT plot FROM plots p WHERE NOT EXISTS (SELECT 1 FROM atl08 a WHERE #)",
    "SELECT count(*) FROM atl08_unique a, plots p WHERE # AND a.h_canopy > 1",
    "SELECT p.plot, count(a.id) AS n FROM plots p LEFT JOIN (SELECT * FROM atl08 WHERE beam = 'gt1l') a ON # GROUP BY p.plot",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_join_with_the_index_has_the_rows_of_one_that_compares_all_pairs(
        segments in prop::collection::vec(position(), 0..120),
        plots in prop::collection::vec(plot(), 0..25),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(async {
            let (_files, context) = place(&segments, &plots).await;
            for (number, join) in JOINS.iter().enumerate() {
                let metres = if number % 2 == 0 { "p.radius" } else { "700" };
                let near = format!("near(a.latitude, a.longitude, p.lat, p.lon, {metres})");
                let fast = join.replace('#', &near);
                let slow = join.replace('#', &format!("distance_m(a.latitude, a.longitude, p.lat, p.lon) <= {metres}"));
                let plan = physical_plan(&context, &fast).await;
                prop_assert!(plan.contains("NearJoinExec"), "{}\n{}", fast, plan);
                prop_assert!(!physical_plan(&context, &slow).await.contains("NearJoinExec"), "{}", slow);
                prop_assert_eq!(rows(&context, &fast).await, rows(&context, &slow).await, "{}", fast);
            }
            Ok(())
        })?;
    }
}

fn metric(plan: &Arc<dyn ExecutionPlan>, name: &str) -> Option<usize> {
    if plan.name() == "NearJoinExec" {
        return plan.metrics()?.sum_by_name(name).map(|value| value.as_usize());
    }
    plan.children().into_iter().find_map(|child| metric(child, name))
}

#[tokio::test]
async fn a_join_with_plots_reads_the_array_around_them_only() {
    let segments: Vec<_> = (0..4_000).map(|number| (f64::from(number) * 0.01 - 20.0, f64::from(number % 50))).collect();
    let plots = [(Some((1.25, 25.0)), Some(800.0)), (Some((5.3, 30.0)), Some(2_000.0)), (None, Some(1e9))];
    let (_files, context) = place(&segments, &plots).await;
    for sql in [
        "SELECT count(*) FROM plots p LEFT JOIN atl08 a ON near(a.latitude, a.longitude, p.lat, p.lon, p.radius)",
        "SELECT count(*) FROM atl08_unique a JOIN plots p ON near(p.lat, p.lon, a.latitude, a.longitude, p.radius)",
    ] {
        let plan = context.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
        let batches = collect(Arc::clone(&plan), context.task_ctx()).await.unwrap();
        assert!(batches[0].column(0).as_primitive::<Int64Type>().value(0) >= 1, "{sql}");
        let read = metric(&plan, "probe_rows").unwrap();
        assert!(read < 20, "{sql}: {read} rows");
        assert_eq!(metric(&plan, "indexed_rows"), Some(3));
    }
}

#[tokio::test]
async fn a_join_with_an_equality_is_left_to_the_engine() {
    let (_files, context) = place(&[(1.0, 2.0)], &[(Some((1.0, 2.0)), Some(5.0))]).await;
    let sql =
        "SELECT a.id FROM atl08 a JOIN plots p ON a.id = p.plot AND near(a.latitude, a.longitude, p.lat, p.lon, 5)";
    assert!(!physical_plan(&context, sql).await.contains("NearJoinExec"));
    assert_eq!(rows(&context, sql).await, ["0"]);
}
