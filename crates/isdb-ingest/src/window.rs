//! Windows: which granules are written and committed together. No window crosses a span of the calendar, so that a query's
//! dates leave out whole fragments and boxes over all years still touch few (`docs/design/0001-layout.md`).

use chrono::{DateTime, Datelike};
use isdb_schema::config::{Span, Window};

use crate::select::Attempt;

/// The attempts in windows within `limits`, in the order of their start. What has no date comes last. What
/// is taken of another area has windows of its own, and so has what replaces another release, since it fails together.
pub(crate) fn windows(mut attempts: Vec<Attempt>, limits: Window) -> Vec<Vec<Attempt>> {
    let start = |attempt: &Attempt| attempt.candidate.start();
    // The path decides last, so that the same files always make the same windows.
    attempts.sort_by_cached_key(|attempt| {
        let (taking, start) = (&attempt.taking, start(attempt));
        (taking.is_other_release, taking.area.clone(), start.is_none(), start, attempt.candidate.path.clone())
    });
    let mut windows: Vec<Vec<Attempt>> = Vec::new();
    let (mut last, mut bytes) = (None, 0);
    for attempt in attempts {
        let span = start(&attempt).and_then(|start| span(start, limits.span));
        let of = (attempt.taking.is_other_release, attempt.taking.area.clone(), span);
        bytes = u64::saturating_add(bytes, attempt.candidate.size_bytes);
        match windows.last_mut() {
            Some(window) if last.as_ref() == Some(&of) && window.len() < limits.granules && bytes <= limits.bytes => {
                window.push(attempt);
            }
            _ => {
                bytes = attempt.candidate.size_bytes;
                windows.push(vec![attempt]);
            }
        }
        last = Some(of);
    }
    windows
}

/// The span of the calendar (UTC) that holds an instant in seconds since 1970; None beyond the calendar.
fn span(instant: i64, span: Span) -> Option<(i32, u32)> {
    let date = DateTime::from_timestamp(instant, 0)?.date_naive();
    Some(match span {
        Span::Day => (date.year(), date.ordinal0()),
        Span::Week => (date.iso_week().year(), date.iso_week().week0()),
        Span::Month => (date.year(), date.month0()),
        Span::Quarter => (date.year(), date.month0() / 3),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identify::Candidate;
    use crate::taking::Taking;

    const LIMITS: Window = Window { granules: 2, bytes: 100, span: Span::Quarter };

    fn attempt(name: &str, size_bytes: u64) -> Attempt {
        let candidate = Candidate { size_bytes, ..Candidate::new(name.into(), Err("unreadable".to_owned())) };
        Attempt { candidate, taking: Taking::default() }
    }

    #[test]
    fn spans_change_at_midnight_utc() {
        let first_of_april_2020 = 1_585_699_200;
        for (of, before, after) in [
            (Span::Quarter, (2020, 0), (2020, 1)),
            (Span::Month, (2020, 2), (2020, 3)),
            (Span::Day, (2020, 90), (2020, 91)),
            (Span::Week, (2020, 13), (2020, 13)),
        ] {
            assert_eq!(span(first_of_april_2020 - 1, of), Some(before));
            assert_eq!(span(first_of_april_2020, of), Some(after));
        }
    }

    #[test]
    fn what_replaces_another_release_fails_together_and_takes_no_other_granule_with_it() {
        let mut attempts = ["a", "b", "c"].map(|name| attempt(name, 1));
        attempts[1].taking.is_other_release = true;
        let windows = windows(attempts.into(), LIMITS);
        let paths = |window: &Vec<Attempt>| -> Vec<String> {
            window.iter().map(|attempt| attempt.candidate.path.display().to_string()).collect()
        };
        assert_eq!(windows.iter().map(paths).collect::<Vec<_>>(), [vec!["a", "c"], vec!["b"]]);
    }

    #[test]
    fn a_window_holds_no_more_granules_or_bytes_than_asked() {
        let sizes = |granules: Vec<Attempt>| -> Vec<usize> { windows(granules, LIMITS).iter().map(Vec::len).collect() };
        assert_eq!(sizes(["a", "b", "c"].map(|name| attempt(name, 1)).into()), [2, 1]);
        assert_eq!(sizes(vec![attempt("a", 60), attempt("b", 60), attempt("c", 40)]), [1, 2]);
        assert_eq!(sizes(vec![attempt("a", 600)]), [1]);
        assert_eq!(sizes(vec![attempt("a", u64::MAX), attempt("b", u64::MAX)]), [1, 1]);
    }
}
