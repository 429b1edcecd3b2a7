//! Addresses of objects in a store.

use datafusion::datasource::object_store::ObjectStoreUrl;
use object_store::path::Path;

/// A bucket and a key, from a URL `s3://bucket/key`.
pub(crate) struct ObjectAddress {
    /// The bucket.
    pub(crate) store: ObjectStoreUrl,
    /// The key in the bucket.
    pub(crate) key: Path,
}

impl ObjectAddress {
    /// Parses a URL `s3://bucket/key`; None for anything else, such as a path.
    pub(crate) fn parse(url: &str) -> Option<ObjectAddress> {
        let (bucket, key) = url.strip_prefix("s3://")?.split_once('/')?;
        let store = ObjectStoreUrl::parse(format!("s3://{bucket}")).ok()?;
        Some(ObjectAddress { store, key: Path::parse(key).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_s3_urls_are_addresses() {
        let address = ObjectAddress::parse("s3://nsidc/ATLAS/ATL08/007/x.h5").unwrap();
        assert_eq!((address.store.as_str(), address.key.as_ref()), ("s3://nsidc/", "ATLAS/ATL08/007/x.h5"));
        for other in ["/data/x.h5", "s3:/bucket/x.h5", "data/s3/x.h5", "https://host/x.h5"] {
            assert!(ObjectAddress::parse(other).is_none(), "{other}");
        }
    }
}
