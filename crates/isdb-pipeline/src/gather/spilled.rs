//! Runs on disk: a file in Arrow's IPC stream format, sorted by chunk, with adjacent runs in one batch.

use std::collections::VecDeque;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::execution::SpillFile;
use datafusion::physical_plan::metrics::SpillMetrics;

use super::run::{Run, split_into_runs};
use crate::error::Error;
use crate::memory::slice_bytes;

/// Rows of a batch in a file, at most. While files are merged, one batch of each is in memory.
const BATCH_ROWS: usize = 1024;

/// A file of runs. Dropping this value deletes the file.
pub(super) struct SpilledRuns {
    file: Arc<dyn SpillFile>,
    rows: usize,
}

impl SpilledRuns {
    /// Writes `runs` to `file`.
    pub(super) fn write(file: Arc<dyn SpillFile>, runs: Vec<Run>, metrics: &SpillMetrics) -> Result<SpilledRuns> {
        let rows = write_sorted(&*file, runs, metrics).map_err(|source| failed(&*file, source))?;
        metrics.spilled_rows.add(rows);
        metrics.spill_file_count.add(1);
        Ok(SpilledRuns { file, rows })
    }

    /// Reads the runs, by chunk.
    pub(super) fn read(self, chunk: usize) -> Result<impl Iterator<Item = Result<Run>> + Send> {
        let mut batches = open(&*self.file).map_err(|source| failed(&*self.file, source))?;
        let (mut runs, mut left) = (VecDeque::new(), self.rows);
        Ok(std::iter::from_fn(move || {
            while runs.is_empty() && left > 0 {
                let batch = batches.next().unwrap_or_else(|| Err(ArrowError::IpcError(TRUNCATED.to_owned())));
                match batch.map_err(Into::into).and_then(|batch| split_into_runs(&batch, chunk)) {
                    Ok(found) => runs.extend(found),
                    // The closure owns `self`, so the file lives as long as the iterator.
                    Err(source) => return Some(Err(failed(&*self.file, source))),
                }
                left = left.saturating_sub(runs.iter().map(|run: &Run| run.rows.num_rows()).sum());
            }
            runs.pop_front().map(Ok)
        }))
    }
}

/// Writes `runs` by chunk, and returns the number of their rows.
fn write_sorted(file: &dyn SpillFile, mut runs: Vec<Run>, metrics: &SpillMetrics) -> Result<usize> {
    runs.sort_by_key(|run| run.chunk);
    let Some(schema) = runs.first().map(|run| run.rows.schema()) else { return Ok(0) };
    let mut writer = StreamWriter::try_new(file.open_writer()?, &schema)?;
    let mut written = 0;
    let mut write = |pending: &mut Vec<RecordBatch>| -> Result<()> {
        let batch = concat_batches(&schema, &std::mem::take(pending))?;
        writer.write(&batch)?;
        written += batch.num_rows();
        metrics.spilled_bytes.add(slice_bytes(&batch)?);
        Ok(())
    };
    let (mut pending, mut rows) = (Vec::new(), 0);
    for piece in runs.into_iter().flat_map(|run| pieces(run.rows)) {
        if rows + piece.num_rows() > BATCH_ROWS {
            write(&mut pending)?;
            rows = 0;
        }
        rows += piece.num_rows();
        pending.push(piece);
    }
    write(&mut pending)?;
    writer.into_inner()?.finish()?;
    Ok(written)
}

fn open(file: &dyn SpillFile) -> Result<StreamReader<BufReader<File>>> {
    let Some(path) = file.path() else {
        return internal_err!("the spill file is not a local file");
    };
    Ok(StreamReader::try_new(BufReader::new(File::open(path)?), None)?)
}

fn failed(file: &dyn SpillFile, source: DataFusionError) -> DataFusionError {
    Error::Spill { path: file.path().map(Path::to_owned).unwrap_or_default(), source }.into()
}

/// A file that ends between two batches is valid in the format, so its rows are counted.
const TRUNCATED: &str = "a spill file is truncated";

/// Slices `rows` into pieces of at most [`BATCH_ROWS`].
fn pieces(rows: RecordBatch) -> impl Iterator<Item = RecordBatch> {
    let all = rows.num_rows();
    (0..all).step_by(BATCH_ROWS).map(move |first| rows.slice(first, BATCH_ROWS.min(all - first)))
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int32Array};
    use datafusion::execution::runtime_env::RuntimeEnv;
    use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;

    use super::*;

    #[test]
    fn a_truncated_file_is_an_error() {
        let rows = i32::try_from(BATCH_ROWS).unwrap() * 2;
        let chunks: ArrayRef = Arc::new(Int32Array::from_iter_values((0..rows).map(|row| row / 1000)));
        let batch = RecordBatch::try_from_iter([("chunk", chunks)]).unwrap();
        let written = || {
            let file = RuntimeEnv::default().disk_manager.create_tmp_file("a test").unwrap();
            let metrics = SpillMetrics::new(&ExecutionPlanMetricsSet::new(), 0);
            SpilledRuns::write(file, split_into_runs(&batch, 0).unwrap(), &metrics).unwrap()
        };
        let read = |spilled: SpilledRuns| {
            let runs = spilled.read(0)?.collect::<Result<Vec<_>>>()?;
            Ok::<_, datafusion::error::DataFusionError>(runs.iter().map(|run| run.rows.num_rows()).collect::<Vec<_>>())
        };
        assert_eq!(read(written()).unwrap(), [1000, 1000, 48]);
        let whole = written();
        let path = whole.file.path().unwrap().to_owned();
        let bytes = std::fs::read(&path).unwrap();
        // The last eight bytes are the end mark; without it, the file still has all rows.
        for end in 0..bytes.len() - 8 {
            let file = Arc::clone(&whole.file);
            std::fs::write(&path, &bytes[..end]).unwrap();
            assert!(read(SpilledRuns { file, rows: whole.rows }).is_err(), "cut at {end} of {}", bytes.len());
        }
    }
}
