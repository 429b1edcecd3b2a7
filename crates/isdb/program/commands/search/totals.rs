//! What a search comes to, on standard error: granules, bytes, days, and the database they would make.

use std::collections::BTreeSet;

use isdb_cmr::{GranuleDescription, UnusableDescription};

use crate::estimate::{self, told};

/// So many granules with problems are told one by one.
const PROBLEMS_TOLD: usize = 10;

/// What stands in the way of granules.
pub(crate) fn tell_problems(granules: &[GranuleDescription], unusable: &[UnusableDescription]) {
    let lacking =
        granules.iter().filter_map(|granule| Some((granule.file_name(), granule.download_problem()?.to_owned())));
    let nameless = unusable.iter().map(|description| (description.name(), description.reason.clone()));
    let problems: Vec<(String, String)> = nameless.chain(lacking).collect();
    for (what, problem) in problems.iter().take(PROBLEMS_TOLD) {
        eprintln!("warning: {what}: {problem}");
    }
    if let Some(more) = problems.len().checked_sub(PROBLEMS_TOLD).filter(|more| *more > 0) {
        eprintln!("warnings: {more} more of this kind");
    }
}

pub(crate) fn tell(granules: &[GranuleDescription], left_out: (u64, u64)) {
    for (count, what) in [(left_out.0, "of an older revision"), (left_out.1, "listed twice")] {
        if count > 0 {
            eprintln!("left out: {count} {what}");
        }
    }
    let days: BTreeSet<String> = granules.iter().map(|granule| granule.start.date_naive().to_string()).collect();
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        eprintln!("granules: none; CMR has nothing for this release, place and time");
        return;
    };
    let bytes = granules.iter().filter_map(|granule| granule.bytes).fold(0, u64::saturating_add);
    let unknown = granules.iter().filter(|granule| granule.bytes.is_none()).count();
    let unknown = if unknown > 0 { format!(", and {unknown} of unknown size") } else { String::new() };
    eprintln!("granules: {}", granules.len());
    eprintln!("days: {}, {first} to {last}", days.len());
    eprintln!("download: {}{unknown}", told(bytes));
    eprintln!(
        "database: about {} with all variables; filters and a region make it smaller",
        told(estimate::database(bytes))
    );
}
