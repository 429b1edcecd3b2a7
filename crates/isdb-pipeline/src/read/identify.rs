//! Identifies granules before they are ingested.

use std::path::Path;
use std::sync::Arc;

use isdb_granule::{ByteSource, Granule, Identity};
use isdb_schema::printable::error_chain;
use object_store::ObjectStore;

use crate::read::open::open_file;
use crate::read::remote::{FetchMetrics, RemoteSource};

/// Identifies the granule in the local file `path` by its metadata. Reads the file's structure only, no rows.
///
/// # Errors
/// When the file is not a readable ATL08 granule; [`is_transient`](isdb_granule::Error::is_transient) if reading it again may
/// succeed.
pub fn identify(path: &Path) -> std::result::Result<Identity, isdb_granule::Error> {
    open_file(path).map(|granule| granule.identity().clone())
}

/// Identifies the granule at `url`, which is `s3://bucket/key`, in `store`, which is the bucket. Returns its identity and its size
/// in bytes. Fetches a few megabytes, and no rows.
///
/// # Errors
/// The reason as text, when the object is not a readable ATL08 granule.
pub async fn identify_at(url: &str, store: Arc<dyn ObjectStore>) -> std::result::Result<(Identity, u64), String> {
    let source = RemoteSource::open(store, url, FetchMetrics::default()).await;
    let source = source.map_err(|error| format!("{url}: {}", error_chain(&error)))?;
    let open = move || {
        let bytes = source.len();
        Granule::open(source).map(|granule| (granule.identity().clone(), bytes)).map_err(|error| error_chain(&error))
    };
    // The HDF5 reader may panic on a damaged file.
    let panicked = |_| Err(format!("{url}: the HDF5 reader cannot follow it"));
    tokio::task::spawn_blocking(open).await.unwrap_or_else(panicked)
}
