//! The files of an array in a bucket, for the native reader and writer. Their calls block; the requests are made by other threads.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use tiledb::{FileEnd, FileRange, ListedStorage, Storage, Stored, WritableStorage};

use super::block_cache::{Answer, BLOCK_BYTES, Block, BlockKey, Run, block_of, blocks_of};
use super::bucket::{Bucket, is_beyond_end, is_not_found};
use super::runtime::wait;
use crate::error::{Error, Result};

/// Bytes of the largest request. Larger ranges are several at a time.
const REQUEST_BYTES: u64 = 4 << 20;
/// A longer range comes from a damaged file or is rare, so that the size of the file is looked at first.
const LONG_RANGE: usize = 64 << 20;
/// Requests of one read at a time.
const CONCURRENT: usize = 32;

/// The array at `folder` in a bucket.
#[derive(Clone, Debug)]
pub(crate) struct BucketArray {
    bucket: Bucket,
    folder: Arc<str>,
}

/// Bytes to request of one file.
type Request = (Arc<str>, Range<u64>);

impl BucketArray {
    pub(crate) fn new(bucket: &Bucket, folder: &str) -> BucketArray {
        BucketArray { bucket: bucket.clone(), folder: folder.into() }
    }

    fn path(&self, path: &str) -> String {
        format!("{}/{path}", self.folder)
    }

    fn wait<T: Send + 'static>(&self, work: impl Future<Output = Result<T>> + Send + 'static) -> io::Result<T> {
        self.bucket.wait(work).map_err(io_error)
    }

    /// Makes `requests` concurrently, and returns their bytes in the same order.
    fn fetch(&self, requests: Vec<Request>) -> Result<Vec<Bytes>, (Arc<str>, io::Error)> {
        let array = self.clone();
        let work = async move {
            let fetch = |(path, range): Request| {
                let array = &array;
                async move {
                    let bytes = array.bucket.get_range(&array.path(&path), range).await;
                    bytes.map_err(|error| (path, io_error(error)))
                }
            };
            stream::iter(requests).map(fetch).buffered(CONCURRENT).try_collect().await
        };
        let shut_down = || Err(("".into(), io_error(Error::Shutdown)));
        wait(self.bucket.runtime(), work).unwrap_or_else(shut_down)
    }

    /// Begins the requests for the blocks of these ranges that are neither kept nor coming, and returns all of them.
    fn blocks(&self, ranges: &[FileRange]) -> HashMap<BlockKey, Block> {
        let keys = ranges.iter().filter(|range| range.length > 0).flat_map(|range| {
            // The same path in two arrays is two files.
            let path: Arc<str> = self.path(&range.path).into();
            blocks_of(&bytes_of(range)).map(move |number| (Arc::clone(&path), number))
        });
        self.bucket.cache().blocks(keys, |run| self.request(run.clone()))
    }

    /// Requests blocks, which are kept when they arrive.
    fn request(&self, run: Run) -> Answer {
        let bucket = self.bucket.clone();
        let bytes = byte_of(run.blocks.start)..byte_of(run.blocks.end);
        let answer = self.bucket.runtime().spawn(async move {
            let answer = bucket.get_range(&run.path, bytes).await.ok();
            bucket.cache().arrived(&run, answer.as_ref());
            answer
        });
        answer.map(|answer| answer.ok().flatten()).boxed().shared()
    }

    /// Reads the ranges through the cache. Returns false if a request has failed.
    fn read_blocks(&self, ranges: &[FileRange], buffers: &mut [Vec<u8>]) -> Result<bool, (Arc<str>, io::Error)> {
        let mut blocks = self.blocks(ranges);
        let is_complete = wait(self.bucket.runtime(), async move {
            for block in blocks.values_mut() {
                if let Block::Coming(_, answer) = block
                    && answer.clone().await.is_none()
                {
                    return None;
                }
            }
            Some(blocks)
        });
        let Some(blocks) = is_complete.flatten() else { return Ok(false) };
        for (range, buffer) in ranges.iter().zip(buffers) {
            let wanted = bytes_of(range);
            let path: Arc<str> = self.path(&range.path).into();
            buffer.clear();
            for number in blocks_of(&wanted) {
                let block = match blocks.get(&(Arc::clone(&path), number)) {
                    Some(Block::Kept(bytes)) => bytes.as_ref(),
                    Some(Block::Coming(first, answer)) => {
                        let answer = answer.peek().and_then(Option::as_ref).map(Bytes::as_ref);
                        block_of(answer.unwrap_or_default(), *first, number)
                    }
                    None => &[],
                };
                let start = byte_of(number);
                let within = |at: u64| usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX).min(block.len());
                buffer.extend_from_slice(block.get(within(wanted.start)..within(wanted.end)).unwrap_or_default());
            }
            check_length(range, buffer.len())?;
        }
        Ok(true)
    }

    /// Reads the ranges, and keeps nothing.
    fn read_exactly(&self, ranges: &[FileRange], buffers: &mut [Vec<u8>]) -> Result<(), (Arc<str>, io::Error)> {
        let mut requests = Vec::new();
        for range in ranges {
            self.check_long_range(range)?;
            let bytes = bytes_of(range);
            let mut start = bytes.start;
            while start < bytes.end {
                let end = bytes.end.min(start + REQUEST_BYTES);
                requests.push((Arc::clone(&range.path), start..end));
                start = end;
            }
        }
        let mut fetched = self.fetch(requests)?.into_iter();
        for (range, buffer) in ranges.iter().zip(buffers) {
            buffer.clear();
            let answers = (range.length as u64).div_ceil(REQUEST_BYTES);
            for bytes in fetched.by_ref().take(usize::try_from(answers).unwrap_or(usize::MAX)) {
                buffer.extend_from_slice(&bytes);
            }
            check_length(range, buffer.len())?;
        }
        Ok(())
    }

    /// Checks that a file has a long range, before memory is reserved for it.
    fn check_long_range(&self, range: &FileRange) -> Result<(), (Arc<str>, io::Error)> {
        if range.length <= LONG_RANGE {
            return Ok(());
        }
        let (bucket, path) = (self.bucket.clone(), self.path(&range.path));
        let found = self.wait(async move { bucket.head(&path).await });
        let size = found.map_err(|error| (Arc::clone(&range.path), error))?.map_or(0, |object| object.bytes);
        let available = size.saturating_sub(range.start);
        check_length(range, usize::try_from(available).unwrap_or(usize::MAX).min(range.length))
    }
}

impl Storage for BucketArray {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let (bucket, path) = (self.bucket.clone(), self.path(path));
        if let Some(content) = bucket.kept(&path) {
            return Ok(content.into());
        }
        self.wait(async move { Ok(bucket.get(&path).await?.into()) })
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn prepare(&self, paths: &[String]) {
        let (bucket, paths) = (self.bucket.clone(), paths.iter().map(|path| self.path(path)).collect());
        // An error is that of the read that follows.
        let _ = self.wait(async move {
            bucket.prefetch(paths).await;
            Ok(())
        });
    }

    fn prefetch(&self, ranges: &[FileRange]) {
        if !self.bucket.cache().is_busy() {
            let mut ranges = ranges.to_vec();
            // The tiles of several steps, so that neighbours are one request.
            ranges.sort_unstable_by(|a, b| (&a.path, a.start).cmp(&(&b.path, b.start)));
            self.blocks(&ranges);
        }
    }

    fn read_ranges(&self, ranges: &[FileRange], buffers: &mut [Vec<u8>]) -> Result<(), (Arc<str>, io::Error)> {
        let bytes = |range: &FileRange| {
            let blocks = blocks_of(&bytes_of(range));
            byte_of(blocks.end.saturating_sub(blocks.start))
        };
        let blocks = ranges.iter().map(bytes).fold(0, u64::saturating_add);
        // Requests that fail are made once more, for the error of the first.
        match blocks <= self.bucket.cache().share() && self.read_blocks(ranges, buffers)? {
            true => Ok(()),
            false => self.read_exactly(ranges, buffers),
        }
    }
}

impl ListedStorage for BucketArray {
    fn names(&self, folder: &str) -> io::Result<Vec<String>> {
        let (bucket, path) = (self.bucket.clone(), self.path(folder));
        let entries = self.wait(async move { bucket.list(&path).await })?;
        Ok(entries.into_iter().map(|entry| entry.name).collect())
    }

    fn read_ends(&self, paths: &[String], bytes: u64) -> Result<Vec<FileEnd>, (Arc<str>, io::Error)> {
        let (array, paths) = (self.clone(), paths.to_vec());
        let work = async move {
            let read = |path: String| {
                let array = &array;
                async move {
                    let end = array.bucket.get_end(&array.path(&path), bytes).await;
                    let (bytes, size) = end.map_err(|error| (Arc::from(path), io_error(error)))?;
                    Ok(FileEnd { bytes: bytes.into(), size })
                }
            };
            stream::iter(paths).map(read).buffered(CONCURRENT).try_collect().await
        };
        let shut_down = || Err(("".into(), io_error(Error::Shutdown)));
        wait(self.bucket.runtime(), work).unwrap_or_else(shut_down)
    }
}

impl WritableStorage for BucketArray {
    fn begin_write(&self, path: &str, content: &[u8]) -> io::Result<Stored> {
        let (bucket, path) = (self.bucket.clone(), self.path(path));
        let (of, bytes) = (bucket.clone(), content.len());
        let memory = self.wait(async move { Ok(of.upload_memory(bytes).await) })?;
        let content = Bytes::copy_from_slice(content);
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.bucket.runtime().spawn(async move {
            let put = bucket.put(&path, content).await;
            drop(memory);
            // Without a receiver, the write was given up.
            let _ = sender.send(put);
        });
        Ok(Box::new(move || receiver.recv().unwrap_or(Err(Error::Shutdown)).map_err(io_error)))
    }

    fn remove_folder(&self, folder: &str) {
        let (bucket, path) = (self.bucket.clone(), self.path(folder));
        let removed = self.wait(async move {
            let files = bucket.list_all(&path).await?;
            bucket.remove(files.into_iter().map(|(path, _)| path).collect()).await
        });
        if let Err(error) = removed {
            tracing::debug!(%error, "files of a fragment that was given up are left");
        }
    }
}

/// The bytes of a range. A range of a damaged file may end beyond every file.
fn bytes_of(range: &FileRange) -> Range<u64> {
    range.start..range.start.saturating_add(range.length as u64)
}

fn check_length(range: &FileRange, found: usize) -> Result<(), (Arc<str>, io::Error)> {
    if found == range.length {
        return Ok(());
    }
    let problem = format!("expected {} bytes from byte {}, found {found}", range.length, range.start);
    Err((Arc::clone(&range.path), io::Error::new(ErrorKind::UnexpectedEof, problem)))
}

/// The first byte of a block.
fn byte_of(block: u64) -> u64 {
    block.saturating_mul(BLOCK_BYTES as u64)
}

/// An error of this crate as one of the storage; [`store_error`] returns it.
fn io_error(error: Error) -> io::Error {
    let kind = match () {
        () if is_not_found(&error) => ErrorKind::NotFound,
        () if is_beyond_end(&error) => ErrorKind::UnexpectedEof,
        () => ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

/// The error of an object store that an error of an array has as its cause; `Err` for others. A file that is missing or too short is one of
/// the array.
pub(crate) fn store_error(error: tiledb::Error) -> Result<Error, tiledb::Error> {
    match error {
        tiledb::Error::File { path, source } => {
            inner_error(source).map_err(|source| tiledb::Error::File { path, source })
        }
        tiledb::Error::Write { path, source } => {
            inner_error(source).map_err(|source| tiledb::Error::Write { path, source })
        }
        error => Err(error),
    }
}

fn inner_error(error: io::Error) -> Result<Error, io::Error> {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::UnexpectedEof => Err(error),
        _ => error.downcast::<Error>(),
    }
}
