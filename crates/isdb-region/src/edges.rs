//! The edges of a region's rings on a map from -180 to 180 degrees of longitude.

use std::collections::BTreeMap;

use crate::part::RegionPart;
use crate::ring::Ring;
use crate::ring::extent;

/// A straight edge, lower end first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    /// Longitude and latitude of the lower end.
    pub(crate) low: [f64; 2],
    /// Longitude and latitude of the upper end.
    pub(crate) high: [f64; 2],
    /// 1 where the ring runs upwards, -1 where it runs downwards; 0 along a parallel.
    pub(crate) direction: i32,
    /// Whether the area ends at this edge. False on the meridian where a ring around a pole begins and ends, and at a pole.
    pub(crate) is_border: bool,
    /// Index of the part in the region.
    pub(crate) part: u32,
    /// Index of the ring in that part: 0 is the outer ring, the others are holes.
    pub(crate) ring: u32,
}

/// The edges of all `parts`, grouped by ring. A ring that extends beyond the edge of the map is repeated for each side
/// of the map on which a part of it is visible.
pub(crate) fn from_parts(parts: &[RegionPart]) -> Vec<Edge> {
    let mut edges = Vec::new();
    for (part, number) in parts.iter().zip(0..) {
        match part {
            RegionPart::Box(bounds) => add_ring(&Ring::around(bounds), number, 0, &mut edges),
            RegionPart::Polygon(rings) => {
                for (line, ring) in rings.iter().zip(0..) {
                    add_ring(line, number, ring, &mut edges);
                }
            }
        }
    }
    edges
}

fn add_ring(line: &Ring, part: u32, ring: u32, edges: &mut Vec<Edge>) {
    let [low, high] = extent(&line.line());
    let first = edges.len();
    for shift in [-720.0, -360.0, 0.0, 360.0, 720.0] {
        if low[0] + shift > 180.0 || high[0] + shift < -180.0 {
            continue;
        }
        let line = line.shifted_line(shift);
        for (a, b) in line.iter().zip(line.iter().skip(1)).filter(|(a, b)| a != b) {
            let (low, high, direction) = match a[1].total_cmp(&b[1]) {
                std::cmp::Ordering::Less => (*a, *b, 1),
                std::cmp::Ordering::Equal => (*a, *b, 0),
                std::cmp::Ordering::Greater => (*b, *a, -1),
            };
            edges.push(Edge { low, high, direction, is_border: true, part, ring });
        }
    }
    if let (true, Some(edges)) = (high[0] - low[0] >= 360.0, edges.get_mut(first..)) {
        mark_seams(edges);
    }
}

/// Finds the edges at which the area of a ring around the globe does not end: pairs of equal edges that run in both
/// directions.
fn mark_seams(edges: &mut [Edge]) {
    let key = |edge: &Edge| [edge.low[0], edge.low[1], edge.high[0], edge.high[1]].map(f64::to_bits);
    let mut runs: BTreeMap<[u64; 4], i32> = BTreeMap::new();
    for edge in edges.iter() {
        *runs.entry(key(edge)).or_default() += edge.direction;
    }
    for edge in edges {
        edge.is_border = match edge.direction {
            0 => edge.low[1].abs() < 90.0,
            _ => runs.get(&key(edge)) != Some(&0),
        };
    }
}
