//! Windows: which granules are written and committed together. No window crosses a span of the calendar, so that a query's
//! dates leave out whole fragments and boxes over all years still touch few (`docs/design/0001-layout.md`).

use chrono::{DateTime, Datelike};
use isdb_schema::config::{Span, Window};

use crate::identify::Candidate;

/// The candidates in windows within `limits`, in the order of their start. What has no date, or cannot be read, comes last.
pub(crate) fn windows(candidates: Vec<Candidate>, limits: Window) -> Vec<Vec<Candidate>> {
    let start = |candidate: &Candidate| candidate.identity.as_ref().ok().and_then(|identity| identity.start);
    let mut candidates = candidates;
    // The path decides last, so that the same files always make the same windows.
    candidates.sort_by_cached_key(|candidate| (start(candidate).is_none(), start(candidate), candidate.path.clone()));
    let mut windows: Vec<Vec<Candidate>> = Vec::new();
    let (mut last_span, mut bytes) = (None, 0);
    for candidate in candidates {
        let of = start(&candidate).and_then(|start| span(start, limits.span));
        bytes += candidate.size_bytes;
        match windows.last_mut() {
            Some(window) if last_span == Some(of) && window.len() < limits.granules && bytes <= limits.bytes => {
                window.push(candidate);
            }
            _ => {
                bytes = candidate.size_bytes;
                windows.push(vec![candidate]);
            }
        }
        last_span = Some(of);
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

    const LIMITS: Window = Window { granules: 2, bytes: 100, span: Span::Quarter };

    fn candidate(name: &str, size_bytes: u64) -> Candidate {
        Candidate { path: name.into(), size_bytes, identity: Err("unreadable".to_owned()) }
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
    fn a_window_holds_no_more_granules_or_bytes_than_asked() {
        let sizes =
            |granules: Vec<Candidate>| -> Vec<usize> { windows(granules, LIMITS).iter().map(Vec::len).collect() };
        assert_eq!(sizes(["a", "b", "c"].map(|name| candidate(name, 1)).into()), [2, 1]);
        assert_eq!(sizes(vec![candidate("a", 60), candidate("b", 60), candidate("c", 40)]), [1, 2]);
        assert_eq!(sizes(vec![candidate("a", 600)]), [1]);
    }
}
