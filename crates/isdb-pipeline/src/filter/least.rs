//! How many segments a file must have to replace what is stored.

use crate::tally::Tally;

/// The stage of an attempt that failed since it has too few segments for what it was to replace.
pub const REPLACE: &str = "replace";

/// What is replaced, in segments; of these a file must have at least half. Zero where nothing is demanded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Least {
    /// Segments that were read, before region and filters.
    pub read: i64,
    /// Segments that were kept, by the same region and filters.
    pub kept: i64,
}

impl Least {
    /// Why the attempt `tally` must not replace anything; None if it may. `already` segments that passed are stored by others.
    pub(crate) fn problem(self, tally: &Tally, already: i64) -> Option<String> {
        let is_less = |now: i64, before: i64| before > 0 && now.saturating_mul(2) < before;
        let kept = tally.rows_kept.saturating_add(already);
        let (what, now, before) = match () {
            () if is_less(tally.rows_read, self.read) => ("read", tally.rows_read, self.read),
            () if is_less(kept, self.kept) => ("kept", kept, self.kept),
            () => return None,
        };
        Some(format!(
            "expected at least half of the {before} segments that were {what} before, found {now}; nothing was replaced"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_less_than_half_replaces_nothing() {
        let problem = |least: Least, read, kept, already| {
            least.problem(&Tally { rows_read: read, rows_kept: kept, ..Tally::default() }, already)
        };
        let least = Least { read: 10, kept: 4 };
        assert_eq!(problem(least, 5, 2, 0), None);
        assert_eq!(problem(least, 5, 0, 2), None, "what another file of the granule has is not lost");
        assert!(problem(least, 4, 4, 0).unwrap().contains("half of the 10 segments that were read before, found 4"));
        assert!(problem(least, 10, 1, 0).unwrap().contains("half of the 4 segments that were kept before, found 1"));
        assert!(problem(Least { read: 1, kept: 0 }, 0, 0, 0).is_some(), "none is less than half of one");
        assert_eq!(problem(Least::default(), 0, 0, 0), None, "an empty granule that replaces nothing");
    }
}
