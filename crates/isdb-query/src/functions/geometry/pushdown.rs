//! Conditions on `ST_Point(longitude, latitude)` as ranges of latitude and longitude, which reach an array.

use datafusion::logical_expr::{Expr, lit};
use geo::{BoundingRect, Geometry};

use crate::functions::boxes::ranges_predicate;
use crate::functions::distance_m::distance_m_function;
use crate::functions::near::near_function;
use crate::functions::positions::literal_number;
use crate::geometry::geometry_at;

/// Name of the function that makes points.
pub(super) const POINT_NAME: &str = "st_point";
/// The shortest degree of latitude, and of longitude at the equator, in metres, rounded down.
const METRES_OF_DEGREE: f64 = 110_000.0;

/// What planning makes of a condition.
pub(super) enum Pushed {
    /// The same value by another expression.
    Equal(Expr),
    /// A condition that is true wherever the function is.
    Within(Expr),
}

/// The point of an argument: latitude and longitude.
struct PointExpr {
    latitude: Expr,
    longitude: Expr,
    is_constant: bool,
}

/// A relation of a point to a constant geometry: the point is in the box of the geometry.
pub(super) fn relation(arguments: &[Expr]) -> Option<Pushed> {
    let [a, b] = arguments else { return None };
    let (point, other) = point_and_constant(a, b).or_else(|| point_and_constant(b, a))?;
    Some(Pushed::Within(box_predicate(&point, &other, 0.0)?))
}

/// The distance between two points.
pub(super) fn distance(arguments: &[Expr]) -> Option<Pushed> {
    let [a, b] = arguments else { return None };
    let (a, b) = (point(a)?, point(b)?);
    Some(Pushed::Equal(distance_m_function().call(vec![a.latitude, a.longitude, b.latitude, b.longitude])))
}

/// A distance of at most some metres between two points, or a point and a constant geometry.
pub(super) fn within_distance(arguments: &[Expr]) -> Option<Pushed> {
    let [a, b, metres] = arguments else { return None };
    if let (Some(a), Some(b)) = (point(a), point(b)) {
        let arguments = vec![a.latitude, a.longitude, b.latitude, b.longitude, metres.clone()];
        return Some(Pushed::Equal(near_function().call(arguments)));
    }
    let (point, other) = point_and_constant(a, b).or_else(|| point_and_constant(b, a))?;
    let metres = literal_number(metres).filter(|metres| *metres >= 0.0)?;
    Some(Pushed::Within(box_predicate(&point, &other, metres)?))
}

fn point_and_constant(a: &Expr, b: &Expr) -> Option<(PointExpr, Geometry<f64>)> {
    let point = point(a).filter(|point| !point.is_constant)?;
    Some((point, constant(b)?))
}

/// Recognises a call of `ST_Point` and a constant point.
fn point(expr: &Expr) -> Option<PointExpr> {
    match expr {
        Expr::Alias(alias) => point(&alias.expr),
        Expr::ScalarFunction(call) if call.func.name() == POINT_NAME => match call.args.as_slice() {
            [x, y] => Some(PointExpr { latitude: y.clone(), longitude: x.clone(), is_constant: false }),
            _ => None,
        },
        _ => match constant(expr)? {
            Geometry::Point(point) => {
                Some(PointExpr { latitude: lit(point.y()), longitude: lit(point.x()), is_constant: true })
            }
            _ => None,
        },
    }
}

fn constant(expr: &Expr) -> Option<Geometry<f64>> {
    match expr {
        Expr::Literal(value, _) => geometry_at(&value.to_array().ok()?, 0),
        _ => None,
    }
}

/// The condition that a point is at most `metres` from the box of a geometry.
fn box_predicate(point: &PointExpr, geometry: &Geometry<f64>, metres: f64) -> Option<Expr> {
    let bounds = geometry.bounding_rect()?;
    let (low, high) = (bounds.min(), bounds.max());
    let margin = metres / METRES_OF_DEGREE;
    let (south, north) = ((low.y - margin).max(-90.0), (high.y + margin).min(90.0));
    // A degree of longitude is shortest at the highest latitude. A box that leaves the usual longitudes is not restricted in them.
    let cosine = south.abs().max(north.abs()).to_radians().cos();
    let meridians = (low.x, high.x);
    let meridians = if metres > 0.0 { widened(meridians, margin / cosine.max(1e-9)) } else { Some(meridians) };
    let meridians = meridians.filter(|(west, east)| -180.0 <= *west && *east <= 180.0).map(|range| vec![range]);
    Some(ranges_predicate(&[(south, north)], meridians.as_deref(), &point.latitude, &point.longitude))
}

fn widened((west, east): (f64, f64), margin: f64) -> Option<(f64, f64)> {
    let range = (west - margin, east + margin);
    (range.0 >= -180.0 && range.1 <= 180.0).then_some(range)
}
