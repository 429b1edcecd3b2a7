//! Windows: the granules that are written and committed together. A window never crosses the end of a calendar unit, so
//! that the dates of a query exclude whole fragments, and bounding boxes over all years still touch few
//! (`docs/design/0001-layout.md`).

use chrono::{DateTime, Datelike};
use isdb_schema::config::{Span, Window};

use crate::decide::attempt_plan::PlannedAttempt;

/// Groups `attempts` into windows within `limits`, in the order of their start; those without a date come last.
/// Attempts with different areas are in different windows. So are attempts that replace another release, because they
/// are committed only together.
pub(crate) fn windows(mut attempts: Vec<PlannedAttempt>, limits: Window) -> Vec<Vec<PlannedAttempt>> {
    let start = |attempt: &PlannedAttempt| attempt.candidate.start();
    // The path decides last, so that the same files always make the same windows.
    attempts.sort_by_cached_key(|attempt| {
        let (plan, start) = (&attempt.plan, start(attempt));
        (plan.is_other_release, plan.areas.clone(), start.is_none(), start, attempt.candidate.path.clone())
    });
    let mut windows: Vec<Vec<PlannedAttempt>> = Vec::new();
    let (mut last_group, mut bytes) = (None, 0);
    for attempt in attempts {
        let unit = start(&attempt).and_then(|start| calendar_unit(start, limits.span));
        let group = (attempt.plan.is_other_release, attempt.plan.areas.clone(), unit);
        bytes = u64::saturating_add(bytes, attempt.candidate.size_bytes);
        let is_same_group = last_group.as_ref() == Some(&group);
        match windows.last_mut() {
            Some(window) if is_same_group && window.len() < limits.granules && bytes <= limits.bytes => {
                window.push(attempt);
            }
            _ => {
                bytes = attempt.candidate.size_bytes;
                windows.push(vec![attempt]);
            }
        }
        last_group = Some(group);
    }
    windows
}

/// Whether the granules of a window are committed only together: when one of them replaces another release, so that the
/// two releases are not mixed more than necessary.
pub(crate) fn is_all_or_nothing(window: &[PlannedAttempt]) -> bool {
    window.iter().any(|attempt| attempt.plan.is_other_release)
}

/// Returns the year and the number of the calendar unit (UTC) at `instant`, in seconds since 1970; None beyond the
/// calendar.
fn calendar_unit(instant: i64, unit: Span) -> Option<(i32, u32)> {
    let date = DateTime::from_timestamp(instant, 0)?.date_naive();
    Some(match unit {
        Span::Day => (date.year(), date.ordinal0()),
        Span::Week => (date.iso_week().year(), date.iso_week().week0()),
        Span::Month => (date.year(), date.month0()),
        Span::Quarter => (date.year(), date.month0() / 3),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::attempt_plan::AttemptPlan;
    use crate::find::candidate::Candidate;

    const LIMITS: Window = Window { granules: 2, bytes: 100, span: Span::Quarter };

    fn attempt(name: &str, size_bytes: u64) -> PlannedAttempt {
        let candidate = Candidate { size_bytes, ..Candidate::new(name.into(), Err("unreadable".to_owned())) };
        PlannedAttempt { candidate, plan: AttemptPlan::default() }
    }

    #[test]
    fn spans_change_at_midnight_utc() {
        let first_of_april_2020 = 1_585_699_200;
        for (unit, before, after) in [
            (Span::Quarter, (2020, 0), (2020, 1)),
            (Span::Month, (2020, 2), (2020, 3)),
            (Span::Day, (2020, 90), (2020, 91)),
            (Span::Week, (2020, 13), (2020, 13)),
        ] {
            assert_eq!(calendar_unit(first_of_april_2020 - 1, unit), Some(before));
            assert_eq!(calendar_unit(first_of_april_2020, unit), Some(after));
        }
    }

    #[test]
    fn attempts_that_replace_another_release_have_windows_of_their_own() {
        let mut attempts = ["a", "b", "c"].map(|name| attempt(name, 1));
        attempts[1].plan.is_other_release = true;
        let windows = windows(attempts.into(), LIMITS);
        let paths = |window: &Vec<PlannedAttempt>| -> Vec<String> {
            window.iter().map(|attempt| attempt.candidate.path.display().to_string()).collect()
        };
        assert_eq!(windows.iter().map(paths).collect::<Vec<_>>(), [vec!["a", "c"], vec!["b"]]);
    }

    #[test]
    fn a_window_has_at_most_the_granules_and_bytes_of_its_limits() {
        let sizes =
            |granules: Vec<PlannedAttempt>| -> Vec<usize> { windows(granules, LIMITS).iter().map(Vec::len).collect() };
        assert_eq!(sizes(["a", "b", "c"].map(|name| attempt(name, 1)).into()), [2, 1]);
        assert_eq!(sizes(vec![attempt("a", 60), attempt("b", 60), attempt("c", 40)]), [1, 2]);
        assert_eq!(sizes(vec![attempt("a", 600)]), [1]);
        assert_eq!(sizes(vec![attempt("a", u64::MAX), attempt("b", u64::MAX)]), [1, 1]);
    }
}
