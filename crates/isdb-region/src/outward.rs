//! A simpler polygon around a polygon: simplified, then grown by what that may have cut away, and checked against the first one.
//!
//! The archive takes edges as great circles, this program as straight lines in degrees. The polygon that is found holds the
//! first one either way.

use geo::algorithm::bool_ops::FillRule;
use geo::algorithm::buffer::{BufferStyle, LineJoin};
use geo::algorithm::line_measures::metric_spaces::Euclidean;
use geo::{BooleanOps, Buffer, Contains, Coord, Distance, Line, LineString, MultiPolygon, Polygon, Simplify};

/// The tolerance that is tried first, in degrees; then its doubles.
const FINEST: f64 = 1e-4;
/// How often it is doubled.
const DOUBLINGS: i32 = 16;
/// The library calculates on a grid; its results may be off by less than this, in degrees.
const GRID: f64 = 1e-6;
/// No corner of a result is beyond this latitude.
const POLAR: f64 = 89.9;

/// The areas that a closed line in the plane goes around, without holes.
pub(crate) fn pieces(line: &[[f64; 2]]) -> Vec<Polygon> {
    let polygon = Polygon::new(LineString::from(line.to_vec()), Vec::new());
    let filled = polygon.union_with_fill_rule(&MultiPolygon::new(Vec::new()), FillRule::NonZero);
    filled.into_iter().map(|piece| Polygon::new(piece.into_inner().0, Vec::new())).collect()
}

/// The points of a polygon's outer ring, the first one again at the end.
pub(crate) fn points(polygon: &Polygon) -> Vec<[f64; 2]> {
    polygon.exterior().coords().map(|point| [point.x, point.y]).collect()
}

/// A polygon of at most `most` points that holds `polygon` whichever way edges are drawn, as tight as that allows.
pub(crate) fn outward(polygon: &Polygon, most: usize) -> Option<Polygon> {
    let tolerances = (0..DOUBLINGS).map(|doubling| FINEST * 2.0_f64.powi(doubling));
    let joins = [LineJoin::Miter(0.3), LineJoin::Round(0.9)];
    let mut tries = tolerances.flat_map(|tolerance| joins.clone().map(|join| (tolerance, join)));
    tries.find_map(|(tolerance, join)| {
        let simple = polygon.simplify(tolerance);
        let grown = simple.buffer_with_style(BufferStyle::new(2.0 * tolerance).line_join(join));
        let mut around = grown.into_iter().filter(|piece| piece.exterior().coords().count() > 3);
        let (Some(piece), None) = (around.next(), around.next()) else { return None };
        let candidate = in_short_edges(piece.exterior(), tolerance / 2.0, most)?;
        holds(&candidate, polygon).then_some(candidate)
    })
}

/// The ring with its edges cut so short that none lies farther than `least` from its great circle; none if that takes more
/// than `most` points.
fn in_short_edges(ring: &LineString, least: f64, most: usize) -> Option<Polygon> {
    let mut points: Vec<Coord> = Vec::with_capacity(most);
    for line in ring.lines() {
        let parts = (bulge(&line) / least).sqrt().ceil().max(1.0);
        let mut part = 0.0;
        while part < parts {
            if points.len() + 1 >= most {
                return None;
            }
            points.push(line.start + line.delta() * (part / parts));
            part += 1.0;
        }
    }
    Some(Polygon::new(LineString::new(points), Vec::new()))
}

/// Whether `outer` holds `inner` with straight edges as with great circles: one point is inside, and no edge of `outer` comes
/// nearer to an edge of `inner` than to its own great circle.
fn holds(outer: &Polygon, inner: &Polygon) -> bool {
    let clear = |edge: Line| {
        let least = bulge(&edge) + GRID;
        edge.start.y.abs() < POLAR && inner.exterior().lines().all(|other| Euclidean.distance(&edge, &other) >= least)
    };
    inner.exterior().coords().next().is_some_and(|point| outer.contains(point)) && outer.exterior().lines().all(clear)
}

/// How far, in degrees of latitude, the great circle between the ends of an edge lies from the straight line.
fn bulge(edge: &Line) -> f64 {
    let width = (edge.end.x - edge.start.x).to_radians();
    if width == 0.0 {
        return 0.0;
    }
    let (start, end) = (edge.start.y.to_radians().tan(), edge.end.y.to_radians().tan());
    let apart = |share: f64| {
        let circle = (start * (width * (1.0 - share)).sin() + end * (width * share).sin()) / width.sin();
        (circle.atan().to_degrees() - (edge.start.y + (edge.end.y - edge.start.y) * share)).abs()
    };
    // A little more than is found at a few places: the farthest one lies between them.
    1.1 * [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875].into_iter().map(apart).fold(0.0, f64::max)
}
