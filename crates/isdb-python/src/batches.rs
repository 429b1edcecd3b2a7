//! Rows as a stream of batches, computed while earlier ones are used: at most a few are in memory.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::{Fields, Schema, SchemaRef};
use arrow::error::ArrowError;
use futures::StreamExt;
use isdb::embed::{Failure, PlannedStatement};
use pyo3::prelude::*;
use pyo3_arrow::PyRecordBatch;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::failure::raise;
use crate::logging;
use crate::runtime::{replace_if_busy, runtime};

/// Batches that may be computed before they are read.
const BATCHES_AHEAD: usize = 2;
/// How often signals are looked for.
const INTERVAL: Duration = Duration::from_millis(200);

type Computed = Result<RecordBatch, Failure>;

/// The rows of a statement. Dropping it ends the computation.
pub(crate) struct RowReceiver {
    schema: SchemaRef,
    receiver: Mutex<Receiver<Computed>>,
    /// Dropping it ends the computation.
    alive: Mutex<Option<oneshot::Sender<()>>>,
}

impl RowReceiver {
    /// Starts to compute the rows of `statement`.
    pub(crate) fn start(py: Python<'_>, statement: Arc<PlannedStatement>) -> PyResult<RowReceiver> {
        let engine = runtime(py)?.handle().clone();
        let (sender, receiver) = mpsc::sync_channel(BATCHES_AHEAD);
        let (alive, abandoned) = oneshot::channel::<()>();
        let schema = nullable(&statement.schema());
        let of_rows = Arc::clone(&schema);
        runtime(py)?.spawn_blocking(move || {
            engine.clone().block_on(async {
                tokio::select! {
                    () = compute(&statement, &engine, &of_rows, &sender) => {}
                    _ = abandoned => {}
                }
            });
        });
        Ok(RowReceiver { schema, receiver: Mutex::new(receiver), alive: Mutex::new(Some(alive)) })
    }

    /// Ends the computation after an interrupt.
    fn end(&self, py: Python<'_>) {
        drop(self.alive.lock().unwrap_or_else(PoisonError::into_inner).take());
        replace_if_busy(py);
    }

    fn next(&self, time: Duration) -> Result<Computed, RecvTimeoutError> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(time)
    }
}

/// Sends the rows until there are no more, or until the receiver is dropped.
async fn compute(statement: &PlannedStatement, engine: &Handle, schema: &SchemaRef, sender: &SyncSender<Computed>) {
    let mut rows = match statement.rows(engine).await {
        Ok(rows) => rows,
        Err(failure) => {
            let _ = sender.send(Err(failure));
            return;
        }
    };
    while let Some(batch) = rows.next().await {
        // A thread that waits here is one of its own.
        let with_schema = |batch: RecordBatch| Ok(RecordBatch::try_new(Arc::clone(schema), batch.columns().to_vec())?);
        if sender.send(batch.map_err(Failure::from).and_then(with_schema)).is_err() {
            return;
        }
    }
}

/// Returns the schema with nullable columns: whether a computed column may be NULL is known of the plan that runs, and not of the statement.
pub(crate) fn nullable(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
    Arc::new(Schema::new_with_metadata(fields.collect::<Fields>(), schema.metadata().clone()))
}

/// An iterator over the batches of a statement.
#[pyclass(frozen, module = "isdb._isdb")]
pub(crate) struct Batches(RowReceiver);

impl Batches {
    pub(crate) fn new(receiver: RowReceiver) -> Batches {
        Batches(receiver)
    }
}

#[pymethods]
impl Batches {
    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        loop {
            let next = py.detach(|| self.0.next(INTERVAL));
            logging::deliver(py).inspect_err(|_| self.0.end(py))?;
            match next {
                Ok(Ok(batch)) => return Ok(Some(PyRecordBatch::new(batch).into_pyarrow(py)?)),
                Ok(Err(failure)) => return Err(raise(py, &failure)),
                Err(RecvTimeoutError::Timeout) => py.check_signals().inspect_err(|_| self.0.end(py))?,
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }
}

/// The batches of a statement for another library, through Arrow's C stream.
pub(crate) struct ExportedRows {
    rows: RowReceiver,
    /// The thread that may take the interpreter to look for signals. Another one must not: the thread that holds it may wait for this stream.
    thread: ThreadId,
    has_ended: bool,
}

impl ExportedRows {
    pub(crate) fn new(rows: RowReceiver) -> ExportedRows {
        ExportedRows { rows, thread: std::thread::current().id(), has_ended: false }
    }

    /// Looks for signals. An interrupt ends the stream with an error, and is raised again after it.
    fn check_signals(&self) -> Result<(), ArrowError> {
        if std::thread::current().id() != self.thread {
            return Ok(());
        }
        let interrupted = Python::try_attach(|py| {
            let result = py.check_signals();
            if result.is_err() {
                self.rows.end(py);
                let raised = py.import("_thread").and_then(|module| module.call_method0("interrupt_main"));
                raised.map(drop).unwrap_or_else(|error| error.write_unraisable(py, None));
            }
            result.is_err()
        });
        match interrupted {
            Some(true) => Err(ArrowError::ComputeError("interrupted".to_owned())),
            _ => Ok(()),
        }
    }
}

impl Iterator for ExportedRows {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.has_ended {
            match self.rows.next(INTERVAL) {
                Ok(Ok(batch)) => return Some(Ok(batch)),
                Ok(Err(failure)) => {
                    self.has_ended = true;
                    return Some(Err(ArrowError::ExternalError(Box::new(failure))));
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(error) = self.check_signals() {
                        self.has_ended = true;
                        return Some(Err(error));
                    }
                }
                Err(RecvTimeoutError::Disconnected) => self.has_ended = true,
            }
        }
        None
    }
}

impl RecordBatchReader for ExportedRows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.rows.schema)
    }
}
