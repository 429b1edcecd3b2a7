//! Which fragments are worth writing again together: those of one calendar quarter that lie over each other, or are small, in
//! groups that memory and a death in the middle can afford.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike};
use isdb_pipeline::FragmentBounds;
use isdb_schema::config::Policy;
use isdb_schema::grid::chunk;

/// How much is written again at once, and what is not worth it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// A fragment of this many rows is as good as full.
    pub(crate) full_rows: u64,
    /// No group has more rows.
    pub(crate) group_rows: u64,
    /// No group has more fragments.
    pub(crate) most: usize,
    /// A group of fewer is not worth it.
    pub(crate) least: usize,
}

/// A group is written again at the cost of at most this many fragments' worth of temporary space.
const FRAGMENTS_OF_GROUP: u64 = 16;
/// A group has no more fragments: each is a file handle per column while it is read.
const MOST_OF_GROUP: usize = 64;

impl Limits {
    /// For fragments that are made with `rows` rows at most; groups of fewer than `least` of them are left.
    pub(crate) fn of(rows: u64, least: usize) -> Limits {
        // A fragment ends between two chunks, at three quarters perhaps. Those must not be found worth it again.
        Limits { full_rows: rows / 2, group_rows: rows * FRAGMENTS_OF_GROUP, most: MOST_OF_GROUP, least }
    }
}

/// A group whose boxes cover their common box fewer times than this lies well.
const DEPTH_WORTH: f64 = 2.0;

/// The groups of `extents` to write again, oldest quarter first. `with_dead` tells of a fragment whether it holds rows that
/// nobody may see any more: such a fragment is worth it alone.
pub(crate) fn groups(
    extents: Vec<FragmentBounds>,
    policy: Policy,
    limits: Limits,
    with_dead: impl Fn(&FragmentBounds) -> bool,
) -> Vec<Vec<FragmentBounds>> {
    let (mut found, mut alone) = (Vec::new(), Vec::new());
    let mut quarters: BTreeMap<(i32, u32), Vec<FragmentBounds>> = BTreeMap::new();
    for extent in extents {
        match (quarter(extent.time.0), quarter(extent.time.1)) {
            (Some(first), Some(last)) if first == last => quarters.entry(first).or_default().push(extent),
            // What spans two quarters would make the others of its group span them, too.
            _ => alone.push(extent),
        }
    }
    for quarter in quarters.into_values() {
        for group in pack(quarter, policy, limits) {
            if is_worth(&group, policy, limits) { found.push(group) } else { alone.extend(group) }
        }
    }
    found.extend(alone.into_iter().filter(with_dead).map(|extent| vec![extent]));
    found
}

/// Packs neighbours along the curve into groups, each as large as the limits allow. Where only size counts, full ones are left
/// by themselves.
fn pack(mut extents: Vec<FragmentBounds>, policy: Policy, limits: Limits) -> Vec<Vec<FragmentBounds>> {
    let middle = |(low, high): (f64, f64)| low.midpoint(high);
    let is_full = |extent: &FragmentBounds| extent.fragment.rows >= limits.full_rows;
    let left = |extent: &mut FragmentBounds| policy == Policy::Size && is_full(extent);
    let mut groups: Vec<Vec<FragmentBounds>> = extents.extract_if(.., left).map(|extent| vec![extent]).collect();
    extents.sort_by_cached_key(|extent| (chunk(middle(extent.latitude), middle(extent.longitude)), extent.fragment.id));
    let mut rows = u64::MAX;
    for extent in extents {
        rows = rows.saturating_add(extent.fragment.rows);
        match groups.last_mut() {
            Some(group) if rows <= limits.group_rows && group.len() < limits.most => group.push(extent),
            _ => {
                rows = extent.fragment.rows;
                groups.push(vec![extent]);
            }
        }
    }
    groups
}

fn is_worth(group: &[FragmentBounds], policy: Policy, limits: Limits) -> bool {
    if group.len() < limits.least.max(2) || policy == Policy::None {
        return false;
    }
    let rows: u64 = group.iter().map(|extent| extent.fragment.rows).sum();
    let needed = usize::try_from(rows.div_ceil(limits.full_rows.max(1))).unwrap_or(usize::MAX).max(1);
    // Half as many, or the rewriting costs more than it saves. What is packed already is as few as it can be.
    needed * 2 <= group.len() || (policy == Policy::Space && depth(group) >= DEPTH_WORTH)
}

/// How many boxes of the group lie over a place of its common box, on average.
fn depth(group: &[FragmentBounds]) -> f64 {
    let area = |latitude: (f64, f64), longitude: (f64, f64)| {
        // A track may be as good as a line.
        (latitude.1 - latitude.0).max(1e-6) * (longitude.1 - longitude.0).max(1e-6)
    };
    let around =
        |of: fn(&FragmentBounds) -> (f64, f64)| group.iter().map(of).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let (Some(latitude), Some(longitude)) = (around(|extent| extent.latitude), around(|extent| extent.longitude))
    else {
        return 0.0;
    };
    let sum: f64 = group.iter().map(|extent| area(extent.latitude, extent.longitude)).sum();
    sum / area(latitude, longitude)
}

/// The calendar quarter (UTC) of an instant in nanoseconds since 1970; None beyond the calendar.
fn quarter(instant: i64) -> Option<(i32, u32)> {
    DateTime::from_timestamp(instant.div_euclid(1_000_000_000), 0).map(|date| (date.year(), date.month0() / 3))
}

#[cfg(test)]
mod tests {
    use isdb_store::{FragmentRecord, Id};

    use super::*;

    const LIMITS: Limits = Limits { full_rows: 100, group_rows: 1_000, most: 16, least: 2 };
    const DAY: i64 = 86_400_000_000_000;

    fn extent(id: i64, rows: u64, west: f64, east: f64, day: i64) -> FragmentBounds {
        FragmentBounds {
            fragment: FragmentRecord { id: Id(id), name: id.to_string(), rows },
            latitude: (0.0, 10.0),
            longitude: (west, east),
            time: (day * DAY, day * DAY + 1),
        }
    }

    fn ids(groups: &[Vec<FragmentBounds>]) -> Vec<Vec<i64>> {
        groups.iter().map(|group| group.iter().map(|extent| extent.fragment.id.0).collect()).collect()
    }

    #[test]
    fn fragments_over_each_other_are_packed_anew_and_those_side_by_side_are_left() {
        let over: Vec<FragmentBounds> = (0..4).map(|id| extent(id, 100, 0.0, 10.0, 5)).collect();
        assert_eq!(ids(&groups(over, Policy::Space, LIMITS, |_| false)), [vec![0, 1, 2, 3]]);
        let beside: Vec<FragmentBounds> =
            (0..4).map(|id| extent(id, 100, id as f64 * 10.0, id as f64 * 10.0 + 10.0, 5)).collect();
        assert!(groups(beside, Policy::Space, LIMITS, |_| false).is_empty());
    }

    #[test]
    fn what_was_packed_is_not_packed_again_wherever_its_fragments_ended() {
        // Each takes three quarters of what it may to all of it, but for the last.
        for (fragments, rows, last) in [(2, 75, 1), (2, 76, 14), (2, 100, 100), (3, 75, 1), (9, 75, 74), (16, 99, 3)] {
            let packed = (0..fragments).map(|id| {
                let rows = if id + 1 == fragments { last } else { rows };
                extent(id, rows, id as f64 * 10.0, id as f64 * 10.0 + 10.0, 5)
            });
            for policy in [Policy::Space, Policy::Size] {
                let found = groups(packed.clone().collect(), policy, Limits::of(100, 2), |_| false);
                assert!(found.is_empty(), "{fragments} of {rows}, {last}: {:?}", ids(&found));
            }
        }
    }

    #[test]
    fn no_group_spans_the_quarters_that_let_dates_prune() {
        let extents = vec![extent(0, 10, 0.0, 9.0, 5), extent(1, 10, 0.0, 9.0, 6), extent(2, 10, 0.0, 9.0, 100)];
        assert_eq!(ids(&groups(extents, Policy::Space, LIMITS, |_| false)), [vec![0, 1]]);
    }

    #[test]
    fn many_that_overlap_in_a_chain_make_several_groups_and_no_giant_one() {
        let chain: Vec<FragmentBounds> = (0..64).map(|id| extent(id, 100, id as f64, id as f64 + 20.0, 5)).collect();
        let groups = groups(chain, Policy::Space, LIMITS, |_| false);
        assert!(groups.len() > 4 && groups.iter().all(|group| group.len() <= 10), "{:?}", ids(&groups));
    }

    #[test]
    fn small_ones_are_joined_and_full_ones_left_when_only_size_counts() {
        let mut extents: Vec<FragmentBounds> = (0..6).map(|id| extent(id, 10, 0.0, 10.0, 5)).collect();
        extents.push(extent(6, 100, 0.0, 10.0, 5));
        assert_eq!(ids(&groups(extents, Policy::Size, LIMITS, |_| false)), [vec![0, 1, 2, 3, 4, 5]]);
    }

    #[test]
    fn a_fragment_with_rows_that_nobody_may_see_is_written_again_even_alone() {
        let alone = vec![extent(0, 100, 0.0, 10.0, 5)];
        assert_eq!(ids(&groups(alone.clone(), Policy::None, LIMITS, |_| true)), [vec![0]]);
        assert!(groups(alone, Policy::Space, LIMITS, |_| false).is_empty());
    }
}
