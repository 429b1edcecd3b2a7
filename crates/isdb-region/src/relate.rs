//! Relations between areas: whether one covers another, and whether a region meets a box.
//!
//! The edges of two regions divide the map into faces, and every face has an edge on its border. Checking positions a
//! little to both sides of each piece of edge therefore finds every face that is in one region and not in the other,
//! unless the face is thinner than that distance.

use crate::bounds::Bounds;
use crate::edges::{self, Edge};
use crate::region::Region;

/// The distance from an edge, in degrees.
const ASIDE: f64 = 1e-9;
/// The distance from an edge at which regions overlap: more than the rounding of coordinates with six decimals, 10 cm.
const SHARED: f64 = 1e-6;

impl Region {
    /// Whether every position of `other` is in this region, with a tolerance of 10⁻⁹ degrees.
    #[must_use]
    pub fn covers(&self, other: &Region) -> bool {
        if self.is_everything() || other.parts.iter().all(|part| self.parts.contains(part)) {
            return true;
        }
        if let (Some(outer), Some(inner)) = (self.as_box(), other.as_box()) {
            return outer.covers(&inner);
        }
        let mut all = edges::from_parts(&other.parts);
        all.extend(edges::from_parts(&self.parts));
        all.sort_by(|a, b| a.low[1].total_cmp(&b.low[1]));
        let is_missed = |[longitude, latitude]: [f64; 2]| {
            other.contains(latitude, longitude) && !self.contains(latitude, longitude)
        };
        !pieces_have(&all, ASIDE, 0.0, is_missed)
    }

    /// Whether this region and `other` share an area that is wider than 2 × 10⁻⁶ degrees, 20 cm. Regions that share an edge, each with its
    /// own rounded points, do not overlap.
    #[must_use]
    pub fn overlaps(&self, other: &Region) -> bool {
        let of_both = self.parts.iter().flat_map(|part| {
            let others = other.parts.iter().map(|other| (part.bounds(), other.bounds()));
            others.flat_map(|(own, other)| {
                own.pieces().flat_map(move |own| other.pieces().map(move |other| (own, other)))
            })
        });
        let shared: Vec<Bounds> = of_both.filter_map(|(own, other)| intersection(&own, &other)).collect();
        let mut all: Vec<Edge> =
            [self, other].into_iter().flat_map(|region| edges::from_parts(&region.parts)).collect();
        all.retain(|edge| shared.iter().any(|bounds| passes(edge, bounds)));
        all.sort_by(|a, b| a.low[1].total_cmp(&b.low[1]));
        // Beside a short piece, an area may be narrow.
        pieces_have(&all, SHARED, 2.0 * SHARED, |[longitude, latitude]| {
            self.contains(latitude, longitude) && other.contains(latitude, longitude)
        })
    }

    /// Whether any position of `bounds` is in the region.
    #[must_use]
    pub fn intersects_box(&self, bounds: &Bounds) -> bool {
        let meets = |piece: &Bounds| {
            let has_corner = piece.corners().iter().any(|[longitude, latitude]| self.contains(*latitude, *longitude));
            has_corner || edges::from_parts(&self.parts).iter().any(|edge| passes(edge, piece))
        };
        bounds.pieces().any(|piece| meets(&piece))
    }
}

/// The box that two boxes share, neither of which crosses the dateline.
fn intersection(a: &Bounds, b: &Bounds) -> Option<Bounds> {
    let shared = Bounds {
        west: a.west.max(b.west),
        south: a.south.max(b.south),
        east: a.east.min(b.east),
        north: a.north.min(b.north),
    };
    (shared.west <= shared.east && shared.south <= shared.north).then_some(shared)
}

/// Whether `is_found` is true `aside` from the middle of any piece of edge between the points where edges meet that is at least `shortest`
/// long. The edges are sorted by their lower ends.
fn pieces_have(all: &[Edge], aside: f64, shortest: f64, is_found: impl Fn([f64; 2]) -> bool) -> bool {
    let mut cuts = Vec::new();
    all.iter().any(|edge| {
        cuts.clear();
        cuts.extend([0.0, 1.0]);
        // Edges after these begin above the end of this one.
        let within_reach = all.partition_point(|other| other.low[1] <= edge.high[1]);
        for other in all.iter().take(within_reach).filter(|other| other.high[1] >= edge.low[1]) {
            cut(edge, other, &mut cuts);
        }
        cuts.sort_by(f64::total_cmp);
        let length = (edge.high[0] - edge.low[0]).hypot(edge.high[1] - edge.low[1]);
        let pieces = cuts.iter().zip(cuts.iter().skip(1)).filter(|(a, b)| a < b && (*b - *a) * length >= shortest);
        pieces.flat_map(|(a, b)| beside(edge, (a + b) / 2.0, aside)).any(&is_found)
    })
}

/// Adds the points at which `other` meets `edge`, as shares of the edge's length.
fn cut(edge: &Edge, other: &Edge, cuts: &mut Vec<f64>) {
    let [[ax, ay], [bx, by]] = [edge.low, edge.high];
    let [[cx, cy], [dx, dy]] = [other.low, other.high];
    if cx.max(dx) < ax.min(bx) || cx.min(dx) > ax.max(bx) {
        return;
    }
    let (ux, uy, vx, vy) = (bx - ax, by - ay, dx - cx, dy - cy);
    let across = ux * vy - uy * vx;
    let length = ux * ux + uy * uy;
    let mut keep = |share: f64| {
        if share > 0.0 && share < 1.0 {
            cuts.push(share);
        }
    };
    // Ends of the other edge, for edges that run along each other, …
    keep(((cx - ax) * ux + (cy - ay) * uy) / length);
    keep(((dx - ax) * ux + (dy - ay) * uy) / length);
    // … and where they cross.
    if across != 0.0 {
        keep(((cx - ax) * vy - (cy - ay) * vx) / across);
    }
}

/// The positions `distance` degrees to both sides of `edge` at `share` of its length.
fn beside(edge: &Edge, share: f64, distance: f64) -> [[f64; 2]; 2] {
    let [[ax, ay], [bx, by]] = [edge.low, edge.high];
    let (ux, uy) = (bx - ax, by - ay);
    let (x, y) = (ax + ux * share, ay + uy * share);
    let aside = distance / ux.hypot(uy);
    [[x - uy * aside, y + ux * aside], [x + uy * aside, y - ux * aside]]
}

/// Whether some point of `edge` lies in `bounds`, which does not cross the dateline.
fn passes(edge: &Edge, bounds: &Bounds) -> bool {
    let [[x0, y0], [x1, y1]] = [edge.low, edge.high];
    let (mut first, mut last) = (0.0_f64, 1.0_f64);
    for (from, step, low, high) in [(x0, x1 - x0, bounds.west, bounds.east), (y0, y1 - y0, bounds.south, bounds.north)]
    {
        if step == 0.0 {
            if from < low || from > high {
                return false;
            }
            continue;
        }
        let (a, b) = ((low - from) / step, (high - from) / step);
        first = first.max(a.min(b));
        last = last.min(a.max(b));
    }
    first <= last
}
