//! The SQL functions `along_track_km(segment_id_beg)` and `pass_id(rgt, cycle)`: where on its track and in which pass a segment is.

use datafusion::logical_expr::ScalarUDF;

use super::number_function::{NumberFunction, Returns, any_constants};

/// Kilometres of a geosegment.
const GEOSEGMENT_KM: f64 = 0.02;
/// Factor of the track in a pass; cycles have at most three digits.
const CYCLES: f64 = 1_000.0;

/// Creates the function: kilometres along the reference ground track from the equator, where the orbit begins northwards, to the
/// beginning of the segment. The product numbers geosegments of 20 m from 1 on there.
pub(super) fn along_track_km_function() -> ScalarUDF {
    let compute = |arguments: &[f64]| match arguments {
        [segment] => Some((segment - 1.0) * GEOSEGMENT_KM),
        _ => None,
    };
    let arguments = &["segment_id_beg"];
    NumberFunction { name: "along_track_km", arguments, returns: Returns::Double, compute, problem: any_constants }
        .function()
}

/// Creates the function: a number for each pass, `rgt` followed by the three digits of `cycle`: 395003 is track 395 in cycle 3.
pub(super) fn pass_id_function() -> ScalarUDF {
    let compute = |arguments: &[f64]| match arguments {
        [track, cycle] if (0.0..CYCLES).contains(cycle) => Some(track * CYCLES + cycle),
        _ => None,
    };
    let arguments = &["rgt", "cycle"];
    NumberFunction { name: "pass_id", arguments, returns: Returns::Int, compute, problem: any_constants }.function()
}

#[cfg(test)]
mod tests {
    use crate::testing::answer;

    #[tokio::test]
    async fn the_distance_along_the_track_and_the_pass_depend_on_the_segment_alone() {
        assert_eq!(answer("SELECT along_track_km(1) AS x, along_track_km(500001) AS y").await, "x|y;0.0|10000.0");
        assert_eq!(answer("SELECT along_track_km(NULL) IS NULL AS x").await, "x;true");
        assert_eq!(answer("SELECT pass_id(395, 3) AS x, pass_id(rgt => 1, cycle => 27) AS y").await, "x|y;395003|1027");
        assert_eq!(answer("SELECT pass_id(395, NULL) IS NULL AS x").await, "x;true");
        assert_eq!(answer("SELECT arrow_typeof(pass_id(395, 3)) AS x").await, "x;Int32");
    }
}
