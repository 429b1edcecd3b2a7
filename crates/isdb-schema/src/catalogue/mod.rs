//! The product catalogue: every `land_segments` variable of ATL08 releases 004 to 007, as a compile-time table. It tells
//! the granule reader what to decode, the storage what to create, and people what they are looking at.

mod along_track;
mod canopy;
mod labels;
mod row;
mod search;
mod terrain;
#[cfg(test)]
mod tests;
mod variable;

pub use search::matching;
pub use variable::{Dtype, Fill, Flags, Labels, Releases, Variable, Vertical};

/// The groups of the product, in catalogue order.
const GROUPS: [&[Variable]; 3] = [along_track::LAND_SEGMENTS, canopy::CANOPY, terrain::TERRAIN];

static TABLE: [Variable; GROUPS[0].len() + GROUPS[1].len() + GROUPS[2].len()] = joined();

/// The groups behind each other; Rust joins no slices at compile time by itself.
const fn joined<const N: usize>() -> [Variable; N] {
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

/// The variable called `name` in the product, or else by this plain name (`canopy_h` for `h_canopy`).
#[must_use]
pub fn named(name: &str) -> Option<&'static Variable> {
    variable(name).or_else(|| variables().iter().find(|variable| variable.plain == Some(name)))
}

/// The variable called `name`, which is the last part of its HDF5 path (`h_canopy`); names are unique in the product.
#[must_use]
pub fn variable(name: &str) -> Option<&'static Variable> {
    variables().iter().find(|variable| variable.name == name)
}
