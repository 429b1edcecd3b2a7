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
        let mut cuts = Vec::new();
        for edge in &all {
            cuts.clear();
            cuts.extend([0.0, 1.0]);
            // Edges after these begin above the end of this one.
            let within_reach = all.partition_point(|other| other.low[1] <= edge.high[1]);
            for other in all.iter().take(within_reach).filter(|other| other.high[1] >= edge.low[1]) {
                cut(edge, other, &mut cuts);
            }
            cuts.sort_by(f64::total_cmp);
            let middles = cuts.iter().zip(cuts.iter().skip(1)).filter(|(a, b)| a < b).map(|(a, b)| (a + b) / 2.0);
            if middles.flat_map(|middle| beside(edge, middle)).any(is_missed) {
                return false;
            }
        }
        true
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

/// The positions a little to both sides of `edge` at `share` of its length.
fn beside(edge: &Edge, share: f64) -> [[f64; 2]; 2] {
    let [[ax, ay], [bx, by]] = [edge.low, edge.high];
    let (ux, uy) = (bx - ax, by - ay);
    let (x, y) = (ax + ux * share, ay + uy * share);
    let aside = ASIDE / ux.hypot(uy);
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
