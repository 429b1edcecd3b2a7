//! A few boxes around a region. A reader first reads these boxes from an array, and then checks each position.

use crate::bounds::Bounds;
use crate::part::RegionPart;

/// The maximum number of boxes for one region; a reader searches the array once for each.
const MAX_BOXES: usize = 16;

/// Boxes that together contain all `parts`.
pub(crate) fn boxes_around(parts: &[RegionPart]) -> Vec<Bounds> {
    let pieces: Vec<Bounds> = parts.iter().flat_map(|part| part.bounds().pieces()).collect();
    let mut boxes = pieces.clone();
    // A position on the dateline may have either of its two longitudes.
    for piece in pieces {
        let others = [(piece.east == 180.0, -180.0), (piece.west == -180.0, 180.0)];
        boxes.extend(others.into_iter().filter(|(touches, _)| *touches).map(|(_, dateline)| Bounds {
            west: dateline,
            east: dateline,
            ..piece
        }));
    }
    merge(boxes, MAX_BOXES)
}

/// At most `max_boxes` boxes around `boxes`, none of which may cross the dateline. No two of them overlap by an area.
pub(crate) fn merge(boxes: Vec<Bounds>, max_boxes: usize) -> Vec<Bounds> {
    let mut boxes = if boxes.len() > 4 * max_boxes { group_by_cell(&boxes) } else { boxes };
    loop {
        let pairs = (0..boxes.len()).flat_map(|first| (first + 1..boxes.len()).map(move |second| (first, second)));
        let cost = |(first, second): (usize, usize)| {
            let (Some(a), Some(b)) = (boxes.get(first), boxes.get(second)) else { return None };
            Some((is_overlapping(a, b), a.hull(b).area() - a.area() - b.area(), first, second))
        };
        let costs = pairs.filter_map(cost);
        let best = costs.min_by(|a, b| b.0.cmp(&a.0).then(a.1.total_cmp(&b.1)));
        let Some((is_overlapping, _, first, second)) = best else { return boxes };
        if !is_overlapping && boxes.len() <= max_boxes {
            return boxes;
        }
        // `second` is behind `first`, so that removing it does not move `first`.
        let other = boxes.swap_remove(second);
        if let Some(bounds) = boxes.get_mut(first) {
            *bounds = bounds.hull(&other);
        }
    }
}

/// Whether two boxes share an area, or one is within the other.
fn is_overlapping(a: &Bounds, b: &Bounds) -> bool {
    let overlap = a.west < b.east && b.west < a.east && a.south < b.north && b.south < a.north;
    overlap || a.covers(b) || b.covers(a)
}

/// Cells along each side of the grid that first groups boxes if there are very many.
const CELLS: f64 = 8.0;

/// One box for each cell of a grid over all `boxes`, around the boxes whose centre is in the cell.
fn group_by_cell(boxes: &[Bounds]) -> Vec<Bounds> {
    let Some(all) = boxes.iter().copied().reduce(|all, bounds| all.hull(&bounds)) else { return Vec::new() };
    let cell = |bounds: &Bounds| {
        let share = |low: f64, high: f64, from: f64, to: f64| {
            let share = ((low + high) / 2.0 - from) / (to - from) * CELLS;
            if share.is_finite() { share.floor().min(CELLS - 1.0) } else { 0.0 }
        };
        let column = share(bounds.west, bounds.east, all.west, all.east);
        column * CELLS + share(bounds.south, bounds.north, all.south, all.north)
    };
    let mut by_cell: Vec<(f64, Bounds)> = boxes.iter().map(|bounds| (cell(bounds), *bounds)).collect();
    by_cell.sort_by(|a, b| a.0.total_cmp(&b.0));
    let around =
        |cell: &[(f64, Bounds)]| cell.iter().map(|(_, bounds)| *bounds).reduce(|all, bounds| all.hull(&bounds));
    by_cell.chunk_by(|a, b| a.0 == b.0).filter_map(around).collect()
}
