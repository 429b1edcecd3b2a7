//! A granule in an object store, read in place: the pages that a reader asks for are fetched, each once, and the last ones kept.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::physical_plan::metrics::Count;
use futures::future::try_join_all;
use isdb_granule::ByteSource;
use object_store::path::Path;
use object_store::{GetOptions, GetResult, ObjectStore};
use tokio::runtime::Handle;

/// Bytes of a page. Structure is read in hundreds of small pieces that lie near each other, values in chunks of up to 1.4 MB; a
/// request takes as long as a few hundred kilobytes.
const PAGE: u64 = 1 << 20;
/// Pages of a granule that are kept.
const KEPT: usize = 32;
/// Pages fetched ahead, at most.
const AHEAD: usize = 4;

/// Where a granule lies in a store, from its URL `s3://bucket/key`.
pub(crate) struct Place {
    /// The bucket.
    pub(crate) store: ObjectStoreUrl,
    /// The key in it.
    key: Path,
}

impl Place {
    /// None for what is no such URL, such as a path.
    pub(crate) fn parse(url: &str) -> Option<Place> {
        let (bucket, key) = url.strip_prefix("s3://")?.split_once('/')?;
        let store = ObjectStoreUrl::parse(format!("s3://{bucket}")).ok()?;
        Some(Place { store, key: Path::parse(key).ok()? })
    }
}

/// What was asked of stores.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// Requests.
    pub requests: Count,
    /// Bytes of their answers.
    pub bytes: Count,
}

/// Why bytes of a store did not come.
#[derive(Debug, thiserror::Error)]
enum Unfetched {
    #[error(
        "the store refuses it: granules can be read directly only from within the cloud region us-west-2; a download works \
         from everywhere"
    )]
    Forbidden(#[source] object_store::Error),
    #[error("it was changed while it was read")]
    Changed(#[source] object_store::Error),
    #[error("the store gave {got} of {wanted} bytes")]
    Short { got: usize, wanted: u64 },
    #[error(transparent)]
    Store(object_store::Error),
}

impl From<Unfetched> for io::Error {
    fn from(error: Unfetched) -> io::Error {
        let kind = match &error {
            Unfetched::Forbidden(_) => ErrorKind::PermissionDenied,
            Unfetched::Store(object_store::Error::NotFound { .. }) => ErrorKind::NotFound,
            _ => ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

/// An object of a store as the bytes of a granule. It must be the same object from the first byte to the last.
///
/// Reading blocks until the bytes are there, so it is for threads that run no tasks: those of `spawn_blocking`, or of one's own.
/// Several may read at once; they hold at most 32 MiB, and what is being fetched.
#[derive(Debug)]
pub struct RemoteSource {
    store: Arc<dyn ObjectStore>,
    url: String,
    key: Path,
    len: u64,
    etag: Option<String>,
    runtime: Handle,
    pages: Mutex<Pages>,
    traffic: Traffic,
}

/// A page, once it is there. Whoever fetches it holds the lock.
type Page = Mutex<Option<Bytes>>;

#[derive(Debug, Default)]
struct Pages {
    /// By number: the page, and when it was last asked for.
    kept: HashMap<u64, (Arc<Page>, u64)>,
    clock: u64,
}

impl RemoteSource {
    /// The object `url`, which is `s3://bucket/key`, of `store`, which is that of the bucket. One request tells its length and
    /// brings its first page. What is asked of the store from now on is counted in `traffic`.
    ///
    /// # Errors
    /// When the object cannot be read; of kind `PermissionDenied` when the store refuses it, which S3 does outside its region.
    pub async fn open(store: Arc<dyn ObjectStore>, url: &str, traffic: Traffic) -> io::Result<RemoteSource> {
        let place =
            Place::parse(url).ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "it is no s3://bucket/key"))?;
        let options = GetOptions { range: Some((0..PAGE).into()), ..GetOptions::default() };
        traffic.requests.add(1);
        let answer = store.get_opts(&place.key, options).await.map_err(unfetched)?;
        let (len, etag) = (answer.meta.size, answer.meta.e_tag.clone());
        let first = body(answer, 0..PAGE.min(len), &traffic).await?;
        let mut pages = Pages::default();
        pages.kept.insert(0, (Arc::new(Mutex::new(Some(first))), 0));
        Ok(RemoteSource {
            store,
            url: url.to_owned(),
            key: place.key,
            len,
            etag,
            runtime: Handle::current(),
            pages: Mutex::new(pages),
            traffic,
        })
    }

    async fn fetch(&self, range: Range<u64>) -> Result<Bytes, Unfetched> {
        let options =
            GetOptions { range: Some(range.clone().into()), if_match: self.etag.clone(), ..GetOptions::default() };
        self.traffic.requests.add(1);
        body(self.store.get_opts(&self.key, options).await.map_err(unfetched)?, range, &self.traffic).await
    }

    /// The bytes of the page.
    fn range(&self, page: u64) -> Range<u64> {
        page * PAGE..((page + 1) * PAGE).min(self.len)
    }
}

impl Pages {
    /// The pages `wanted`, of `count`. If one is not kept, then also as many behind them as are kept before them: who has read on
    /// so far reads on further.
    fn take(&mut self, wanted: Range<u64>, count: u64) -> Vec<(u64, Arc<Page>)> {
        self.clock += 1;
        let missing = wanted.clone().find(|page| !self.kept.contains_key(page));
        let before = (0..missing.unwrap_or(0)).rev().take_while(|page| self.kept.contains_key(page));
        let ahead = before.take(AHEAD).count() as u64;
        let end = (wanted.end + ahead).min(count);
        let mut taken = Vec::new();
        for page in wanted.start..end {
            // What is there already ends the read ahead.
            if page >= wanted.end && self.kept.contains_key(&page) {
                break;
            }
            let (kept, used) = self.kept.entry(page).or_default();
            *used = self.clock;
            taken.push((page, Arc::clone(kept)));
        }
        while self.kept.len() > KEPT
            && let Some(oldest) = self.kept.iter().min_by_key(|(_, (_, used))| *used).map(|(page, _)| *page)
        {
            self.kept.remove(&oldest);
        }
        taken
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
        let wanted = offset / PAGE..end.div_ceil(PAGE);
        let taken = locked(&self.pages).take(wanted, self.len.div_ceil(PAGE));
        // In the order of their numbers: two readers that fetch never wait for each other.
        let mut pages: Vec<(u64, MutexGuard<'_, Option<Bytes>>)> =
            taken.iter().map(|(number, page)| (*number, locked(page))).collect();
        let mut runs: Vec<Range<u64>> = Vec::new();
        for (number, _) in pages.iter().filter(|(_, page)| page.is_none()) {
            let range = self.range(*number);
            match runs.last_mut() {
                Some(run) if run.end == range.start => run.end = range.end,
                _ => runs.push(range),
            }
        }
        let fetched = match runs.is_empty() {
            true => Vec::new(),
            false => self.runtime.block_on(try_join_all(runs.iter().map(|run| self.fetch(run.clone()))))?,
        };
        for (number, page) in &mut pages {
            let range = self.range(*number);
            if let Some((run, bytes)) =
                runs.iter().zip(&fetched).find(|(run, _)| run.start <= range.start && range.end <= run.end)
            {
                // A copy of its own: a page that is kept must not keep the whole answer.
                **page = part(bytes, run.start, &range).map(Bytes::copy_from_slice);
            }
            let shared = range.start.max(offset)..range.end.min(end);
            // Pages that were read ahead share nothing.
            if shared.is_empty() {
                continue;
            }
            let from = page.as_ref().and_then(|bytes| part(bytes, range.start, &shared));
            let to = index(shared.start - offset).zip(index(shared.end - offset));
            match (from, to.and_then(|(start, end)| buffer.get_mut(start..end))) {
                (Some(from), Some(to)) => to.copy_from_slice(from),
                _ => return Err(ErrorKind::UnexpectedEof.into()),
            }
        }
        Ok(())
    }
}

/// What `bytes`, which lie at `start`, hold of `range`.
fn part<'a>(bytes: &'a Bytes, start: u64, range: &Range<u64>) -> Option<&'a [u8]> {
    bytes.get(index(range.start.checked_sub(start)?)?..index(range.end.checked_sub(start)?)?)
}

fn index(offset: u64) -> Option<usize> {
    usize::try_from(offset).ok()
}

/// A reader that panicked has left a page that is there or not; both are sound.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn body(answer: GetResult, range: Range<u64>, traffic: &Traffic) -> Result<Bytes, Unfetched> {
    let bytes = answer.bytes().await.map_err(unfetched)?;
    traffic.bytes.add(bytes.len());
    match range.end - range.start {
        wanted if wanted == bytes.len() as u64 => Ok(bytes),
        wanted => Err(Unfetched::Short { got: bytes.len(), wanted }),
    }
}

fn unfetched(error: object_store::Error) -> Unfetched {
    match error {
        object_store::Error::PermissionDenied { .. } => Unfetched::Forbidden(error),
        object_store::Error::Precondition { .. } => Unfetched::Changed(error),
        _ => Unfetched::Store(error),
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
        RemoteSource::open(Arc::clone(store) as _, URL, Traffic::default()).await.unwrap()
    }

    /// Bytes that tell where they are from.
    fn content(len: u64) -> Vec<u8> {
        (0..len).map(|at| (at ^ (at >> 8) ^ (at >> 16)).to_le_bytes()[0]).collect()
    }

    fn read(source: &RemoteSource, range: Range<u64>) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; usize::try_from(range.end - range.start).unwrap()];
        source.read_at(range.start, &mut buffer).map(|()| buffer)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn small_reads_of_a_large_object_are_right_and_fetch_nothing_twice() {
        let (store, content) = (Arc::new(InMemory::new()), content(7 * PAGE + 5));
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
        assert_eq!(source.traffic.bytes.value(), content.len());
        assert!(source.traffic.requests.value() < 8, "{} requests", source.traffic.requests.value());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn reading_the_whole_of_a_large_object_holds_a_part_of_it() {
        let store = Arc::new(InMemory::new());
        let source = source(&store, &content(48 * PAGE)).await;
        tokio::task::block_in_place(|| {
            for page in 0..48 {
                read(&source, page * PAGE..(page + 1) * PAGE).unwrap();
                assert!(locked(&source.pages).kept.len() <= KEPT);
            }
        });
        assert_eq!(source.traffic.bytes.value() as u64, 48 * PAGE);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_object_that_is_changed_or_ends_is_an_error_and_not_a_mixture() {
        let store = Arc::new(InMemory::new());
        let first = source(&store, &content(3 * PAGE)).await;
        source(&store, &content(3 * PAGE)).await;
        tokio::task::block_in_place(|| {
            let ends = read(&first, 3 * PAGE - 1..3 * PAGE + 1).unwrap_err();
            assert_eq!(ends.kind(), ErrorKind::UnexpectedEof);
            let changed = read(&first, 2 * PAGE..2 * PAGE + 9).unwrap_err().to_string();
            assert!(changed.contains("changed"), "{changed}");
        });
    }

    #[test]
    fn only_urls_of_stores_are_places_in_a_store() {
        let place = Place::parse("s3://nsidc/ATLAS/ATL08/007/x.h5").unwrap();
        assert_eq!((place.store.as_str(), place.key.as_ref()), ("s3://nsidc/", "ATLAS/ATL08/007/x.h5"));
        for other in ["/data/x.h5", "s3:/bucket/x.h5", "data/s3/x.h5", "https://host/x.h5"] {
            assert!(Place::parse(other).is_none(), "{other}");
        }
    }
}
