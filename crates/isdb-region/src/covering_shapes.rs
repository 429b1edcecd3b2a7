//! Shapes around a region that are simple enough for a search request: boxes, and polygons with few points.

use geo::{BooleanOps, Polygon, Rect, coord};

use crate::bounds::Bounds;
use crate::boxes;
use crate::outer_polygon::{enclosed_areas, outer_polygon, points};
use crate::part::RegionPart;
use crate::ring::{area, extent};

/// The maximum number of shapes for one region.
const MAX_SHAPES: usize = 20;
/// A region with more parts than this gets boxes only: polygons around each part would take long, and few of them would remain.
const MAX_PARTS: usize = 64;
/// The maximum number of points that a cut at the dateline adds to a polygon.
const CUT_POINTS: usize = 8;
/// A polygon wider than this, in degrees, is replaced by its box, because its great circles are far from its edges.
const MAX_WIDTH: f64 = 150.0;
/// A polygon beyond this latitude is replaced by its box as well.
const MAX_LATITUDE: f64 = 89.0;

/// A shape for a search request.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A box; it crosses the dateline if `east` is below `west`.
    Box(Bounds),
    /// A polygon without holes that does not cross the dateline: longitude and latitude of its points,
    /// counter-clockwise, closed by the first one. Edges may be drawn straight in degrees or along great circles.
    Polygon(Vec<[f64; 2]>),
}

/// Shapes that together contain all `parts`.
pub(crate) fn shapes_around(parts: &[RegionPart], max_points: usize) -> Vec<Shape> {
    if parts.len() > MAX_PARTS {
        let pieces = parts.iter().flat_map(|part| part.bounds().pieces()).collect();
        return boxes::merge(pieces, MAX_SHAPES).into_iter().map(Shape::Box).collect();
    }
    let shapes: Vec<Shape> = parts.iter().flat_map(|part| shapes_around_part(part, max_points)).collect();
    if shapes.len() <= MAX_SHAPES {
        return shapes;
    }
    let shapes: Vec<Shape> = shapes.into_iter().flat_map(split_at_dateline).collect();
    let merged = boxes::merge(shapes.iter().map(Shape::bounds).collect(), MAX_SHAPES);
    let within = |bounds: &Bounds| {
        let mut inside = shapes.iter().filter(|shape| bounds.covers(&shape.bounds()));
        match (inside.next(), inside.next()) {
            (Some(only), None) => only.clone(),
            _ => Shape::Box(*bounds),
        }
    };
    merged.iter().map(within).collect()
}

fn shapes_around_part(part: &RegionPart, max_points: usize) -> Vec<Shape> {
    let RegionPart::Polygon(rings) = part else { return vec![Shape::Box(part.bounds())] };
    let line = rings.first().map(|ring| ring.line()).unwrap_or_default();
    let [low, high] = extent(&line);
    if high[0] - low[0] > MAX_WIDTH || low[1] < -MAX_LATITUDE || high[1] > MAX_LATITUDE {
        return vec![Shape::Box(part.bounds())];
    }
    let is_short = |shape: &Shape| !matches!(shape, Shape::Polygon(line) if line.len() > max_points);
    let within = |area: &Polygon, max_points: usize| {
        outer_polygon(area, max_points)
            .map(|polygon| cut_at_dateline(&polygon))
            .filter(|shapes| shapes.iter().all(is_short))
    };
    let around = |area: &Polygon| {
        within(area, max_points).or_else(|| within(area, max_points.saturating_sub(CUT_POINTS))).unwrap_or_default()
    };
    let shapes: Vec<Vec<Shape>> = enclosed_areas(&line).iter().map(around).collect();
    if shapes.is_empty() || shapes.iter().any(Vec::is_empty) {
        return vec![Shape::Box(part.bounds())];
    }
    shapes.into_iter().flatten().collect()
}

/// The polygon, whose longitudes may exceed 180 or -180 degrees, in pieces on either side of the dateline.
fn cut_at_dateline(polygon: &Polygon) -> Vec<Shape> {
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

/// The maximum distance, in degrees, between the dateline and a cut that `geo` computed.
const CUT_ERROR: f64 = 1e-6;

fn shape(polygon: &Polygon, shift: f64) -> Shape {
    let on_map = |[x, y]: [f64; 2]| {
        let x = x + shift;
        [if (x.abs() - 180.0).abs() < CUT_ERROR { 180.0_f64.copysign(x) } else { x }, y]
    };
    let mut line: Vec<[f64; 2]> = points(polygon).into_iter().map(on_map).collect();
    if area(&line) < 0.0 {
        line.reverse();
    }
    Shape::Polygon(line)
}

fn split_at_dateline(shape: Shape) -> Vec<Shape> {
    match shape {
        Shape::Box(bounds) => bounds.pieces().map(Shape::Box).collect(),
        polygon => vec![polygon],
    }
}

impl Shape {
    /// The box around the shape.
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
