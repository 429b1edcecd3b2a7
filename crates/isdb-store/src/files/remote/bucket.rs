//! A database's prefix in a bucket: the requests that isdb makes, by paths below the prefix.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{
    GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload,
    UpdateVersion,
};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::block_cache::{BlockCache, WHOLE};
use super::connect::connect;
use super::problem::{Refusal, StoreProblem};
use super::runtime::{runtime, wait};
use crate::error::{Error, Result};
use crate::files::storage_settings::StorageSettings;

/// Requests for bytes of files that are under way at a time, of all queries and writers of a process that use a location.
const MAX_REQUESTS: usize = 64;
/// Bytes of files that are kept for later reads.
const CACHED_BYTES: usize = 128 << 20;
/// Bytes of files that are being written.
pub(crate) const UPLOADED_BYTES: usize = 64 << 20;
/// Bytes of one unit of [`Inner::uploads`].
const UPLOAD_UNIT: usize = 1 << 10;

/// The objects below a prefix of a bucket. Clones share connections and cached bytes.
#[derive(Clone)]
pub(crate) struct Bucket {
    inner: Arc<Inner>,
    cache: Arc<BlockCache>,
}

struct Inner {
    store: Arc<dyn ObjectStore>,
    /// `s3://bucket/prefix`.
    uri: String,
    name: String,
    prefix: Path,
    endpoint: Option<String>,
    single_writer: bool,
    lock_lifetime: Duration,
    runtime: Handle,
    requests: Semaphore,
    /// The memory of files that are being written, in units.
    uploads: Arc<Semaphore>,
}

/// An entry of a listing: an object or, without size and time, what several objects have in common up to the next `/`.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) object: Option<EntryObject>,
}

/// Size and time of a listed object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EntryObject {
    pub(crate) bytes: u64,
    /// Milliseconds since 1970, by the store's clock.
    pub(crate) modified_ms: u64,
}

impl Bucket {
    /// The prefix `prefix`, which may be empty, of the bucket `name`. Sends no request.
    pub(crate) fn open(name: &str, prefix: &str, settings: &StorageSettings) -> Result<Bucket> {
        let invalid = |problem: String| Error::Unsupported { uri: format!("s3://{name}/{prefix}"), reason: problem };
        let prefix = Path::parse(prefix).map_err(|error| invalid(error.to_string()))?;
        let uri = if prefix.as_ref().is_empty() { format!("s3://{name}") } else { format!("s3://{name}/{prefix}") };
        let runtime = runtime().map_err(|source| Error::Io { path: uri.clone(), source })?;
        let store = connect(name, settings, &runtime).map_err(|error| invalid(error.to_string()))?;
        let inner = Inner {
            store: Arc::new(store),
            uri,
            name: name.to_owned(),
            prefix,
            endpoint: settings.endpoint.clone(),
            single_writer: settings.single_writer,
            lock_lifetime: settings.lock_lifetime,
            runtime,
            requests: Semaphore::new(MAX_REQUESTS),
            uploads: Arc::new(Semaphore::new(UPLOADED_BYTES / UPLOAD_UNIT)),
        };
        Ok(Bucket { inner: Arc::new(inner), cache: Arc::new(BlockCache::new(CACHED_BYTES)) })
    }

    /// The same objects, of which nothing is kept in memory: each read returns what the store has.
    pub(crate) fn uncached(&self) -> Bucket {
        Bucket { inner: Arc::clone(&self.inner), cache: Arc::new(BlockCache::new(0)) }
    }

    /// The name of the bucket.
    pub(crate) fn name(&self) -> &str {
        &self.inner.name
    }

    /// `s3://bucket/prefix`.
    pub(crate) fn uri(&self) -> &str {
        &self.inner.uri
    }

    /// Whether `other` is the same prefix of the same bucket, or one below it.
    pub(crate) fn contains(&self, other: &Bucket) -> bool {
        let is_below =
            || other.uri().strip_prefix(self.uri()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.inner.endpoint == other.inner.endpoint && is_below()
    }

    /// The store with all objects of the bucket.
    pub(crate) fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.inner.store
    }

    /// The key in the bucket of the object at `path`.
    pub(crate) fn key(&self, path: &str) -> Path {
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts.fold(self.inner.prefix.clone(), |key, part| key.join(part))
    }

    pub(crate) fn is_single_writer(&self) -> bool {
        self.inner.single_writer
    }

    pub(crate) fn lock_lifetime(&self) -> Duration {
        self.inner.lock_lifetime
    }

    pub(super) fn cache(&self) -> &BlockCache {
        &self.cache
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.inner.runtime
    }

    /// Runs `work` and waits for it, on any thread.
    pub(crate) fn wait<T: Send + 'static>(&self, work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        wait(&self.inner.runtime, work).unwrap_or(Err(Error::Shutdown))
    }

    /// The content of the object at `path`.
    pub(crate) async fn get(&self, path: &str) -> Result<Bytes> {
        Ok(self.get_tagged(path).await?.0)
    }

    /// The content of a small object that never changes, which is kept.
    pub(crate) async fn get_kept(&self, path: &str) -> Result<Bytes> {
        if let Some(content) = self.kept(path) {
            return Ok(content);
        }
        let content = self.get(path).await?;
        self.cache.insert((path.into(), WHOLE), content.clone());
        Ok(content)
    }

    /// The content of a small object that was kept.
    pub(super) fn kept(&self, path: &str) -> Option<Bytes> {
        self.cache.get(&(path.into(), WHOLE))
    }

    /// Reads small objects that never change at the same time, and keeps them. An error is that of the read that needs the object.
    pub(crate) async fn prefetch(&self, paths: Vec<String>) {
        if self.cache.keeps_nothing() {
            return;
        }
        let reads = paths.into_iter().map(|path| async move { self.get_kept(&path).await });
        stream::iter(reads).buffer_unordered(MAX_REQUESTS).for_each(|_| async {}).await;
    }

    /// The content of the object at `path`, and its entity tag.
    pub(super) async fn get_tagged(&self, path: &str) -> Result<(Bytes, Option<String>)> {
        let get = async {
            let _permit = self.permit().await;
            let answer = self.inner.store.get_opts(&self.key(path), GetOptions::default()).await?;
            let tag = answer.meta.e_tag.clone();
            Ok((answer.bytes().await?, tag))
        };
        get.await.map_err(|error| self.error(path, error))
    }

    /// The bytes `range` of the object at `path`, or those up to its end if it is shorter.
    pub(super) async fn get_range(&self, path: &str, range: Range<u64>) -> Result<Bytes> {
        let get = async {
            let _permit = self.permit().await;
            let options = GetOptions { range: Some(range.into()), ..GetOptions::default() };
            let answer: GetResult = self.inner.store.get_opts(&self.key(path), options).await?;
            answer.bytes().await
        };
        get.await.map_err(|error| self.error(path, error))
    }

    /// The last `bytes` bytes of the object at `path`, or all of a shorter one, and its size.
    pub(super) async fn get_end(&self, path: &str, bytes: u64) -> Result<(Bytes, u64)> {
        let get = async {
            let _permit = self.permit().await;
            let options = GetOptions { range: Some(GetRange::Suffix(bytes)), ..GetOptions::default() };
            let answer = self.inner.store.get_opts(&self.key(path), options).await?;
            let size = answer.meta.size;
            Ok((answer.bytes().await?, size))
        };
        get.await.map_err(|error| self.error(path, error))
    }

    /// The size and the time of the object at `path`; None if it does not exist.
    pub(crate) async fn head(&self, path: &str) -> Result<Option<EntryObject>> {
        match self.inner.store.head(&self.key(path)).await.map_err(|error| self.error(path, error)) {
            Err(error) if is_not_found(&error) => Ok(None),
            found => found.map(|meta| Some(EntryObject::new(&meta))),
        }
    }

    /// Creates or replaces the object at `path`.
    pub(crate) async fn put(&self, path: &str, content: impl Into<PutPayload>) -> Result<()> {
        self.put_with(path, content.into(), PutMode::Overwrite).await.map(drop)
    }

    /// Creates the object at `path` only if it does not exist, and returns its entity tag. An error does not mean that nothing was created:
    /// the answer may be lost.
    ///
    /// # Errors
    /// [`is_changed`] recognises an object that existed.
    pub(crate) async fn put_new(&self, path: &str, content: impl Into<PutPayload>) -> Result<Option<String>> {
        if self.is_single_writer() {
            if self.head(path).await?.is_some() {
                let source = object_store::Error::AlreadyExists { path: path.to_owned(), source: "it exists".into() };
                return Err(self.error(path, source));
            }
            return self.put_with(path, content.into(), PutMode::Overwrite).await;
        }
        self.put_with(path, content.into(), PutMode::Create).await
    }

    /// Replaces the object at `path` only if it has the entity tag `tag`, and returns the new one.
    ///
    /// # Errors
    /// [`is_changed`] recognises an object that has another tag, or does not exist.
    pub(super) async fn put_over(
        &self,
        path: &str,
        content: impl Into<PutPayload>,
        tag: &str,
    ) -> Result<Option<String>> {
        let version = UpdateVersion { e_tag: Some(tag.to_owned()), version: None };
        self.put_with(path, content.into(), PutMode::Update(version)).await
    }

    async fn put_with(&self, path: &str, content: PutPayload, mode: PutMode) -> Result<Option<String>> {
        let _permit = self.permit().await;
        let options = PutOptions { mode, ..PutOptions::default() };
        let put = self.inner.store.put_opts(&self.key(path), content, options).await;
        put.map(|put| put.e_tag).map_err(|error| self.error(path, error))
    }

    /// Lists what is in the folder at `path`; nothing if it does not exist.
    pub(crate) async fn list(&self, path: &str) -> Result<Vec<Entry>> {
        let folder = self.key(path);
        let listed = self.inner.store.list_with_delimiter(Some(&folder)).await;
        let listed = listed.map_err(|error| self.error(path, error))?;
        let folders = listed.common_prefixes.iter().filter_map(|folder| folder.filename());
        let folders = folders.map(|name| Entry { name: name.to_owned(), object: None });
        let objects = listed.objects.iter().filter_map(|meta| {
            Some(Entry { name: meta.location.filename()?.to_owned(), object: Some(EntryObject::new(meta)) })
        });
        Ok(folders.chain(objects).collect())
    }

    /// Lists the names in the folder at `path` that come after `after`.
    pub(crate) async fn list_after(&self, path: &str, after: &str) -> Result<Vec<String>> {
        let folder = self.key(path);
        let listed = self.inner.store.list_with_offset(Some(&folder), &folder.clone().join(after));
        let names = listed.try_filter_map(|meta| async move { Ok(meta.location.filename().map(str::to_owned)) });
        names.try_collect().await.map_err(|error| self.error(path, error))
    }

    /// Lists the paths and sizes of all objects in the folder at `path` and below it; of all, if `path` is empty.
    pub(crate) async fn list_all(&self, path: &str) -> Result<Vec<(String, u64)>> {
        let folder = self.key(path);
        let prefix = (!folder.as_ref().is_empty()).then_some(&folder);
        let listed: Vec<ObjectMeta> =
            self.inner.store.list(prefix).try_collect().await.map_err(|error| self.error(path, error))?;
        let start = self.inner.prefix.as_ref();
        let path = |meta: &ObjectMeta| {
            let path = meta.location.as_ref().strip_prefix(start)?;
            Some((path.trim_start_matches('/').to_owned(), meta.size))
        };
        Ok(listed.iter().filter_map(path).collect())
    }

    /// Lists the objects in the folder at `path` and below it, or the object at `path`, by their keys in the bucket.
    pub(crate) async fn list_keys(&self, path: &str) -> Result<Vec<(String, EntryObject)>> {
        let folder = self.key(path);
        let found = if folder.as_ref().is_empty() { None } else { self.head(path).await? };
        if let Some(found) = found {
            return Ok(vec![(folder.to_string(), found)]);
        }
        let listed: Vec<ObjectMeta> =
            self.inner.store.list(Some(&folder)).try_collect().await.map_err(|error| self.error(path, error))?;
        Ok(listed.iter().map(|meta| (meta.location.to_string(), EntryObject::new(meta))).collect())
    }

    /// Removes the objects at `paths`, which may be gone already, a thousand with a request.
    pub(crate) async fn remove(&self, paths: Vec<String>) -> Result<()> {
        let Some(first) = paths.first().cloned() else { return Ok(()) };
        let keys: Vec<object_store::Result<Path>> = paths.iter().map(|path| Ok(self.key(path))).collect();
        let removed = self.inner.store.delete_stream(stream::iter(keys).boxed());
        let removed = removed.filter_map(|removed| async move {
            match removed {
                Err(object_store::Error::NotFound { .. }) | Ok(_) => None,
                Err(error) => Some(error),
            }
        });
        let failed: Vec<object_store::Error> = removed.collect().await;
        failed.into_iter().next().map_or(Ok(()), |error| Err(self.error(&first, error)))
    }

    /// Waits for the memory of a file of `bytes` bytes that is to be written.
    pub(super) async fn upload_memory(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let units = bytes.min(UPLOADED_BYTES).div_ceil(UPLOAD_UNIT);
        // The semaphore is never closed.
        Arc::clone(&self.inner.uploads).acquire_many_owned(u32::try_from(units).unwrap_or(u32::MAX)).await.ok()
    }

    async fn permit(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.inner.requests.acquire().await.ok()
    }

    /// The error of the object at `path`.
    pub(crate) fn error(&self, path: &str, cause: object_store::Error) -> Error {
        let StoreProblem { refusal: _, text, hint } = StoreProblem::new(&cause);
        Error::Store {
            object: format!("s3://{}/{}", self.inner.name, self.key(path)),
            problem: text,
            hint,
            cause: Box::new(cause),
        }
    }
}

impl EntryObject {
    fn new(meta: &ObjectMeta) -> EntryObject {
        let modified = std::time::SystemTime::from(meta.last_modified).duration_since(UNIX_EPOCH);
        let modified_ms = modified.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        EntryObject { bytes: meta.size, modified_ms }
    }
}

impl PartialEq for Bucket {
    fn eq(&self, other: &Bucket) -> bool {
        (self.uri(), &self.inner.endpoint) == (other.uri(), &other.inner.endpoint)
    }
}

impl Eq for Bucket {}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.uri())
    }
}

/// Whether `error` means that an object does not exist.
pub(crate) fn is_not_found(error: &Error) -> bool {
    refusal(error) == Some(Refusal::NotFound)
}

/// Whether `error` means that an object exists that was to be created, or that another process has changed it.
pub(crate) fn is_changed(error: &Error) -> bool {
    refusal(error) == Some(Refusal::Changed)
}

/// Whether `error` means that the store has no conditional writes.
pub(super) fn is_not_implemented(error: &Error) -> bool {
    refusal(error) == Some(Refusal::NotImplemented)
}

/// Whether `error` means that an object ends before the requested bytes.
pub(crate) fn is_beyond_end(error: &Error) -> bool {
    refusal(error) == Some(Refusal::BeyondEnd)
}

fn refusal(error: &Error) -> Option<Refusal> {
    match error {
        Error::Store { cause, .. } => Some(StoreProblem::new(cause).refusal),
        _ => None,
    }
}
