//! The number of segments that a granule needs to replace stored segments: a file with fewer than half of them is more likely to be
//! damaged or truncated than newer.

use crate::tally::Tally;

/// Segments of the attempts to replace; the new attempt must have at least half of them. Zero requires nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MinimumRows {
    /// Segments that were read, before region and filters.
    pub read: i64,
    /// Segments that were kept by the same region and filters.
    pub kept: i64,
}

impl MinimumRows {
    /// Returns why the attempt with this `tally` must not replace anything; None if it may. Other attempts have stored
    /// `already_stored` of the segments that passed the filters.
    pub(crate) fn problem(self, tally: &Tally, already_stored: i64) -> Option<String> {
        let is_too_few = |now: i64, before: i64| before > 0 && now.saturating_mul(2) < before;
        let kept = tally.rows_kept.saturating_add(already_stored);
        let (what, now, before) = match () {
            () if is_too_few(tally.rows_read, self.read) => ("read", tally.rows_read, self.read),
            () if is_too_few(kept, self.kept) => ("kept", kept, self.kept),
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
    fn a_granule_with_less_than_half_of_the_segments_replaces_nothing() {
        let problem = |minimum: MinimumRows, read, kept, already_stored| {
            minimum.problem(&Tally { rows_read: read, rows_kept: kept, ..Tally::default() }, already_stored)
        };
        let minimum = MinimumRows { read: 10, kept: 4 };
        assert_eq!(problem(minimum, 5, 2, 0), None);
        assert_eq!(problem(minimum, 5, 0, 2), None, "segments of another file of the granule are not lost");
        assert!(problem(minimum, 4, 4, 0).unwrap().contains("half of the 10 segments that were read before, found 4"));
        assert!(problem(minimum, 10, 1, 0).unwrap().contains("half of the 4 segments that were kept before, found 1"));
        assert!(problem(MinimumRows { read: 1, kept: 0 }, 0, 0, 0).is_some(), "none is less than half of one");
        assert_eq!(problem(MinimumRows::default(), 0, 0, 0), None, "an empty granule that replaces nothing");
    }
}
