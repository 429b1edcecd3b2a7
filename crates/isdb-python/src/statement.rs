//! A planned statement.

use std::path::PathBuf;
use std::sync::Arc;

use isdb::embed::PlannedStatement;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use pyo3_arrow::{PyRecordBatchReader, PySchema};

use crate::batches::{Batches, ExportedRows, RowReceiver, nullable};
use crate::runtime::{runtime, wait};

/// A statement over one state of a database, which computes its rows as often as they are requested.
#[pyclass(frozen, module = "isdb._isdb")]
pub(crate) struct Statement(Arc<PlannedStatement>);

impl Statement {
    pub(crate) fn new(statement: PlannedStatement) -> Statement {
        Statement(Arc::new(statement))
    }
}

#[pymethods]
impl Statement {
    /// The text of the statement.
    #[getter]
    fn sql(&self) -> &str {
        self.0.sql()
    }

    /// The columns, as a `pyarrow.Schema`.
    #[getter]
    fn schema<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        PySchema::new(nullable(&self.0.schema())).into_pyarrow(py)
    }

    /// Warnings: texts and hints.
    #[getter]
    fn warnings(&self) -> Vec<(String, String)> {
        self.0.warnings().iter().map(|warning| (warning.text.clone(), warning.hint.clone())).collect()
    }

    /// The places of the columns with the longitude and the latitude of segments.
    #[getter]
    fn positions(&self) -> Option<(usize, usize)> {
        self.0.positions()
    }

    /// Starts to compute the rows.
    fn batches(&self, py: Python<'_>) -> PyResult<Batches> {
        Ok(Batches::new(RowReceiver::start(py, Arc::clone(&self.0))?))
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let rows = ExportedRows::new(RowReceiver::start(py, Arc::clone(&self.0))?);
        let reader = Bound::new(py, PyRecordBatchReader::new(Box::new(rows)))?;
        Ok(reader.call_method1("__arrow_c_stream__", (requested_schema,))?.cast_into()?)
    }

    /// Writes the rows to a file, and returns their number.
    #[pyo3(signature = (path, format = None))]
    fn write(&self, py: Python<'_>, path: PathBuf, format: Option<String>) -> PyResult<usize> {
        let (statement, engine) = (Arc::clone(&self.0), runtime(py)?.handle().clone());
        wait(py, move || async move { statement.write(&path, format.as_deref(), &engine).await })
    }

    /// The plan as text.
    fn explain(&self, py: Python<'_>, analyze: bool) -> PyResult<String> {
        let statement = Arc::clone(&self.0);
        wait(py, move || async move { statement.explain(analyze).await })
    }

    /// Explains why the statement returns nothing.
    fn why_no_rows(&self) -> Vec<String> {
        self.0.why_no_rows()
    }
}
