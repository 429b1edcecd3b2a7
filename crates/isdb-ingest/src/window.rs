//! Windows: which granules are written and committed together. No window spans a calendar quarter, so that a query's
//! dates leave out whole fragments and boxes over all years still touch few (`docs/design/0001-layout.md`).

use chrono::{DateTime, Datelike};

use crate::select::Attempt;

/// The attempts in windows of at most `granules`, each of one calendar quarter, in the order of their start. What has no
/// date, or cannot be read, comes last. What replaces another release has windows of its own, since it fails together.
pub(crate) fn windows(mut attempts: Vec<Attempt>, granules: usize) -> Vec<Vec<Attempt>> {
    let start = |attempt: &Attempt| attempt.candidate.identity.as_ref().ok().and_then(|identity| identity.start);
    // The path decides last, so that the same files always make the same windows.
    attempts.sort_by_cached_key(|attempt| {
        let start = start(attempt);
        (attempt.taking.is_other_release, start.is_none(), start, attempt.candidate.path.clone())
    });
    let mut windows: Vec<Vec<Attempt>> = Vec::new();
    let mut last = None;
    for attempt in attempts {
        let of = (attempt.taking.is_other_release, start(&attempt).and_then(quarter));
        match windows.last_mut() {
            Some(window) if last == Some(of) && window.len() < granules => window.push(attempt),
            _ => windows.push(vec![attempt]),
        }
        last = Some(of);
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
    use crate::identify::Candidate;
    use crate::verdict::Taking;

    fn attempt(name: &str) -> Attempt {
        let candidate = Candidate::new(name.into(), Err("unreadable".to_owned()));
        Attempt { candidate, taking: Taking::default() }
    }

    #[test]
    fn quarters_change_at_midnight_utc() {
        let first_of_april_2020 = 1_585_699_200;
        assert_eq!(quarter(first_of_april_2020), Some((2020, 1)));
        assert_eq!(quarter(first_of_april_2020 - 1), Some((2020, 0)));
    }

    #[test]
    fn what_replaces_another_release_fails_together_and_takes_no_other_granule_with_it() {
        let mut attempts = ["a", "b", "c"].map(attempt);
        attempts[1].taking.is_other_release = true;
        let windows = windows(attempts.into(), 9);
        let paths = |window: &Vec<Attempt>| -> Vec<String> {
            window.iter().map(|attempt| attempt.candidate.path.display().to_string()).collect()
        };
        assert_eq!(windows.iter().map(paths).collect::<Vec<_>>(), [vec!["a", "c"], vec!["b"]]);
    }

    #[test]
    fn a_window_holds_no_more_granules_than_asked() {
        let sizes: Vec<usize> = windows(["a", "b", "c"].map(attempt).into(), 2).iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 1]);
    }
}
