//! Where the other rows of a segment lie: a statement's box and dates, made wider by the distance within which
//! `sql/views/atl08_unique.sql` matches two rows.

use std::collections::BTreeMap;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, col, lit};
use tiledb::Literal;

/// Degrees on the ground between two rows of one segment, at most.
const DEGREES: f64 = 0.1;
/// Time between two rows of one segment, at most: ten seconds in nanoseconds.
const NANOSECONDS: i64 = 10_000_000_000;
/// What the rounding of the view's differences can add, by far.
const ROUNDING: f64 = 1e-6;

/// Closed ranges of coordinates, by the name of the dimension; one that is missing is not restricted.
pub(crate) type Within = BTreeMap<String, Vec<(Literal, Literal)>>;

/// Predicates that every row meets which the view can match with a row in `within`. `latitudes` are those of all rows.
pub(crate) fn nearby(within: &Within, latitudes: (f64, f64)) -> Vec<Expr> {
    let degrees = |name: &str| -> Option<Vec<(f64, f64)>> {
        within
            .get(name)?
            .iter()
            .map(|ends| match ends {
                (Literal::Float(low), Literal::Float(high)) => Some((*low, *high)),
                _ => None,
            })
            .collect()
    };
    let latitude = degrees("latitude");
    let margin = DEGREES + ROUNDING;
    let wider =
        latitude.as_deref().map(|ranges| ranges.iter().map(|(low, high)| (low - margin, high + margin)).collect());
    let highest = match latitude.as_deref() {
        Some([(low, _), .., (_, high)] | [(low, high)]) => low.max(latitudes.0).abs().max(high.min(latitudes.1).abs()),
        _ => latitudes.0.abs().max(latitudes.1.abs()),
    };
    let longitude = degrees("longitude").and_then(|ranges| around(&ranges, highest));
    let times = within.get("time").and_then(|ranges| {
        let wider = ranges.iter().map(|ends| match ends {
            (Literal::TimestampNs(low), Literal::TimestampNs(high)) => {
                Some((low.saturating_sub(NANOSECONDS), high.saturating_add(NANOSECONDS)))
            }
            _ => None,
        });
        wider.collect::<Option<Vec<_>>>()
    });
    let utc = |time: i64| lit(ScalarValue::TimestampNanosecond(Some(time), Some("UTC".into())));
    [
        wider.and_then(|ranges: Vec<_>| any_of("latitude", ranges, lit)),
        longitude.and_then(|ranges| any_of("longitude", ranges, lit)),
        times.and_then(|ranges| any_of("time", ranges, utc)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `ranges` of longitude with the margin on both sides, at `latitude` or nearer to the equator; None where that is the whole parallel.
fn around(ranges: &[(f64, f64)], latitude: f64) -> Option<Vec<(f64, f64)>> {
    let margin = DEGREES / latitude.min(90.0).to_radians().cos() * (1.0 + ROUNDING) + ROUNDING;
    // Next to a pole the cosine is all rounding.
    if !(0.0..180.0).contains(&margin) {
        return None;
    }
    let mut wider = Vec::with_capacity(ranges.len() + 1);
    for (west, east) in ranges.iter().map(|(west, east)| (west - margin, east + margin)) {
        if east - west >= 360.0 {
            return None;
        }
        wider.push((west, east));
        if west < -180.0 {
            wider.push((west + 360.0, 180.0));
        }
        if east > 180.0 {
            wider.push((-180.0, east - 360.0));
        }
    }
    Some(wider)
}

fn any_of<T>(column: &str, ranges: Vec<(T, T)>, value: impl Fn(T) -> Expr) -> Option<Expr> {
    ranges.into_iter().map(|(low, high)| col(column).between(value(low), value(high))).reduce(Expr::or)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whether the view matches two positions, in its own words.
    fn matches(a: (f64, f64), o: (f64, f64)) -> bool {
        let apart = (o.1 - a.1).abs();
        (o.0 - a.0).abs() <= 0.1 && apart.min(360.0 - apart) * a.0.to_radians().cos() <= 0.1
    }

    fn latitude() -> impl Strategy<Value = f64> {
        prop_oneof![4 => -90.0..90.0, 1 => 87.0..90.0, 1 => Just(-90.0)]
    }

    fn longitude() -> impl Strategy<Value = f64> {
        prop_oneof![2 => -180.0..180.0, 1 => 179.0..180.0, 1 => -180.0..-179.0]
    }

    proptest! {
        #[test]
        fn a_match_beyond_the_dateline_or_near_a_pole_lies_in_the_wider_box(
            south in latitude(), height in 0.0_f64..3.0, west in longitude(), width in 0.0_f64..300.0,
            a in (0.0_f64..=1.0, 0.0_f64..=1.0), o in (-0.11_f64..0.11, -1.1_f64..1.1),
        ) {
            let (north, east) = ((south + height).min(90.0), (west + width).min(180.0));
            let a = (south + (north - south) * a.0, west + (east - west) * a.1);
            let turned = a.1 + o.1 * 0.1 / a.0.to_radians().cos().max(1e-3);
            let o = ((a.0 + o.0).clamp(-90.0, 90.0), (turned + 540.0).rem_euclid(360.0) - 180.0);
            prop_assume!(matches(a, o));
            let parallel = around(&[(west, east)], south.abs().max(north.abs()));
            prop_assert!(parallel.is_none_or(|ranges| ranges.iter().any(|(low, high)| *low <= o.1 && o.1 <= *high)));
        }
    }

    #[test]
    fn a_box_on_the_equator_grows_by_a_tenth_of_a_degree_and_ten_seconds() {
        let degrees = |low, high| vec![(Literal::Float(low), Literal::Float(high))];
        let within = Within::from([
            ("latitude".to_owned(), degrees(-1.0, 1.0)),
            ("longitude".to_owned(), degrees(10.0, 11.0)),
            ("time".to_owned(), vec![(Literal::TimestampNs(0), Literal::TimestampNs(1))]),
        ]);
        let told: Vec<String> = nearby(&within, (-90.0, 90.0)).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "latitude BETWEEN Float64(-1.100001) AND Float64(1.100001)",
                "longitude BETWEEN Float64(9.899983667180376) AND Float64(11.100016332819624)",
                "time BETWEEN TimestampNanosecond(-10000000000, Some(\"UTC\")) AND TimestampNanosecond(10000000001, Some(\"UTC\"))",
            ]
        );
        assert!(nearby(&Within::new(), (-90.0, 90.0)).is_empty());
    }

    #[test]
    fn a_box_at_a_pole_says_nothing_of_longitude() {
        assert_eq!(around(&[(10.0, 11.0)], 90.0), None);
    }
}
