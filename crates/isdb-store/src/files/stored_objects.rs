//! Objects of a bucket that are not a database, such as granules that are read in place.

use std::sync::Arc;

use object_store::ObjectStore;

use super::location::Location;
use crate::error::Result;

/// An object in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// `s3://bucket/key`.
    pub url: String,
    /// Its size.
    pub bytes: u64,
    /// When it was last changed, in milliseconds since 1970, by the store's clock.
    pub modified_ms: u64,
}

impl Location {
    /// The bucket of a location in an object store, with its URL, `s3://bucket/`; None for a folder.
    pub fn object_store(&self) -> Option<(String, Arc<dyn ObjectStore>)> {
        let bucket = self.bucket()?;
        Some((format!("s3://{}/", bucket.name()), Arc::clone(bucket.store())))
    }

    /// Lists the objects below a location in an object store, or the one at it; none for a folder.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when the store refuses it.
    pub async fn objects(&self) -> Result<Vec<StoredObject>> {
        let Some(bucket) = self.bucket() else { return Ok(Vec::new()) };
        let found = bucket.list_keys("").await?;
        let object = |(key, object): (String, super::remote::bucket::EntryObject)| StoredObject {
            url: format!("s3://{}/{key}", bucket.name()),
            bytes: object.bytes,
            modified_ms: object.modified_ms,
        };
        Ok(found.into_iter().map(object).collect())
    }
}
