//! The spatial grid: the globe divided into chunks, which are numbered along a Hilbert curve so that chunks with
//! similar numbers are near each other. A chunk is the unit by which rows are distributed to writers and packed into
//! fragments.

/// Chunks along each axis: 2.8° of longitude by 1.4° of latitude.
const SIDE: u32 = 128;

/// The number of the chunk of a position in degrees, below 16,384. A position outside the globe, or NaN, belongs to the
/// chunk at its edge.
#[must_use]
pub fn chunk(latitude: f64, longitude: f64) -> u32 {
    along_curve(cell(longitude, -180.0, 360.0), cell(latitude, -90.0, 180.0))
}

/// West, south, east and north of a chunk, in degrees; None for a number that no chunk has.
#[must_use]
pub fn chunk_box(number: u32) -> Option<[f64; 4]> {
    let (x, y) = place_on_curve(number)?;
    let degrees = |cell: u32, least: f64, span: f64| least + f64::from(cell) / f64::from(SIDE) * span;
    let (longitude, latitude) = (|x| degrees(x, -180.0, 360.0), |y| degrees(y, -90.0, 180.0));
    Some([longitude(x), latitude(y), longitude(x + 1), latitude(y + 1)])
}

fn cell(degrees: f64, least: f64, span: f64) -> u32 {
    let position = (degrees - least) / span * f64::from(SIDE);
    // The conversion saturates and turns NaN into zero.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "cells are few, and negative ones are zero"
    )]
    let cell = position as u32;
    cell.min(SIDE - 1)
}

/// The position of cell (`x`, `y`) along the curve.
fn along_curve(mut x: u32, mut y: u32) -> u32 {
    let mut position = 0;
    let mut side = SIDE / 2;
    while side > 0 {
        let (right, upper) = (u32::from(x & side > 0), u32::from(y & side > 0));
        position += side * side * ((3 * right) ^ upper);
        if upper == 0 {
            if right == 1 {
                x = SIDE - 1 - x;
                y = SIDE - 1 - y;
            }
            std::mem::swap(&mut x, &mut y);
        }
        side /= 2;
    }
    position
}

/// The cell at a position along the curve.
fn place_on_curve(position: u32) -> Option<(u32, u32)> {
    if position >= SIDE * SIDE {
        return None;
    }
    let (mut x, mut y, mut rest, mut side) = (0, 0, position, 1);
    while side < SIDE {
        let right = 1 & (rest / 2);
        let upper = 1 & (rest ^ right);
        if upper == 0 {
            if right == 1 {
                x = side - 1 - x;
                y = side - 1 - y;
            }
            std::mem::swap(&mut x, &mut y);
        }
        x += side * right;
        y += side * upper;
        rest /= 4;
        side *= 2;
    }
    Some((x, y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_one_chunk_and_the_next_chunk_is_its_neighbour() {
        let mut cells = vec![None; (SIDE * SIDE) as usize];
        for x in 0..SIDE {
            for y in 0..SIDE {
                assert_eq!(cells[along_curve(x, y) as usize].replace((x, y)), None);
                assert_eq!(place_on_curve(along_curve(x, y)), Some((x, y)));
            }
        }
        for pair in cells.windows(2) {
            let [Some((x, y)), Some((next_x, next_y))] = pair else { panic!("a chunk without a cell") };
            assert_eq!(x.abs_diff(*next_x) + y.abs_diff(*next_y), 1);
        }
    }

    #[test]
    fn a_position_is_in_the_box_of_its_chunk() {
        for (latitude, longitude) in [(-3.3, -62.1), (78.0, 179.9), (-88.0, -180.0), (0.1, 0.1)] {
            let [west, south, east, north] = chunk_box(chunk(latitude, longitude)).unwrap();
            assert!((west..east).contains(&longitude) && (south..north).contains(&latitude));
            assert_eq!((east - west, north - south), (2.8125, 1.40625));
        }
        assert_eq!(chunk_box(SIDE * SIDE), None);
    }

    #[test]
    fn positions_at_and_beyond_the_edges_of_the_globe_have_a_chunk() {
        assert_eq!(chunk(90.0, 180.0), chunk(89.9, 179.9));
        assert_eq!(chunk(-90.0, -180.0), chunk(-91.0, -200.0));
        assert_eq!(chunk(f64::NAN, 0.0), chunk(-90.0, 0.0));
        assert_ne!(chunk(0.1, 0.1), chunk(0.1, 3.1));
    }
}
