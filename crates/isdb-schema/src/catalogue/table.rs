//! The table of all variables, and lookup by name.

use super::variable::Variable;
use super::{along_track, canopy, terrain};

/// The groups of the product, in catalogue order.
const GROUPS: [&[Variable]; 3] = [along_track::LAND_SEGMENTS, canopy::CANOPY, terrain::TERRAIN];

static TABLE: [Variable; GROUPS[0].len() + GROUPS[1].len() + GROUPS[2].len()] = concatenated();

/// Concatenates the groups; Rust cannot join slices at compile time.
const fn concatenated<const N: usize>() -> [Variable; N] {
    let mut table = [GROUPS[0][0]; N];
    let (mut group, mut next) = (0, 0);
    while group < GROUPS.len() {
        let mut at = 0;
        while at < GROUPS[group].len() {
            table[next] = GROUPS[group][at];
            (at, next) = (at + 1, next + 1);
        }
        group += 1;
    }
    table
}

/// Every variable of the product, in catalogue order: along-track, then canopy, then terrain.
#[must_use]
pub fn variables() -> &'static [Variable] {
    &TABLE
}

/// The variable with the product's name `name`, otherwise with the plain name `name` (`canopy_h` for `h_canopy`).
#[must_use]
pub fn named(name: &str) -> Option<&'static Variable> {
    variable(name).or_else(|| variables().iter().find(|variable| variable.plain == Some(name)))
}

/// The variable with the product's name `name`, which is the last part of its HDF5 path (`h_canopy`) and unique in the
/// product.
#[must_use]
pub fn variable(name: &str) -> Option<&'static Variable> {
    variables().iter().find(|variable| variable.name == name)
}
