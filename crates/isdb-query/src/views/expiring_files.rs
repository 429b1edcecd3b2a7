//! Parquet files that a vacuum may remove: an error of a read says whether the snapshot has expired.

use std::fmt::{self, Formatter};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions;
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::errors::{ParquetError, Result};
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use isdb_store::Snapshot;

use crate::views::expiry::explain_expiry;

/// Opens the files of one snapshot.
#[derive(Debug)]
pub(super) struct ExpiringFiles {
    files: CachedParquetFileReaderFactory,
    snapshot: Option<Arc<Snapshot>>,
}

impl ExpiringFiles {
    /// Opens files as `files` does, and explains errors by the state of `snapshot`.
    pub(super) fn new(files: CachedParquetFileReaderFactory, snapshot: Option<Arc<Snapshot>>) -> Self {
        Self { files, snapshot }
    }
}

impl ParquetFileReaderFactory for ExpiringFiles {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> datafusion::error::Result<Box<dyn AsyncFileReader + Send>> {
        let reader = self.files.create_reader(partition, file, metadata_size_hint, metrics)?;
        Ok(match &self.snapshot {
            Some(snapshot) => Box::new(ExpiringFile { reader, snapshot: Arc::clone(snapshot) }),
            None => reader,
        })
    }
}

/// One open file.
struct ExpiringFile {
    reader: Box<dyn AsyncFileReader + Send>,
    snapshot: Arc<Snapshot>,
}

impl fmt::Debug for ExpiringFile {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("ExpiringFile")
    }
}

impl AsyncFileReader for ExpiringFile {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        explained(self.reader.get_bytes(range), &self.snapshot)
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>>> {
        explained(self.reader.get_byte_ranges(ranges), &self.snapshot)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        explained(self.reader.get_metadata(options), &self.snapshot)
    }
}

fn explained<'a, T: Send + 'a>(read: BoxFuture<'a, Result<T>>, snapshot: &'a Snapshot) -> BoxFuture<'a, Result<T>> {
    async move {
        match read.await {
            Err(error) => {
                Err(explain_expiry(snapshot, error, |expired| ParquetError::External(Box::new(expired))).await)
            }
            read => read,
        }
    }
    .boxed()
}
