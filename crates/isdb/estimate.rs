//! What a database of granules will take, before any of them is read.

/// Segments in a megabyte of real granules of release 007: 438,022 in 12 granules of 940 MB (June 2022).
const SEGMENTS_PER_MEGABYTE: u64 = 466;

/// Bytes that a database takes for a segment, all variables of the shipped config: 17.3 MB for 71,835 segments of synthetic
/// granules (`make_granules --count 3 --segments 4000`).
const STORED_PER_SEGMENT: u64 = 240;

/// Segments in so many bytes of granules, without filters and region.
pub(crate) fn segments(bytes: u64) -> u64 {
    (bytes / 1_000).saturating_mul(SEGMENTS_PER_MEGABYTE) / 1_000
}

/// Bytes of a database of so many bytes of granules, with all variables, without filters and region.
pub(crate) fn database(bytes: u64) -> u64 {
    segments(bytes).saturating_mul(STORED_PER_SEGMENT)
}

/// A size as people say it, in decimal units.
pub(crate) fn told(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000_000_000 => (1_000_000, "MB"),
        1_000_000_000..1_000_000_000_000 => (1_000_000_000, "GB"),
        _ => (1_000_000_000_000, "TB"),
    };
    // Rounded, as what was fetched is.
    let tenths = bytes.saturating_add(unit / 20) / (unit / 10);
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        assert_eq!(told(0), "0.0 MB");
        assert_eq!(told(15_568_981), "15.6 MB");
        assert_eq!(told(385_160_000_000), "385.2 GB");
        assert_eq!(told(u64::MAX), "18446744.0 TB");
        assert_eq!(told(4_600_000_000_000), "4.6 TB");
    }

    #[test]
    fn a_megabyte_of_granules_is_a_ninth_of_one_in_the_database() {
        assert_eq!((segments(1_000_000), database(1_000_000)), (466, 466 * 240));
        assert_eq!(segments(940_000_000), 438_040);
    }
}
