//! Boxes as conditions on latitude and longitude, which can be pushed into an array.

use datafusion::logical_expr::{Expr, lit};
use isdb_region::Bounds;

/// Creates the predicate that is true for a position in one of `boxes`. Boxes between the same parallels, as on both sides of the
/// dateline, become one range of latitude and several of longitude, which an array evaluates exactly.
pub(super) fn boxes_predicate(boxes: &[Bounds], latitude: &Expr, longitude: &Expr) -> Expr {
    let parallels = |bounds: &Bounds| between(latitude, bounds.south, bounds.north);
    let meridians = |bounds: &Bounds| between(longitude, bounds.west, bounds.east);
    let any = |all: Vec<Expr>| all.into_iter().reduce(Expr::or).unwrap_or_else(|| lit(false));
    match boxes {
        [first, rest @ ..] if rest.iter().all(|other| (other.south, other.north) == (first.south, first.north)) => {
            parallels(first).and(any(boxes.iter().map(meridians).collect()))
        }
        _ => any(boxes.iter().map(|bounds| parallels(bounds).and(meridians(bounds))).collect()),
    }
}

/// Creates the predicate that is true for a position in one of the ranges of latitude, and in one of those of longitude, from -180 to 180;
/// None are all longitudes.
pub(crate) fn ranges_predicate(
    parallels: &[(f64, f64)],
    meridians: Option<&[(f64, f64)]>,
    latitude: &Expr,
    longitude: &Expr,
) -> Expr {
    let any = |all: Vec<Expr>| all.into_iter().reduce(Expr::or).unwrap_or_else(|| lit(false));
    let within = any(parallels.iter().map(|(south, north)| between(latitude, *south, *north)).collect());
    let Some(meridians) = meridians else { return within };
    // A table of the user may count longitudes from 0 to 360.
    let turned = meridians.iter().map(|(west, east)| (west + 360.0, east + 360.0)).filter(|(_, east)| *east > 180.0);
    let all = meridians.iter().copied().chain(turned.map(|(west, east)| (west.max(180.0), east)));
    within.and(any(all.map(|(west, east)| between(longitude, west, east)).collect()))
}

/// Creates the predicate that is true for a value of `column` from `low` to `high`.
fn between(column: &Expr, low: f64, high: f64) -> Expr {
    // SQL orders -0 below 0; both are the same position.
    let low = if low == 0.0 { -0.0 } else { low };
    column.clone().between(lit(low), lit(high + 0.0))
}
