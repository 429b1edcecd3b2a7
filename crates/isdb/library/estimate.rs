//! Estimated size of a database, before any granule is read.

/// Segments in a megabyte of real granules of release 007: 438,022 in 12 granules of 940 MB (June 2022).
const SEGMENTS_PER_MEGABYTE: u64 = 466;

/// Bytes that a database needs for a segment with all variables of the shipped config: 17.3 MB for 71,835 segments of synthetic
/// granules (`make_granules --count 3 --segments 4000`).
const BYTES_PER_SEGMENT: u64 = 240;

/// Returns the number of segments in `bytes` of granules, without filters and region.
#[must_use]
pub fn segments(bytes: u64) -> u64 {
    (bytes / 1_000).saturating_mul(SEGMENTS_PER_MEGABYTE) / 1_000
}

/// Returns the bytes of a database made of `bytes` of granules, with all variables, without filters and region.
#[must_use]
pub fn database_bytes(bytes: u64) -> u64 {
    segments(bytes).saturating_mul(BYTES_PER_SEGMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_has_a_ninth_of_the_bytes_of_its_granules() {
        assert_eq!((segments(1_000_000), database_bytes(1_000_000)), (466, 466 * 240));
        assert_eq!(segments(940_000_000), 438_040);
    }
}
