//! Sums in the ledger: every segment that was read is kept, rejected, or removed by one filter.

use crate::support::TestFolder;
use crate::support::handmade_granule as handmade;

/// A database with every fate of a segment: kept, without position, removed, NULL for a filter, in a failed granule.
fn with_every_fate() -> TestFolder {
    let place = TestFolder::new();
    place.make_granules("granules", &["--count", "12", "--every", "11", "--segments", "120"]);
    // Without position: a fill value and NaN.
    let latitudes = [2.0, f32::MAX, 2.1, f32::NAN, 2.2];
    handmade::granule(&place, &format!("granules/{}", handmade::NAME), &latitudes, |land| {
        land.create_dataset("night_flag").with_i8_data(&[1, 1, 0, 0, 1]).with_shape(&[5]);
        land.create_dataset("solar_elevation").with_f32_data(&[-5.0, -5.0, 5.0, 5.0, -5.0]).with_shape(&[5]);
        let mut canopy = land.create_group("canopy");
        canopy.create_dataset("h_canopy").with_f32_data(&[7.0, 7.0, 7.0, 7.0, 1.0]).with_shape(&[5]);
        let canopy = canopy.finish();
        land.add_group(canopy);
    });
    std::fs::write(place.path("granules/broken.h5"), "no HDF5").unwrap();
    let config =
        "product: ATL08\nfilters:\n  - strong\n  - night\n  - sunny: solar_elevation > -90 OR h_canopy IS NULL\n";
    std::fs::write(place.path("c.yml"), format!("{config}  - tall: canopy_h > 3\nwindow: {{granules: 3}}\n")).unwrap();
    let run = place.run(&["--config", "c.yml", "ingest", "granules"]);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    place
}

#[test]
fn every_segment_read_is_kept_rejected_or_removed() {
    let place = with_every_fate();
    let unequal = "SELECT granule, rows_read, rows_kept, rows_rejected, rows_removed FROM granules \
                   WHERE rows_read <> rows_kept + rows_rejected + rows_removed";
    assert_eq!(place.rows(unequal), [""; 0]);
    let each = "SELECT sum(rows_read) > 0, sum(rows_kept) > 0, sum(rows_rejected), sum(rows_removed) > 0 FROM granules";
    assert_eq!(place.rows(each), ["true,true,2,true"], "each kind is there");
    let handmade = "SELECT rows_read, rows_kept, rows_rejected, rows_removed FROM granules WHERE rows_read = 5";
    assert_eq!(place.rows(handmade), ["5,1,2,2"]);
}

#[test]
fn rows_kept_in_the_ledger_equal_the_rows_of_a_query() {
    let place = with_every_fate();
    let differing = "SELECT g.granule, g.rows_kept, s.rows FROM granules g \
                     LEFT JOIN (SELECT ingest_id, count(*) AS rows FROM segments GROUP BY ingest_id) s \
                     ON g.ingest_id = s.ingest_id WHERE g.rows_kept <> coalesce(s.rows, 0)";
    assert_eq!(place.rows(differing), [""; 0]);
    let strangers = "SELECT count(*) FROM segments WHERE ingest_id NOT IN (SELECT ingest_id FROM granules)";
    assert_eq!(place.rows(strangers), ["0"]);
}

#[test]
fn every_removed_segment_counts_for_one_filter() {
    let place = with_every_fate();
    let message = place.ok(&["query", "--format", "ndjson", "SELECT rows_removed, removed_by FROM granules"]).stdout;
    let mut granules = 0;
    for line in message.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let Some(removed_by) = row["removed_by"].as_str() else { continue };
        let filters: Vec<serde_json::Value> = serde_json::from_str(removed_by).unwrap();
        let charged: u64 = filters.iter().map(|filter| filter["removed"].as_u64().unwrap()).sum();
        assert_eq!(Some(charged), row["rows_removed"].as_u64(), "{line}");
        for filter in &filters {
            let count = |of: &str| filter[of].as_u64().unwrap();
            assert!(count("null") <= count("removed") && count("removed") <= count("alone"), "{line}");
        }
        granules += 1;
    }
    assert!(granules >= 12, "{message}");
}
