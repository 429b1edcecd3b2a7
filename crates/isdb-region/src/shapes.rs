//! What the archive's search is asked for instead of a region: boxes, and polygons simple enough for a request.

use geo::{BooleanOps, Polygon, Rect, coord};

use crate::bounds::Bounds;
use crate::boxes;
use crate::outward::{outward, pieces, points};
use crate::part::Part;
use crate::ring::{area, extent};

/// At most this many shapes stand in one search.
const MOST: usize = 20;
/// A region of more parts is searched for as boxes: to draw a polygon around each would take long, and few would be left.
const MANY: usize = 64;
/// So many points a cut at the dateline may add to a polygon.
const ADDED: usize = 8;
/// A polygon wider than this, in degrees, is searched for as its box: edges along great circles would lead elsewhere.
const WIDE: f64 = 150.0;
/// As is a polygon that comes nearer to a pole than this latitude.
const POLAR: f64 = 89.0;

/// A shape that a search takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A box, over the dateline where `east` is below `west`.
    Box(Bounds),
    /// A polygon without holes that does not cross the dateline: longitude and latitude of its points, counter-clockwise, the
    /// first one again at the end. Its edges may be taken as straight in degrees or as great circles.
    Polygon(Vec<[f64; 2]>),
}

/// Shapes that hold all `parts`.
pub(crate) fn of(parts: &[Part], most_points: usize) -> Vec<Shape> {
    if parts.len() > MANY {
        let pieces = parts.iter().flat_map(|part| part.bounds().pieces()).collect();
        return boxes::merge(pieces, MOST).into_iter().map(Shape::Box).collect();
    }
    let shapes: Vec<Shape> = parts.iter().flat_map(|part| shapes_of(part, most_points)).collect();
    if shapes.len() <= MOST {
        return shapes;
    }
    let shapes: Vec<Shape> = shapes.into_iter().flat_map(without_dateline).collect();
    let merged = boxes::merge(shapes.iter().map(Shape::bounds).collect(), MOST);
    let within = |bounds: &Bounds| {
        let mut inside = shapes.iter().filter(|shape| bounds.covers(&shape.bounds()));
        match (inside.next(), inside.next()) {
            (Some(only), None) => only.clone(),
            _ => Shape::Box(*bounds),
        }
    };
    merged.iter().map(within).collect()
}

fn shapes_of(part: &Part, most_points: usize) -> Vec<Shape> {
    let Part::Polygon(rings) = part else { return vec![Shape::Box(part.bounds())] };
    let line = rings.first().map(|ring| ring.line()).unwrap_or_default();
    let [low, high] = extent(&line);
    if high[0] - low[0] > WIDE || low[1] < -POLAR || high[1] > POLAR {
        return vec![Shape::Box(part.bounds())];
    }
    let is_short = |shape: &Shape| !matches!(shape, Shape::Polygon(line) if line.len() > most_points);
    let within = |piece: &Polygon, most: usize| {
        outward(piece, most).map(|polygon| cut(&polygon)).filter(|shapes| shapes.iter().all(is_short))
    };
    let outer = |piece: &Polygon| {
        within(piece, most_points).or_else(|| within(piece, most_points.saturating_sub(ADDED))).unwrap_or_default()
    };
    let shapes: Vec<Vec<Shape>> = pieces(&line).iter().map(outer).collect();
    if shapes.is_empty() || shapes.iter().any(Vec::is_empty) {
        return vec![Shape::Box(part.bounds())];
    }
    shapes.into_iter().flatten().collect()
}

/// The polygon, which may lie beyond 180 or -180 degrees, in pieces on either side of the dateline.
fn cut(polygon: &Polygon) -> Vec<Shape> {
    let [low, high] = extent(&points(polygon));
    let mut shapes = Vec::new();
    for shift in [-360.0, 0.0, 360.0] {
        let (west, east) = (-180.0 - shift, 180.0 - shift);
        if low[0] >= west && high[0] <= east {
            return vec![shape(polygon, shift)];
        }
        if low[0] < east && high[0] > west {
            let map = Rect::new(coord! { x: west, y: -90.0 }, coord! { x: east, y: 90.0 }).to_polygon();
            shapes.extend(polygon.intersection(&map).iter().map(|piece| shape(piece, shift)));
        }
    }
    shapes
}

/// How far the library's cut may lie from where it should.
const CUT: f64 = 1e-6;

fn shape(polygon: &Polygon, shift: f64) -> Shape {
    let on_map = |[x, y]: [f64; 2]| {
        let x = x + shift;
        [if (x.abs() - 180.0).abs() < CUT { 180.0_f64.copysign(x) } else { x }, y]
    };
    let mut line: Vec<[f64; 2]> = points(polygon).into_iter().map(on_map).collect();
    if area(&line) < 0.0 {
        line.reverse();
    }
    Shape::Polygon(line)
}

fn without_dateline(shape: Shape) -> Vec<Shape> {
    match shape {
        Shape::Box(bounds) => bounds.pieces().map(Shape::Box).collect(),
        polygon => vec![polygon],
    }
}

impl Shape {
    /// The box around it.
    fn bounds(&self) -> Bounds {
        match self {
            Shape::Box(bounds) => *bounds,
            Shape::Polygon(line) => {
                let [low, high] = extent(line);
                Bounds { west: low[0], south: low[1], east: high[0], north: high[1] }
            }
        }
    }
}
