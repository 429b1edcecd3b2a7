//! Amounts as people write them: bytes (`512MB`, `2 GiB`) and spans of time (`12h`, `30d`).

/// The number of bytes in `text`: a number, alone or with B, kB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (powers of
/// 1024), in any case. None for anything else.
#[must_use]
pub fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return None,
    };
    times(number, factor)
}

/// The milliseconds in `text`: a number with ms, s, min, h, d or w. None for anything else.
#[must_use]
pub fn milliseconds(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 7 * 86_400_000,
        _ => return None,
    };
    times(number, factor)
}

/// A number and what follows it.
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.replace('_', "").parse().ok()?;
    Some((number, unit.trim()))
}

fn times(number: f64, factor: u64) -> Option<u64> {
    let amount = number * factor as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to fit, and no sign is read")]
    (amount < u64::MAX as f64).then_some(amount as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_people_write_them() {
        for (text, expected) in [
            ("512MB", 512_000_000),
            ("2 GiB", 2 << 30),
            ("1.5gb", 1_500_000_000),
            ("200_000", 200_000),
            ("64M", 64_000_000),
        ] {
            assert_eq!(bytes(text), Some(expected), "{text}");
        }
        for text in ["", "MB", "-5MB", "5 apples", "1e40GB", "99999999999TB"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }

    #[test]
    fn spans_of_time_need_a_unit() {
        assert_eq!(milliseconds("0s"), Some(0));
        assert_eq!(milliseconds("1.5h"), Some(5_400_000));
        assert_eq!(milliseconds("2w"), Some(14 * 86_400_000));
        assert_eq!(milliseconds("12"), None);
        assert_eq!(milliseconds("a day"), None);
    }
}
