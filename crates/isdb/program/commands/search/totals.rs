//! The totals of a search on standard error: granules, days, bytes, and the estimated size of a database.

use std::collections::BTreeSet;

use crate::{SearchResult, estimate};

use crate::program::messages::print_some;
use crate::program::units::format_bytes;

/// At most this many granules with problems are listed.
const LISTED: usize = 10;

/// Prints descriptions that are unusable, and granules that cannot be downloaded.
pub(crate) fn print_problems(found: &SearchResult) {
    let unavailable =
        found.granules.iter().filter_map(|granule| Some((granule.file_name(), granule.download_problem()?.to_owned())));
    let unusable = found.unusable.iter().map(|description| (description.name(), description.reason.clone()));
    let problems: Vec<(String, String)> = unusable.chain(unavailable).collect();
    print_some(
        problems.iter(),
        LISTED,
        |(name, problem)| eprintln!("warning: {name}: {problem}"),
        |more| eprintln!("warnings: {more} more of this kind"),
    );
}

/// Prints the totals.
pub(crate) fn print_totals(found: &SearchResult) {
    for (count, what) in [(found.older_revisions, "of an older revision"), (found.copies, "listed twice")] {
        if count > 0 {
            eprintln!("left out: {count} {what}");
        }
    }
    let granules = &found.granules;
    let days: BTreeSet<String> = granules.iter().map(|granule| granule.start.date_naive().to_string()).collect();
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        eprintln!("granules: none; CMR has none for this release, region and period");
        return;
    };
    let bytes = granules.iter().filter_map(|granule| granule.bytes).fold(0, u64::saturating_add);
    let unknown = granules.iter().filter(|granule| granule.bytes.is_none()).count();
    let unknown = if unknown > 0 { format!(", and {unknown} of unknown size") } else { String::new() };
    eprintln!("granules: {}", granules.len());
    eprintln!("days: {}, {first} to {last}", days.len());
    eprintln!("download: {}{unknown}", format_bytes(bytes));
    eprintln!(
        "database: about {} with all variables; filters and a region make it smaller",
        format_bytes(estimate::database_bytes(bytes))
    );
}
