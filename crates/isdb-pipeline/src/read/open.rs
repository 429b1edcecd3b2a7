//! Opens granules: local files, and objects in a store.

use std::fs::Metadata;
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use datafusion::execution::runtime_env::RuntimeEnv;
use isdb_granule::{FileSource, Granule};
use tokio::runtime::Handle;

use crate::read::object_address::ObjectAddress;
use crate::read::remote::{FetchMetrics, RemoteSource};

/// Opens a granule in a local file. Reads the file's structure only, no rows.
pub(crate) fn open_file(path: &Path) -> isdb_granule::Result<Granule> {
    let failed = |source| isdb_granule::Error::Io { file: path.display().to_string(), source };
    Granule::open(FileSource::open(path).map_err(failed)?)
}

/// Opens a granule in a local file or, by its URL, in one of `stores`. Reads its structure only. Blocks.
pub(crate) fn open_granule(path: &Path, stores: &RuntimeEnv, metrics: &FetchMetrics) -> isdb_granule::Result<Granule> {
    let Some((url, address)) = path.to_str().and_then(|url| Some((url, ObjectAddress::parse(url)?))) else {
        return open_file(path);
    };
    let failed = |source| isdb_granule::Error::Io { file: url.to_owned(), source };
    let store = stores.object_store(&address.store).map_err(|error| failed(io::Error::other(error)))?;
    let opening = RemoteSource::open(store, url, metrics.clone());
    Granule::open(Handle::current().block_on(opening).map_err(failed)?)
}

/// When a file was last changed, in nanoseconds since 1970; None where the file system does not record it.
pub fn modified_at(file: &Metadata) -> Option<i64> {
    let since = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_nanos()).ok()
}
