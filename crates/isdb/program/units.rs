//! Sizes in decimal units, as file managers and network tools print them.

/// Converts bytes to megabytes.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Formats a size with one decimal in MB, GB or TB: `15.6 MB`.
pub(crate) fn format_bytes(bytes: u64) -> String {
    let (divisor, unit) = match bytes {
        0..1_000_000_000 => (1e6, "MB"),
        1_000_000_000..1_000_000_000_000 => (1e9, "GB"),
        _ => (1e12, "TB"),
    };
    format!("{:.1} {unit}", bytes as f64 / divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_written_in_the_unit_that_fits() {
        assert_eq!(format_bytes(0), "0.0 MB");
        assert_eq!(format_bytes(15_568_981), "15.6 MB");
        assert_eq!(format_bytes(385_160_000_000), "385.2 GB");
        assert_eq!(format_bytes(u64::MAX), "18446744.1 TB");
        assert_eq!(format_bytes(4_600_000_000_000), "4.6 TB");
    }
}
