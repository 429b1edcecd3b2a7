//! What answers quickly whether a position lies in a region: its edges in bands of latitude, so that only those near the
//! position's parallel are looked at.

use crate::bounds::Bounds;
use crate::edges::{self, Edge};
use crate::part::Part;

/// At most this many bands …
const MOST_BANDS: usize = 4096;
/// … and not so many that edges stand in more than this many of them on average.
const MOST_COPIES: usize = 8;

/// The last latitude at which longitudes are told apart.
const BESIDE_POLE: f64 = 90.0 - 1e-9;

/// The edges of a region, ready to be asked.
#[derive(Debug)]
pub(crate) struct Index {
    /// The box, where the region is nothing else.
    only: Option<Bounds>,
    south: f64,
    north: f64,
    bands_per_degree: f64,
    /// Where each band begins in `entries`, and the end.
    begins: Vec<usize>,
    /// The edges of each band, those of a ring one behind the other.
    entries: Vec<Edge>,
}

/// Where a position lies to a ring.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Outside,
    Edge,
    Inside,
}

impl Index {
    pub(crate) fn new(parts: &[Part]) -> Index {
        let only = match parts {
            [Part::Box(bounds)] => Some(*bounds),
            _ => None,
        };
        let edges = edges::of(parts);
        let south = edges.iter().map(|edge| edge.low[1]).fold(f64::INFINITY, f64::min);
        let north = edges.iter().map(|edge| edge.high[1]).fold(f64::NEG_INFINITY, f64::max);
        let mut index = Index { only, south, north, bands_per_degree: 0.0, begins: Vec::new(), entries: Vec::new() };
        let mut bands = edges.len().clamp(1, MOST_BANDS);
        loop {
            index.bands_per_degree = as_float(bands) / (north - south);
            let copies: usize = edges.iter().map(|edge| index.bands_of(edge, bands).count()).sum();
            if bands == 1 || copies <= MOST_COPIES * edges.len() {
                break;
            }
            bands /= 2;
        }
        let mut lists: Vec<Vec<Edge>> = vec![Vec::new(); bands];
        for edge in &edges {
            for band in index.bands_of(edge, bands) {
                if let Some(list) = lists.get_mut(band) {
                    list.push(*edge);
                }
            }
        }
        index.begins.push(0);
        for list in lists {
            index.entries.extend(list);
            index.begins.push(index.entries.len());
        }
        index
    }

    /// Whether the position is inside or on an edge.
    pub(crate) fn contains(&self, latitude: f64, longitude: f64) -> bool {
        // NaN is in no range.
        if !(self.south..=self.north).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
            return false;
        }
        if let Some(only) = self.only {
            // Both numbers of the dateline are looked at.
            let other = if longitude.abs() == 180.0 { -longitude } else { longitude };
            return [longitude, other].iter().any(|longitude| match only.east < only.west {
                true => *longitude >= only.west || *longitude <= only.east,
                false => (only.west..=only.east).contains(longitude),
            });
        }
        // All longitudes meet at a pole; a position beside it is told apart from its edges.
        let latitude = latitude.clamp(-BESIDE_POLE, BESIDE_POLE);
        let band = self.band(latitude, self.begins.len() - 1);
        let (Some(begin), Some(end)) = (self.begins.get(band), self.begins.get(band + 1)) else { return false };
        is_in_any_part(self.entries.get(*begin..*end).unwrap_or_default(), latitude, longitude)
    }

    fn bands_of(&self, edge: &Edge, bands: usize) -> std::ops::RangeInclusive<usize> {
        self.band(edge.low[1], bands)..=self.band(edge.high[1], bands)
    }

    /// The band of a latitude: rounding may move a border, but never puts a higher latitude into a lower band.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is cut to the bands")]
    fn band(&self, latitude: f64, bands: usize) -> usize {
        (((latitude - self.south) * self.bands_per_degree) as usize).min(bands - 1)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a small number")]
fn as_float(count: usize) -> f64 {
    count as f64
}

/// Whether the position is in a part whose rings stand one behind the other in `edges`: in the outer one and in no hole. A part
/// of which only holes are here does not reach this latitude.
fn is_in_any_part(edges: &[Edge], latitude: f64, longitude: f64) -> bool {
    edges.chunk_by(|a, b| a.part == b.part).any(|part| {
        let mut rings = part.chunk_by(|a, b| a.ring == b.ring);
        let is_outer = |ring: &[Edge]| ring.first().is_some_and(|edge| edge.ring == 0);
        rings.next().is_some_and(|ring| is_outer(ring) && side(ring, latitude, longitude) != Side::Outside)
            && rings.all(|hole| side(hole, latitude, longitude) != Side::Inside)
    })
}

/// Counts how often the ring goes around the position, along a ray to the east.
fn side(ring: &[Edge], latitude: f64, longitude: f64) -> Side {
    let mut around = 0;
    for edge in ring {
        let ([x0, y0], [x1, y1]) = (edge.low, edge.high);
        if latitude < y0 || latitude > y1 || longitude > x0.max(x1) {
            continue;
        }
        // Of two edges that meet at this latitude the upper one counts.
        let counts = if latitude < y1 { edge.direction } else { 0 };
        if longitude < x0.min(x1) {
            around += counts;
            continue;
        }
        let left = (x1 - x0) * (latitude - y0) - (longitude - x0) * (y1 - y0);
        if left == 0.0 {
            match edge.is_border {
                true => return Side::Edge,
                false => continue,
            }
        }
        if left > 0.0 {
            around += counts;
        }
    }
    if around == 0 { Side::Outside } else { Side::Inside }
}
