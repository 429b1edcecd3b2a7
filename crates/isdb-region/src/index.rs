//! An index of a region's edges by bands of latitude. Whether a position is inside depends only on the edges of its band.

use crate::bounds::Bounds;
use crate::edges::{self, Edge};
use crate::part::RegionPart;

/// The maximum number of bands …
const MAX_BANDS: usize = 4096;
/// … and the maximum number of bands per edge, on average; beyond it there are fewer bands.
const MAX_COPIES: usize = 8;

/// The latitude that replaces a pole, so that its position has a longitude.
const BESIDE_POLE: f64 = 90.0 - 1e-9;

/// The edges of a region, sorted into bands of latitude.
#[derive(Debug)]
pub(crate) struct Index {
    /// The box, if the region is a single one.
    only_box: Option<Bounds>,
    south: f64,
    north: f64,
    bands_per_degree: f64,
    /// The start of each band in `edges`, and the end.
    starts: Vec<usize>,
    /// The edges of each band, grouped by ring.
    edges: Vec<Edge>,
}

/// The position relative to a ring.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Outside,
    Edge,
    Inside,
}

impl Index {
    pub(crate) fn new(parts: &[RegionPart]) -> Index {
        let only_box = match parts {
            [RegionPart::Box(bounds)] => Some(*bounds),
            _ => None,
        };
        let edges = edges::from_parts(parts);
        let south = edges.iter().map(|edge| edge.low[1]).fold(f64::INFINITY, f64::min);
        let north = edges.iter().map(|edge| edge.high[1]).fold(f64::NEG_INFINITY, f64::max);
        let mut index = Index { only_box, south, north, bands_per_degree: 0.0, starts: Vec::new(), edges: Vec::new() };
        let mut bands = edges.len().clamp(1, MAX_BANDS);
        loop {
            index.bands_per_degree = as_float(bands) / (north - south);
            let copies: usize = edges.iter().map(|edge| index.bands_of(edge, bands).count()).sum();
            if bands == 1 || copies <= MAX_COPIES * edges.len() {
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
        index.starts.push(0);
        for list in lists {
            index.edges.extend(list);
            index.starts.push(index.edges.len());
        }
        index
    }

    /// Whether the position is inside or on an edge.
    pub(crate) fn contains(&self, latitude: f64, longitude: f64) -> bool {
        // NaN is in no range.
        if !(self.south..=self.north).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
            return false;
        }
        if let Some(bounds) = self.only_box {
            // On the dateline, try both of its longitudes.
            let other = if longitude.abs() == 180.0 { -longitude } else { longitude };
            return [longitude, other].iter().any(|longitude| match bounds.east < bounds.west {
                true => *longitude >= bounds.west || *longitude <= bounds.east,
                false => (bounds.west..=bounds.east).contains(longitude),
            });
        }
        // All longitudes meet at a pole. A position beside it is never on an edge that runs along the pole.
        let latitude = latitude.clamp(-BESIDE_POLE, BESIDE_POLE);
        let band = self.band(latitude, self.starts.len() - 1);
        let (Some(begin), Some(end)) = (self.starts.get(band), self.starts.get(band + 1)) else { return false };
        is_in_any_part(self.edges.get(*begin..*end).unwrap_or_default(), latitude, longitude)
    }

    fn bands_of(&self, edge: &Edge, bands: usize) -> std::ops::RangeInclusive<usize> {
        self.band(edge.low[1], bands)..=self.band(edge.high[1], bands)
    }

    /// The band of a latitude. Rounding may move a border but never puts a higher latitude into a lower band.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is cut to the bands")]
    fn band(&self, latitude: f64, bands: usize) -> usize {
        (((latitude - self.south) * self.bands_per_degree) as usize).min(bands - 1)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a small number")]
fn as_float(count: usize) -> f64 {
    count as f64
}

/// Whether the position is in a part of `edges`, which are grouped by ring: inside the outer ring and in no hole. A part with
/// nothing but holes here does not reach this latitude.
fn is_in_any_part(edges: &[Edge], latitude: f64, longitude: f64) -> bool {
    edges.chunk_by(|a, b| a.part == b.part).any(|part| {
        let mut rings = part.chunk_by(|a, b| a.ring == b.ring);
        let is_outer = |ring: &[Edge]| ring.first().is_some_and(|edge| edge.ring == 0);
        rings.next().is_some_and(|ring| is_outer(ring) && side(ring, latitude, longitude) != Side::Outside)
            && rings.all(|hole| side(hole, latitude, longitude) != Side::Inside)
    })
}

/// Computes the winding number of the ring around the position, along a ray to the east.
fn side(ring: &[Edge], latitude: f64, longitude: f64) -> Side {
    let mut winding = 0;
    for edge in ring {
        let ([x0, y0], [x1, y1]) = (edge.low, edge.high);
        if latitude < y0 || latitude > y1 || longitude > x0.max(x1) {
            continue;
        }
        // If two edges meet at this latitude, only the upper one counts.
        let counts = if latitude < y1 { edge.direction } else { 0 };
        if longitude < x0.min(x1) {
            winding += counts;
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
            winding += counts;
        }
    }
    if winding == 0 { Side::Outside } else { Side::Inside }
}
