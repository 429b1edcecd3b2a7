//! Groups of fragments to consolidate: fragments of one calendar quarter that overlap or are small. Groups are limited
//! in size, because one group needs temporary space, and is lost if the process dies.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Datelike};
use isdb_schema::config::Policy;
use isdb_schema::grid::chunk;
use isdb_store::FragmentRecord;

/// The limits of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// A fragment with this many rows counts as full.
    pub(crate) full_rows: u64,
    /// The maximum number of rows of a group.
    pub(crate) group_rows: u64,
    /// The most fragments of a group.
    pub(crate) max_fragments: usize,
    /// A group of fewer fragments is not written again.
    pub(crate) min_fragments: usize,
}

/// The temporary space for a group, in full fragments.
const GROUP_FRAGMENTS: u64 = 16;
/// The most fragments of a group: each needs a file handle per column while it is read.
const MAX_GROUP_FRAGMENTS: usize = 64;

impl Limits {
    /// Creates the limits for fragments that are written with at most `rows` rows, and for groups of at least
    /// `min_fragments`.
    pub(crate) fn new(rows: u64, min_fragments: usize) -> Limits {
        // A fragment ends between two spatial chunks, perhaps at three quarters of its rows. It must not be
        // consolidated again.
        Limits {
            full_rows: rows / 2,
            group_rows: rows * GROUP_FRAGMENTS,
            max_fragments: MAX_GROUP_FRAGMENTS,
            min_fragments,
        }
    }
}

/// A group is written again if its bounding boxes cover their common box at least this many times.
const MIN_DEPTH: f64 = 2.0;

/// Returns the groups of `fragments` to write again, oldest quarter first. A fragment for which `has_dead_rows` is
/// written again even alone.
pub(crate) fn groups(
    fragments: Vec<Arc<FragmentRecord>>,
    policy: Policy,
    limits: Limits,
    has_dead_rows: impl Fn(&Arc<FragmentRecord>) -> bool,
) -> Vec<Vec<Arc<FragmentRecord>>> {
    let (mut selected, mut alone) = (Vec::new(), Vec::new());
    let mut quarters: BTreeMap<(i32, u32), Vec<Arc<FragmentRecord>>> = BTreeMap::new();
    for fragment in fragments {
        match (quarter(fragment.bounds.time.0), quarter(fragment.bounds.time.1)) {
            (Some(first), Some(last)) if first == last => quarters.entry(first).or_default().push(fragment),
            // A fragment that spans two quarters would make the whole group span both.
            _ => alone.push(fragment),
        }
    }
    for quarter in quarters.into_values() {
        for group in pack(quarter, policy, limits) {
            if is_worth_rewriting(&group, policy, limits) { selected.push(group) } else { alone.extend(group) }
        }
    }
    selected.extend(alone.into_iter().filter(has_dead_rows).map(|fragment| vec![fragment]));
    selected
}

/// Packs neighbours along the Hilbert curve into groups as large as the limits allow. If only size counts, full
/// fragments stay alone.
fn pack(mut fragments: Vec<Arc<FragmentRecord>>, policy: Policy, limits: Limits) -> Vec<Vec<Arc<FragmentRecord>>> {
    let middle = |(low, high): (f64, f64)| low.midpoint(high);
    let is_full = |fragment: &Arc<FragmentRecord>| fragment.rows >= limits.full_rows;
    let stays_alone = |fragment: &mut Arc<FragmentRecord>| policy == Policy::Size && is_full(fragment);
    let mut groups: Vec<Vec<Arc<FragmentRecord>>> =
        fragments.extract_if(.., stays_alone).map(|fragment| vec![fragment]).collect();
    fragments.sort_by_cached_key(|fragment| {
        (chunk(middle(fragment.bounds.latitude), middle(fragment.bounds.longitude)), fragment.id)
    });
    let mut rows = u64::MAX;
    for fragment in fragments {
        rows = rows.saturating_add(fragment.rows);
        match groups.last_mut() {
            Some(group) if rows <= limits.group_rows && group.len() < limits.max_fragments => group.push(fragment),
            _ => {
                rows = fragment.rows;
                groups.push(vec![fragment]);
            }
        }
    }
    groups
}

fn is_worth_rewriting(group: &[Arc<FragmentRecord>], policy: Policy, limits: Limits) -> bool {
    if group.len() < limits.min_fragments.max(2) || policy == Policy::None {
        return false;
    }
    let rows: u64 = group.iter().map(|fragment| fragment.rows).sum();
    let needed = usize::try_from(rows.div_ceil(limits.full_rows.max(1))).unwrap_or(usize::MAX).max(1);
    // Rewriting must at least halve the number of fragments; otherwise it costs more than it saves. A group that was
    // packed before cannot get fewer.
    needed * 2 <= group.len() || (policy == Policy::Space && depth(group) >= MIN_DEPTH)
}

/// Returns how many bounding boxes of the group cover a point of their common box, on average.
fn depth(group: &[Arc<FragmentRecord>]) -> f64 {
    let area = |latitude: (f64, f64), longitude: (f64, f64)| {
        // The box of a track may have almost no area.
        (latitude.1 - latitude.0).max(1e-6) * (longitude.1 - longitude.0).max(1e-6)
    };
    let union = |range: fn(&Arc<FragmentRecord>) -> (f64, f64)| {
        group.iter().map(range).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    };
    let (Some(latitude), Some(longitude)) =
        (union(|fragment| fragment.bounds.latitude), union(|fragment| fragment.bounds.longitude))
    else {
        return 0.0;
    };
    let sum: f64 = group.iter().map(|fragment| area(fragment.bounds.latitude, fragment.bounds.longitude)).sum();
    sum / area(latitude, longitude)
}

/// Returns the calendar quarter (UTC) of an instant in nanoseconds since 1970; None beyond the calendar.
fn quarter(instant: i64) -> Option<(i32, u32)> {
    DateTime::from_timestamp(instant.div_euclid(1_000_000_000), 0).map(|date| (date.year(), date.month0() / 3))
}

#[cfg(test)]
mod tests {
    use isdb_store::{Bounds, FileChecksum, Id};

    use super::*;

    const LIMITS: Limits = Limits { full_rows: 100, group_rows: 1_000, max_fragments: 16, min_fragments: 2 };
    const DAY: i64 = 86_400_000_000_000;

    fn fragment(id: i64, rows: u64, west: f64, east: f64, day: i64) -> Arc<FragmentRecord> {
        let bounds = Bounds { latitude: (0.0, 10.0), longitude: (west, east), time: (day * DAY, day * DAY + 1) };
        let footer = FileChecksum { bytes: 1, crc32c: 1 };
        Arc::new(FragmentRecord { id: Id(id), name: id.to_string(), rows, bounds, chunks: Vec::new(), footer })
    }

    fn ids(groups: &[Vec<Arc<FragmentRecord>>]) -> Vec<Vec<i64>> {
        groups.iter().map(|group| group.iter().map(|fragment| fragment.id.0).collect()).collect()
    }

    #[test]
    fn overlapping_fragments_are_grouped_and_adjacent_ones_are_not() {
        let over: Vec<Arc<FragmentRecord>> = (0..4).map(|id| fragment(id, 100, 0.0, 10.0, 5)).collect();
        assert_eq!(ids(&groups(over, Policy::Space, LIMITS, |_| false)), [vec![0, 1, 2, 3]]);
        let beside: Vec<Arc<FragmentRecord>> =
            (0..4).map(|id| fragment(id, 100, id as f64 * 10.0, id as f64 * 10.0 + 10.0, 5)).collect();
        assert!(groups(beside, Policy::Space, LIMITS, |_| false).is_empty());
    }

    #[test]
    fn packed_fragments_are_not_packed_again_wherever_they_end() {
        // Each is at least three quarters full, except for the last one.
        for (fragments, rows, last) in [(2, 75, 1), (2, 76, 14), (2, 100, 100), (3, 75, 1), (9, 75, 74), (16, 99, 3)] {
            let packed = (0..fragments).map(|id| {
                let rows = if id + 1 == fragments { last } else { rows };
                fragment(id, rows, id as f64 * 10.0, id as f64 * 10.0 + 10.0, 5)
            });
            for policy in [Policy::Space, Policy::Size] {
                let found = groups(packed.clone().collect(), policy, Limits::new(100, 2), |_| false);
                assert!(found.is_empty(), "{fragments} of {rows}, {last}: {:?}", ids(&found));
            }
        }
    }

    #[test]
    fn no_group_spans_two_quarters() {
        let fragments =
            vec![fragment(0, 10, 0.0, 9.0, 5), fragment(1, 10, 0.0, 9.0, 6), fragment(2, 10, 0.0, 9.0, 100)];
        assert_eq!(ids(&groups(fragments, Policy::Space, LIMITS, |_| false)), [vec![0, 1]]);
    }

    #[test]
    fn a_long_chain_of_overlapping_fragments_makes_several_groups() {
        let chain: Vec<Arc<FragmentRecord>> =
            (0..64).map(|id| fragment(id, 100, id as f64, id as f64 + 20.0, 5)).collect();
        let groups = groups(chain, Policy::Space, LIMITS, |_| false);
        assert!(groups.len() > 4 && groups.iter().all(|group| group.len() <= 10), "{:?}", ids(&groups));
    }

    #[test]
    fn small_fragments_are_grouped_and_full_ones_stay_if_only_size_counts() {
        let mut fragments: Vec<Arc<FragmentRecord>> = (0..6).map(|id| fragment(id, 10, 0.0, 10.0, 5)).collect();
        fragments.push(fragment(6, 100, 0.0, 10.0, 5));
        assert_eq!(ids(&groups(fragments, Policy::Size, LIMITS, |_| false)), [vec![0, 1, 2, 3, 4, 5]]);
    }

    #[test]
    fn a_fragment_with_dead_rows_is_written_again_even_alone() {
        let alone = vec![fragment(0, 100, 0.0, 10.0, 5)];
        assert_eq!(ids(&groups(alone.clone(), Policy::None, LIMITS, |_| true)), [vec![0]]);
        assert!(groups(alone, Policy::Space, LIMITS, |_| false).is_empty());
    }
}
