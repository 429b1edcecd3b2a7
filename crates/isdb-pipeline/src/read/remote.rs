//! A granule in an object store, read in place by ranges. Pages of 1 MiB are fetched once, and the most recently used ones are
//! kept.
//!
//! The page cache is written here: `object_store` merges and fetches ranges ([`coalesce_ranges`]), but its `get_ranges` cannot
//! require the entity tag of the first response. A general cache would not read ahead, and would not let several readers wait for
//! one request.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use datafusion::physical_plan::metrics::Count;
use isdb_granule::ByteSource;
use object_store::path::Path;
use object_store::{GetOptions, GetResult, ObjectStore, coalesce_ranges};
use tokio::runtime::Handle;

use crate::read::object_address::ObjectAddress;

/// Bytes of a page. The structure of a granule is read in hundreds of small pieces near each other, values in HDF5 chunks of up to
/// 1.4 MB; a request costs as much time as the transfer of a few hundred kilobytes.
const PAGE_BYTES: u64 = 1 << 20;
/// Maximum number of pages kept for a granule.
const MAX_PAGES: usize = 32;
/// Maximum number of pages fetched ahead.
const MAX_READ_AHEAD: usize = 4;

/// Counts of reads from object stores.
#[derive(Clone, Debug, Default)]
pub struct FetchMetrics {
    /// Requests.
    pub requests: Count,
    /// Bytes of the responses.
    pub bytes: Count,
}

/// Why bytes cannot be fetched.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error(
        "the store refuses it: granules can be read directly only from within the cloud region us-west-2; a download works \
         from everywhere"
    )]
    Forbidden(#[source] object_store::Error),
    #[error("it was changed while it was read")]
    Changed(#[source] object_store::Error),
    #[error("expected {expected} bytes from the store, found {found}")]
    Short { expected: u64, found: usize },
    #[error(transparent)]
    Store(object_store::Error),
}

impl From<object_store::Error> for FetchError {
    fn from(error: object_store::Error) -> FetchError {
        match error {
            object_store::Error::PermissionDenied { .. } => FetchError::Forbidden(error),
            object_store::Error::Precondition { .. } => FetchError::Changed(error),
            _ => FetchError::Store(error),
        }
    }
}

impl From<FetchError> for io::Error {
    fn from(error: FetchError) -> io::Error {
        let kind = match &error {
            FetchError::Forbidden(_) => ErrorKind::PermissionDenied,
            FetchError::Store(object_store::Error::NotFound { .. }) => ErrorKind::NotFound,
            _ => ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

/// An object in a store, as the bytes of a granule. All bytes come from one version of the object, which its entity tag ensures.
///
/// Reading blocks until the bytes have arrived, so only threads that run no async tasks may read, such as the threads of
/// `spawn_blocking`. Several threads may read at once; they use at most 32 MiB together, and the pages that are being fetched.
#[derive(Debug)]
pub struct RemoteSource {
    store: Arc<dyn ObjectStore>,
    url: String,
    key: Path,
    len: u64,
    etag: Option<String>,
    runtime: Handle,
    pages: Mutex<PageCache>,
    metrics: FetchMetrics,
}

/// The bytes of a page once they have arrived. The thread that fetches them holds the lock.
type Page = Mutex<Option<Bytes>>;

#[derive(Debug, Default)]
struct PageCache {
    /// By page number: the page, and when it was last requested.
    pages: HashMap<u64, (Arc<Page>, u64)>,
    clock: u64,
}

impl RemoteSource {
    /// Opens the object `url`, which is `s3://bucket/key`, in `store`, which is the bucket. One request fetches its length and its
    /// first page. Requests from now on are counted in `metrics`.
    ///
    /// # Errors
    /// When the object cannot be read; of kind `PermissionDenied` when the store refuses it, which S3 does outside its region.
    pub async fn open(store: Arc<dyn ObjectStore>, url: &str, metrics: FetchMetrics) -> io::Result<RemoteSource> {
        let invalid = || io::Error::new(ErrorKind::InvalidInput, "expected a URL s3://bucket/key");
        let key = ObjectAddress::parse(url).ok_or_else(invalid)?.key;
        let options = GetOptions { range: Some((0..PAGE_BYTES).into()), ..GetOptions::default() };
        metrics.requests.add(1);
        let answer = store.get_opts(&key, options).await.map_err(FetchError::from)?;
        let (len, etag) = (answer.meta.size, answer.meta.e_tag.clone());
        let first = body(answer, PAGE_BYTES.min(len), &metrics).await?;
        let mut pages = PageCache::default();
        pages.pages.insert(0, (Arc::new(Mutex::new(Some(first))), 0));
        let (url, runtime, pages) = (url.to_owned(), Handle::current(), Mutex::new(pages));
        Ok(RemoteSource { store, url, key, len, etag, runtime, pages, metrics })
    }

    async fn fetch(&self, range: Range<u64>) -> Result<Bytes, FetchError> {
        let bytes = range.end - range.start;
        let options = GetOptions { range: Some(range.into()), if_match: self.etag.clone(), ..GetOptions::default() };
        self.metrics.requests.add(1);
        body(self.store.get_opts(&self.key, options).await?, bytes, &self.metrics).await
    }

    /// Returns the byte range of a page.
    fn range(&self, page: u64) -> Range<u64> {
        page * PAGE_BYTES..((page + 1) * PAGE_BYTES).min(self.len)
    }
}

impl PageCache {
    /// Returns the pages `requested` of a file of `count` pages. If one of them is not cached, also as many pages behind them as
    /// are cached before it, up to [`MAX_READ_AHEAD`]: a reader that has read those will probably read on.
    fn get_or_insert(&mut self, requested: Range<u64>, count: u64) -> Vec<(u64, Arc<Page>)> {
        self.clock += 1;
        let missing = requested.clone().find(|page| !self.pages.contains_key(page));
        let before = (0..missing.unwrap_or(0)).rev().take_while(|page| self.pages.contains_key(page));
        let ahead = before.take(MAX_READ_AHEAD).count() as u64;
        let end = (requested.end + ahead).min(count);
        let mut pages = Vec::new();
        for number in requested.start..end {
            // A cached page ends the read-ahead.
            if number >= requested.end && self.pages.contains_key(&number) {
                break;
            }
            let (page, used) = self.pages.entry(number).or_default();
            *used = self.clock;
            pages.push((number, Arc::clone(page)));
        }
        while self.pages.len() > MAX_PAGES
            && let Some(oldest) = self.pages.iter().min_by_key(|(_, (_, used))| *used).map(|(page, _)| *page)
        {
            self.pages.remove(&oldest);
        }
        pages
    }
}

impl ByteSource for RemoteSource {
    fn name(&self) -> &str {
        &self.url
    }

    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buffer.len() as u64).filter(|end| *end <= self.len);
        let end = end.ok_or(ErrorKind::UnexpectedEof)?;
        let requested = offset / PAGE_BYTES..end.div_ceil(PAGE_BYTES);
        let shared = lock(&self.pages).get_or_insert(requested, self.len.div_ceil(PAGE_BYTES));
        // Pages are locked in ascending order, so two readers that fetch never wait for each other.
        let mut pages: Vec<(Range<u64>, MutexGuard<'_, Option<Bytes>>)> =
            shared.iter().map(|(number, page)| (self.range(*number), lock(page))).collect();
        let (mut missing, mut ranges) = (Vec::new(), Vec::new());
        for (range, page) in pages.iter_mut().filter(|(_, page)| page.is_none()) {
            ranges.push(range.clone());
            missing.push(page);
        }
        if !ranges.is_empty() {
            // Adjacent pages are one request.
            let fetched = coalesce_ranges(&ranges, |range| self.fetch(range), 0);
            for (page, bytes) in missing.into_iter().zip(self.runtime.block_on(fetched)?) {
                // A copy, so that a cached page does not keep the whole response in memory.
                **page = Some(Bytes::copy_from_slice(&bytes));
            }
        }
        for (range, page) in &pages {
            let overlap = range.start.max(offset)..range.end.min(end);
            // Pages that were read ahead do not overlap.
            if overlap.is_empty() {
                continue;
            }
            let from = page.as_ref().zip(within(&overlap, range.start)).and_then(|(bytes, range)| bytes.get(range));
            let to = within(&overlap, offset).and_then(|range| buffer.get_mut(range));
            match (from, to) {
                (Some(from), Some(to)) => to.copy_from_slice(from),
                _ => return Err(ErrorKind::UnexpectedEof.into()),
            }
        }
        Ok(())
    }
}

/// Returns `range` relative to `start`.
fn within(range: &Range<u64>, start: u64) -> Option<Range<usize>> {
    let relative = |offset: u64| usize::try_from(offset.checked_sub(start)?).ok();
    Some(relative(range.start)?..relative(range.end)?)
}

/// Locks `mutex` even if a reader panicked while holding it: a page either has its bytes or has none, and both are valid.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the body of a response, which must be `expected` bytes long.
async fn body(answer: GetResult, expected: u64, metrics: &FetchMetrics) -> Result<Bytes, FetchError> {
    let bytes = answer.bytes().await?;
    metrics.bytes.add(bytes.len());
    match bytes.len() as u64 == expected {
        true => Ok(bytes),
        false => Err(FetchError::Short { expected, found: bytes.len() }),
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;
    use object_store::{ObjectStoreExt as _, PutPayload};

    use super::*;

    const URL: &str = "s3://bucket/a/b.h5";

    async fn source(store: &Arc<InMemory>, content: &[u8]) -> RemoteSource {
        let payload = PutPayload::from(content.to_vec());
        store.put(&Path::from("a/b.h5"), payload).await.unwrap();
        RemoteSource::open(Arc::clone(store) as _, URL, FetchMetrics::default()).await.unwrap()
    }

    /// Bytes that depend on their offset.
    fn content(len: u64) -> Vec<u8> {
        (0..len).map(|at| (at ^ (at >> 8) ^ (at >> 16)).to_le_bytes()[0]).collect()
    }

    fn read(source: &RemoteSource, range: Range<u64>) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; usize::try_from(range.end - range.start).unwrap()];
        source.read_at(range.start, &mut buffer).map(|()| buffer)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn concurrent_small_reads_are_correct_and_fetch_each_byte_once() {
        let (store, content) = (Arc::new(InMemory::new()), content(7 * PAGE_BYTES + 5));
        let source = source(&store, &content).await;
        tokio::task::block_in_place(|| {
            std::thread::scope(|scope| {
                for reader in 0..3 {
                    let (source, content) = (&source, &content);
                    scope.spawn(move || {
                        for start in (0..source.len()).step_by(300_000 + reader) {
                            let end = (start + 400_000).min(source.len());
                            let expected = &content[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()];
                            assert!(read(source, start..end).unwrap() == expected, "{start}");
                        }
                    });
                }
            });
        });
        assert_eq!(source.metrics.bytes.value(), content.len());
        assert!(source.metrics.requests.value() < 8, "{} requests", source.metrics.requests.value());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn reading_a_whole_object_keeps_a_limited_number_of_pages() {
        let store = Arc::new(InMemory::new());
        let source = source(&store, &content(48 * PAGE_BYTES)).await;
        tokio::task::block_in_place(|| {
            for page in 0..48 {
                read(&source, page * PAGE_BYTES..(page + 1) * PAGE_BYTES).unwrap();
                assert!(lock(&source.pages).pages.len() <= MAX_PAGES);
            }
        });
        assert_eq!(source.metrics.bytes.value() as u64, 48 * PAGE_BYTES);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_changed_object_and_a_read_past_the_end_are_errors() {
        let store = Arc::new(InMemory::new());
        let first = source(&store, &content(3 * PAGE_BYTES)).await;
        source(&store, &content(3 * PAGE_BYTES)).await;
        tokio::task::block_in_place(|| {
            let past_end = read(&first, 3 * PAGE_BYTES - 1..3 * PAGE_BYTES + 1).unwrap_err();
            assert_eq!(past_end.kind(), ErrorKind::UnexpectedEof);
            let changed = read(&first, 2 * PAGE_BYTES..2 * PAGE_BYTES + 9).unwrap_err().to_string();
            assert!(changed.contains("changed"), "{changed}");
        });
    }
}
