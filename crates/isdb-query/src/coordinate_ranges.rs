//! The box and the dates of a statement, widened by a margin: where rows are that belong to those the statement selects, such as
//! duplicates of its segments, or the segments of its 20 m pieces.

use std::collections::BTreeMap;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, col, lit};
use tiledb::Literal;

/// Upper limit for the rounding errors of positions and of their differences, in degrees.
const ROUNDING: f64 = 1e-6;

/// How far a row can be from one that it belongs to.
pub(crate) struct Margin {
    /// Degrees of latitude, and of longitude on the equator.
    pub(crate) degrees: f64,
    /// Nanoseconds before and after.
    pub(crate) nanoseconds: i64,
}

/// Closed ranges of coordinates by dimension name. A missing dimension is not restricted.
pub(crate) type CoordinateRanges = BTreeMap<String, Vec<(Literal, Literal)>>;

/// Returns predicates that are true for every row within `margin` of a row in `ranges`. `latitudes` are the lowest and the highest latitude of
/// all rows.
pub(crate) fn widened_ranges(ranges: &CoordinateRanges, margin: &Margin, latitudes: (f64, f64)) -> Vec<Expr> {
    let degrees = |name: &str| -> Option<Vec<(f64, f64)>> {
        ranges
            .get(name)?
            .iter()
            .map(|ends| match ends {
                (Literal::Float(low), Literal::Float(high)) => Some((*low, *high)),
                _ => None,
            })
            .collect()
    };
    let latitude = degrees("latitude");
    let degrees_apart = margin.degrees + ROUNDING;
    let wider = latitude
        .as_deref()
        .map(|ranges| ranges.iter().map(|(low, high)| (low - degrees_apart, high + degrees_apart)).collect());
    let highest = match latitude.as_deref() {
        Some([(low, _), .., (_, high)] | [(low, high)]) => low.max(latitudes.0).abs().max(high.min(latitudes.1).abs()),
        _ => latitudes.0.abs().max(latitudes.1.abs()),
    };
    let longitude = degrees("longitude").and_then(|ranges| widen_longitudes(&ranges, margin.degrees, highest));
    let times = ranges.get("time").and_then(|ranges| {
        let wider = ranges.iter().map(|ends| match ends {
            (Literal::TimestampNs(low), Literal::TimestampNs(high)) => {
                Some((low.saturating_sub(margin.nanoseconds), high.saturating_add(margin.nanoseconds)))
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

/// Widens `ranges` of longitude by `degrees` of the equator at `latitude` or nearer to the equator. None if the result is the whole parallel.
fn widen_longitudes(ranges: &[(f64, f64)], degrees: f64, latitude: f64) -> Option<Vec<(f64, f64)>> {
    let margin = degrees / latitude.min(90.0).to_radians().cos() * (1.0 + ROUNDING) + ROUNDING;
    // Near a pole the cosine is nothing but rounding error.
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

    /// The margin of `atl08_unique`.
    const MARGIN: Margin = Margin { degrees: 0.1, nanoseconds: 10_000_000_000 };

    /// Whether `atl08_unique` matches two positions.
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
        fn matches_across_the_dateline_or_near_a_pole_are_in_the_widened_ranges(
            south in latitude(), height in 0.0_f64..3.0, west in longitude(), width in 0.0_f64..300.0,
            a in (0.0_f64..=1.0, 0.0_f64..=1.0), o in (-0.11_f64..0.11, -1.1_f64..1.1),
        ) {
            let (north, east) = ((south + height).min(90.0), (west + width).min(180.0));
            let a = (south + (north - south) * a.0, west + (east - west) * a.1);
            let turned = a.1 + o.1 * 0.1 / a.0.to_radians().cos().max(1e-3);
            let o = ((a.0 + o.0).clamp(-90.0, 90.0), (turned + 540.0).rem_euclid(360.0) - 180.0);
            prop_assume!(matches(a, o));
            let parallel = widen_longitudes(&[(west, east)], MARGIN.degrees, south.abs().max(north.abs()));
            prop_assert!(parallel.is_none_or(|ranges| ranges.iter().any(|(low, high)| *low <= o.1 && o.1 <= *high)));
        }
    }

    #[test]
    fn a_box_on_the_equator_is_widened_by_a_tenth_of_a_degree_and_ten_seconds() {
        let degrees = |low, high| vec![(Literal::Float(low), Literal::Float(high))];
        let ranges = CoordinateRanges::from([
            ("latitude".to_owned(), degrees(-1.0, 1.0)),
            ("longitude".to_owned(), degrees(10.0, 11.0)),
            ("time".to_owned(), vec![(Literal::TimestampNs(0), Literal::TimestampNs(1))]),
        ]);
        let predicates: Vec<String> =
            widened_ranges(&ranges, &MARGIN, (-90.0, 90.0)).iter().map(ToString::to_string).collect();
        assert_eq!(
            predicates,
            [
                "latitude BETWEEN Float64(-1.100001) AND Float64(1.100001)",
                "longitude BETWEEN Float64(9.899983667180376) AND Float64(11.100016332819624)",
                "time BETWEEN TimestampNanosecond(-10000000000, Some(\"UTC\")) AND TimestampNanosecond(10000000001, Some(\"UTC\"))",
            ]
        );
        assert!(widened_ranges(&CoordinateRanges::new(), &MARGIN, (-90.0, 90.0)).is_empty());
    }

    #[test]
    fn a_box_at_a_pole_does_not_restrict_longitude() {
        assert_eq!(widen_longitudes(&[(10.0, 11.0)], MARGIN.degrees, 90.0), None);
    }
}
