//! What a search comes to, on standard error: granules, bytes, days, and the database they would make.

use std::collections::BTreeSet;

use isdb_cmr::{FoundGranule, Unusable};

/// So many granules with problems are told one by one.
const PROBLEMS_TOLD: usize = 10;

/// Bytes that a database takes for each megabyte of granules, all variables of the shipped config and no filter. Real granules
/// of release 007 hold 466 segments in a megabyte (438,022 segments in 12 granules of 940 MB, June 2022), and a database takes
/// 240 bytes for a segment (17.3 MB for 71,835 segments of synthetic granules, `make_granules --count 3 --segments 4000`).
const STORED_PER_MEGABYTE: u64 = 466 * 240;

pub(crate) fn tell(granules: &[FoundGranule], left_out: (u64, u64), unusable: &[Unusable]) {
    let lacking = granules.iter().filter_map(|granule| Some((granule.file_name(), granule.problem()?.to_owned())));
    let nameless = unusable.iter().map(|description| {
        (description.concept_id.clone().unwrap_or_else(|| "a description".to_owned()), description.reason.clone())
    });
    let problems: Vec<(String, String)> = nameless.chain(lacking).collect();
    for (what, problem) in problems.iter().take(PROBLEMS_TOLD) {
        eprintln!("warning: {what}: {problem}");
    }
    if let Some(more) = problems.len().checked_sub(PROBLEMS_TOLD).filter(|more| *more > 0) {
        eprintln!("warnings: {more} more of this kind");
    }
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
    let bytes: u64 = granules.iter().filter_map(|granule| granule.bytes).sum();
    let unknown = granules.iter().filter(|granule| granule.bytes.is_none()).count();
    let unknown = if unknown > 0 { format!(", and {unknown} of unknown size") } else { String::new() };
    eprintln!("granules: {}", granules.len());
    eprintln!("days: {}, {first} to {last}", days.len());
    eprintln!("download: {}{unknown}", told(bytes));
    let database = bytes / 1_000_000 * STORED_PER_MEGABYTE;
    eprintln!("database: about {} with all variables; filters and a region make it smaller", told(database));
}

/// A size as people say it, in decimal units.
fn told(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000_000_000 => (1_000_000, "MB"),
        1_000_000_000..1_000_000_000_000 => (1_000_000_000, "GB"),
        _ => (1_000_000_000_000, "TB"),
    };
    let tenths = bytes / (unit / 10);
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        assert_eq!(told(0), "0.0 MB");
        assert_eq!(told(15_568_981), "15.5 MB");
        assert_eq!(told(385_160_000_000), "385.1 GB");
        assert_eq!(told(4_600_000_000_000), "4.6 TB");
    }
}
