//! Timestamps in the names of TileDB's fragments, schemas and metadata, `__<first>_<last>_<uuid>…`.

/// The last timestamp in the name at the end of `uri`, in milliseconds since 1970.
pub(super) fn last_timestamp(uri: &str) -> Option<u64> {
    last_part(uri).strip_prefix("__")?.split('_').nth(1)?.parse().ok()
}

/// The name at the end of `uri`.
pub(super) fn last_part(uri: &str) -> &str {
    uri.trim_end_matches('/').rsplit('/').next().unwrap_or(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_number_of_a_name_is_its_last_timestamp() {
        assert_eq!(last_timestamp("s3://b/array/__fragments/__10_20_ab12_22/"), Some(20));
        assert_eq!(last_timestamp("array/__schema/__enumerations"), None);
        assert_eq!(last_timestamp("array/__fragment_metadata/10_20"), None);
    }
}
