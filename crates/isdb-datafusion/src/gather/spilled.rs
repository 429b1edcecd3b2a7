//! Runs on disk: a file of Arrow's IPC stream format in which they lie by chunk, neighbours in one batch.

use std::collections::VecDeque;
use std::fs::File;
use std::io::BufReader;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::execution::SpillFile;
use datafusion::physical_plan::metrics::SpillMetrics;

use super::run::{Run, bytes_of, runs_of};

/// A file of runs. It is removed when it is let go.
pub(super) struct Spilled {
    file: Arc<dyn SpillFile>,
}

impl Spilled {
    /// Writes `runs` to `file`, about `batch_rows` rows to a batch.
    pub(super) fn write(
        file: Arc<dyn SpillFile>,
        mut runs: Vec<Run>,
        batch_rows: usize,
        metrics: &SpillMetrics,
    ) -> Result<Spilled> {
        runs.sort_by_key(|run| run.chunk);
        let Some(schema) = runs.first().map(|run| run.rows.schema()) else { return Ok(Spilled { file }) };
        let mut writer = StreamWriter::try_new(file.open_writer()?, &schema)?;
        let mut together: Vec<RecordBatch> = Vec::new();
        let mut runs = runs.into_iter().peekable();
        while let Some(run) = runs.next() {
            together.push(run.rows);
            let rows: usize = together.iter().map(RecordBatch::num_rows).sum();
            if rows >= batch_rows || runs.peek().is_none() {
                let batch = concat_batches(&schema, &together)?;
                together.clear();
                writer.write(&batch)?;
                metrics.spilled_rows.add(rows);
                metrics.spilled_bytes.add(bytes_of(&batch)?);
            }
        }
        writer.into_inner()?.finish()?;
        metrics.spill_file_count.add(1);
        Ok(Spilled { file })
    }

    /// The runs, by chunk.
    pub(super) fn read(self, chunk: usize) -> Result<impl Iterator<Item = Result<Run>> + Send> {
        let Some(path) = self.file.path() else {
            return Err(internal_datafusion_err!("what was spilled is no file of this machine"));
        };
        let mut batches = StreamReader::try_new(BufReader::new(File::open(path)?), None)?;
        let mut runs = VecDeque::new();
        Ok(std::iter::from_fn(move || {
            // The file lives as long as what reads it.
            let _file = &self.file;
            while runs.is_empty() {
                let batch = batches.next()?;
                match batch.map_err(Into::into).and_then(|batch| runs_of(&batch, chunk)) {
                    Ok(found) => runs.extend(found),
                    Err(error) => return Some(Err(error)),
                }
            }
            runs.pop_front().map(Ok)
        }))
    }
}
