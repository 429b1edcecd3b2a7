//! Windows: which granules are written and committed together. No window spans a calendar quarter, so that a query's
//! dates leave out whole fragments and boxes over all years still touch few (`docs/design/0001-layout.md`).

use chrono::{DateTime, Datelike};

use crate::identify::Candidate;

/// The candidates in windows of at most `granules`, each of one calendar quarter, in the order of their start. What has no
/// date, or cannot be read, comes last.
pub(crate) fn windows(candidates: Vec<Candidate>, granules: usize) -> Vec<Vec<Candidate>> {
    let start = |candidate: &Candidate| candidate.identity.as_ref().ok().and_then(|identity| identity.start);
    let mut candidates = candidates;
    // The path decides last, so that the same files always make the same windows.
    candidates.sort_by_cached_key(|candidate| (start(candidate).is_none(), start(candidate), candidate.path.clone()));
    let mut windows: Vec<Vec<Candidate>> = Vec::new();
    let mut last_quarter = None;
    for candidate in candidates {
        let quarter = start(&candidate).and_then(quarter);
        match windows.last_mut() {
            Some(window) if last_quarter == Some(quarter) && window.len() < granules => window.push(candidate),
            _ => windows.push(vec![candidate]),
        }
        last_quarter = Some(quarter);
    }
    windows
}

/// The calendar quarter (UTC) of an instant in seconds since 1970; None beyond the calendar.
fn quarter(instant: i64) -> Option<(i32, u32)> {
    DateTime::from_timestamp(instant, 0).map(|date| (date.year(), date.month0() / 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &str) -> Candidate {
        Candidate { path: name.into(), size_bytes: 1, identity: Err("unreadable".to_owned()) }
    }

    #[test]
    fn quarters_change_at_midnight_utc() {
        let first_of_april_2020 = 1_585_699_200;
        assert_eq!(quarter(first_of_april_2020), Some((2020, 1)));
        assert_eq!(quarter(first_of_april_2020 - 1), Some((2020, 0)));
    }

    #[test]
    fn a_window_holds_no_more_granules_than_asked() {
        let sizes: Vec<usize> = windows(["a", "b", "c"].map(candidate).into(), 2).iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 1]);
    }
}
