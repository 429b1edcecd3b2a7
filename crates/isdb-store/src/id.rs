//! Ids of attempts and fragments. The writer's epoch is the upper half and a counter the lower, so that no id is ever used twice.

use serde::{Deserialize, Serialize};

/// An id: `epoch << 32 | counter`. Ids of a later writer are larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(pub i64);

impl Id {
    /// The id of an epoch and a counter.
    pub fn new(epoch: u32, counter: u32) -> Id {
        Id((i64::from(epoch) << 32) | i64::from(counter))
    }

    /// The counter in the lower half.
    pub(crate) fn counter(self) -> u32 {
        u32::try_from(self.0 & i64::from(u32::MAX)).unwrap_or(u32::MAX)
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_later_writer_are_larger_than_all_of_an_earlier_one() {
        assert!(Id::new(2, 0) > Id::new(1, u32::MAX));
        assert!(Id::new(1, 1) > Id::new(1, 0));
    }
}
