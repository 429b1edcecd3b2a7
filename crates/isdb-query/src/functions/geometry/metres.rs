//! Distances between geometries in metres along the WGS 84 ellipsoid.

use geo::{Coord, CoordsIter, Geometry, Intersects, Line, LinesIter, Point};
use isdb_region::Position;

/// Metres of a degree, rounded up.
const METRES_OF_DEGREE: f64 = 111_700.0;
/// Share of an edge at which the search for its nearest point ends: a millimetre of 100 km.
const PRECISION: f64 = 1e-8;
/// Of the golden section: the inner points of an interval are reused in the next.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// Returns the shortest distance between two geometries, in metres, zero if they meet; `None` for an empty geometry and for coordinates
/// outside the globe. Edges are straight lines in longitude and latitude.
pub(super) fn distance(a: &Geometry<f64>, b: &Geometry<f64>) -> Option<f64> {
    if let (Geometry::Point(a), Geometry::Point(b)) = (a, b) {
        return Some(position(a.0)?.distance(&position(b.0)?));
    }
    if a.intersects(b) {
        return Some(0.0);
    }
    // Of two geometries that do not meet, a corner of one is nearest to the other.
    let of_corners = nearest_corner(a, b, f64::INFINITY)?;
    let nearest = nearest_corner(b, a, of_corners)?;
    nearest.is_finite().then_some(nearest)
}

/// Returns the smaller of `best` and the shortest distance between a corner of `a` and an edge or a corner of `b`.
fn nearest_corner(a: &Geometry<f64>, b: &Geometry<f64>, best: f64) -> Option<f64> {
    let mut best = best;
    for corner in a.coords_iter() {
        let from = position(corner)?;
        for other in b.coords_iter() {
            best = best.min(from.distance(&position(other)?));
        }
        for edge in edges(b) {
            // No point of an edge is further from one of its ends than the edge is long.
            let length = METRES_OF_DEGREE * edge.dx().hypot(edge.dy());
            let ends = [edge.start, edge.end].map(|end| position(end).map(|end| from.distance(&end)));
            let [Some(start), Some(end)] = ends else { return None };
            if start.max(end) - length < best {
                best = best.min(to_edge(&from, edge)?);
            }
        }
    }
    Some(best)
}

/// Returns the shortest distance to a point of an edge, by a golden section search.
fn to_edge(from: &Position, edge: Line<f64>) -> Option<f64> {
    let at = |share: f64| Some(from.distance(&position(edge.start + (edge.end - edge.start) * share)?));
    let (mut low, mut high) = (0.0, 1.0);
    let (mut left, mut right) = (1.0 - GOLDEN, GOLDEN);
    let (mut to_left, mut to_right) = (at(left)?, at(right)?);
    while high - low > PRECISION {
        if to_left < to_right {
            (high, right, to_right) = (right, left, to_left);
            left = high - GOLDEN * (high - low);
            to_left = at(left)?;
        } else {
            (low, left, to_left) = (left, right, to_right);
            right = low + GOLDEN * (high - low);
            to_right = at(right)?;
        }
    }
    Some(to_left.min(to_right))
}

fn edges(geometry: &Geometry<f64>) -> Vec<Line<f64>> {
    match geometry {
        Geometry::Point(_) | Geometry::MultiPoint(_) => Vec::new(),
        Geometry::Line(line) => vec![*line],
        Geometry::LineString(line) => line.lines_iter().collect(),
        Geometry::MultiLineString(lines) => lines.lines_iter().collect(),
        Geometry::Polygon(polygon) => polygon.lines_iter().collect(),
        Geometry::MultiPolygon(polygons) => polygons.lines_iter().collect(),
        Geometry::Rect(rectangle) => rectangle.lines_iter().collect(),
        Geometry::Triangle(triangle) => triangle.lines_iter().collect(),
        Geometry::GeometryCollection(all) => all.iter().flat_map(edges).collect(),
    }
}

fn position(corner: Coord<f64>) -> Option<Position> {
    let point = Point::from(corner);
    Position::new(point.y(), point.x())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::parse_text;

    fn metres(a: &str, b: &str) -> Option<f64> {
        let (a, b) = (parse_text(a).unwrap(), parse_text(b).unwrap());
        let (there, back) = (distance(&a, &b), distance(&b, &a));
        assert!(there.is_none() == back.is_none());
        assert!(there.zip(back).is_none_or(|(there, back)| (there - back).abs() < 1e-3));
        there
    }

    #[test]
    fn distances_are_those_of_corners_and_edges_along_the_ellipsoid() {
        // One degree of longitude on the equator, and of latitude beside it (GeographicLib).
        assert!((metres("POINT(0 0)", "POINT(1 0)").unwrap() - 111_319.490_793).abs() < 1e-3);
        assert!((metres("POINT(0.5 1)", "LINESTRING(0 0,1 0)").unwrap() - 110_574.388_558).abs() < 1e-3);
        let square = "POLYGON((0 0,2 0,2 2,0 2,0 0))";
        assert_eq!(metres("POINT(1 1)", square), Some(0.0));
        assert!((metres("POINT(-1 1)", square).unwrap() - metres("POINT(-1 1)", "POINT(0 1)").unwrap()).abs() < 1.0);
        assert!(metres("POINT(60 40)", square).unwrap() > 6e6);
        assert_eq!(metres("POINT(0 0)", "POINT(0 91)"), None);
        assert_eq!(metres("POINT(0 0)", "LINESTRING EMPTY"), None);
    }
}
