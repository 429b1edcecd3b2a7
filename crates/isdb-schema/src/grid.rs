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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_one_chunk_and_the_next_chunk_is_its_neighbour() {
        let mut cells = vec![None; (SIDE * SIDE) as usize];
        for x in 0..SIDE {
            for y in 0..SIDE {
                assert_eq!(cells[along_curve(x, y) as usize].replace((x, y)), None);
            }
        }
        for pair in cells.windows(2) {
            let [Some((x, y)), Some((next_x, next_y))] = pair else { panic!("a chunk without a cell") };
            assert_eq!(x.abs_diff(*next_x) + y.abs_diff(*next_y), 1);
        }
    }

    #[test]
    fn positions_at_and_beyond_the_edges_of_the_globe_have_a_chunk() {
        assert_eq!(chunk(90.0, 180.0), chunk(89.9, 179.9));
        assert_eq!(chunk(-90.0, -180.0), chunk(-91.0, -200.0));
        assert_eq!(chunk(f64::NAN, 0.0), chunk(-90.0, 0.0));
        assert_ne!(chunk(0.1, 0.1), chunk(0.1, 3.1));
    }
}
