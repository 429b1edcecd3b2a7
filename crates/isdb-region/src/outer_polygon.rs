//! A simpler polygon around a polygon: simplified, grown by the tolerance of the simplification, then verified to contain the
//! original.
//!
//! Search services draw edges along great circles; a region's edges are straight in degrees. The outer polygon contains the
//! original either way.

use geo::algorithm::bool_ops::FillRule;
use geo::algorithm::buffer::{BufferStyle, LineJoin};
use geo::algorithm::line_measures::metric_spaces::Euclidean;
use geo::{BooleanOps, Buffer, Contains, Coord, Distance, Line, LineString, MultiPolygon, Polygon, Simplify};

/// The first tolerance to try, in degrees; it is doubled until the polygon is simple enough.
const FINEST_TOLERANCE: f64 = 1e-4;
/// Number of tolerances to try.
const DOUBLINGS: i32 = 16;
/// `geo` computes on a grid; its results are off by less than this, in degrees.
const GRID: f64 = 1e-6;
/// Corners of a result are below this latitude.
const MAX_LATITUDE: f64 = 89.9;

/// The areas that a closed line in the plane goes around, without holes.
pub(crate) fn enclosed_areas(line: &[[f64; 2]]) -> Vec<Polygon> {
    let polygon = Polygon::new(LineString::from(line.to_vec()), Vec::new());
    let filled = polygon.union_with_fill_rule(&MultiPolygon::new(Vec::new()), FillRule::NonZero);
    filled.into_iter().map(|piece| Polygon::new(piece.into_inner().0, Vec::new())).collect()
}

/// The points of a polygon's outer ring, closed by the first one.
pub(crate) fn points(polygon: &Polygon) -> Vec<[f64; 2]> {
    polygon.exterior().coords().map(|point| [point.x, point.y]).collect()
}

/// The tightest polygon found with at most `max_points` points that contains `polygon`, however edges are drawn.
pub(crate) fn outer_polygon(polygon: &Polygon, max_points: usize) -> Option<Polygon> {
    let tolerances = (0..DOUBLINGS).map(|doubling| FINEST_TOLERANCE * 2.0_f64.powi(doubling));
    let joins = [LineJoin::Miter(0.3), LineJoin::Round(0.9)];
    let mut tries = tolerances.flat_map(|tolerance| joins.clone().map(|join| (tolerance, join)));
    tries.find_map(|(tolerance, join)| {
        let simple = polygon.simplify(tolerance);
        let grown = simple.buffer_with_style(BufferStyle::new(2.0 * tolerance).line_join(join));
        let mut around = grown.into_iter().filter(|piece| piece.exterior().coords().count() > 3);
        let (Some(piece), None) = (around.next(), around.next()) else { return None };
        let candidate = with_short_edges(piece.exterior(), tolerance / 2.0, max_points)?;
        contains_with_any_edges(&candidate, polygon).then_some(candidate)
    })
}

/// The ring with its edges divided until each is within `max_bulge` degrees of its great circle; `None` if that takes
/// more than `max_points` points.
fn with_short_edges(ring: &LineString, max_bulge: f64, max_points: usize) -> Option<Polygon> {
    let mut points: Vec<Coord> = Vec::with_capacity(max_points);
    for line in ring.lines() {
        let parts = (bulge(&line) / max_bulge).sqrt().ceil().max(1.0);
        let mut part = 0.0;
        while part < parts {
            if points.len() + 1 >= max_points {
                return None;
            }
            points.push(line.start + line.delta() * (part / parts));
            part += 1.0;
        }
    }
    Some(Polygon::new(LineString::new(points), Vec::new()))
}

/// Whether `outer` contains `inner` with straight edges and with great circles: one point is inside, and every edge of
/// `outer` is farther from the edges of `inner` than from its own great circle.
fn contains_with_any_edges(outer: &Polygon, inner: &Polygon) -> bool {
    let clear = |edge: Line| {
        let least = bulge(&edge) + GRID;
        edge.start.y.abs() < MAX_LATITUDE
            && inner.exterior().lines().all(|other| Euclidean.distance(&edge, &other) >= least)
    };
    inner.exterior().coords().next().is_some_and(|point| outer.contains(point)) && outer.exterior().lines().all(clear)
}

/// The distance, in degrees of latitude, between an edge and the great circle through its ends.
fn bulge(edge: &Line) -> f64 {
    let width = (edge.end.x - edge.start.x).to_radians();
    if width == 0.0 {
        return 0.0;
    }
    let (start, end) = (edge.start.y.to_radians().tan(), edge.end.y.to_radians().tan());
    let distance = |share: f64| {
        let circle = (start * (width * (1.0 - share)).sin() + end * (width * share).sin()) / width.sin();
        (circle.atan().to_degrees() - (edge.start.y + (edge.end.y - edge.start.y) * share)).abs()
    };
    // 10 % more than at these places, because the maximum is between them.
    1.1 * [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875].into_iter().map(distance).fold(0.0, f64::max)
}
