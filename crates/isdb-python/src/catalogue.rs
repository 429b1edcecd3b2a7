//! The variables of the product, the filters, and configs.

use isdb::embed::{Failure, filter_rows, variable_rows};
use pyo3::prelude::*;
use pyo3_arrow::PyRecordBatch;
use serde_json::json;

use crate::failure::raise;

/// A row for each variable of the product, as a `pyarrow.RecordBatch`.
#[pyfunction]
pub(crate) fn variables(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    batch(py, variable_rows(None))
}

/// A row for each filter, as a `pyarrow.RecordBatch`.
#[pyfunction]
pub(crate) fn filters(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    batch(py, filter_rows())
}

/// Makes a config of one of icesat2db. Returns it with its database, region, release and notes as JSON.
#[pyfunction]
pub(crate) fn convert_config(py: Python<'_>, file: &str, text: &str) -> PyResult<String> {
    let converted =
        isdb::FromIcesat2db::parse(file, text).map_err(|error| raise(py, &Failure::from(isdb::Error::from(error))))?;
    Ok(json!({
        "text": converted.text,
        "database": converted.database,
        "region": converted.region,
        "release": converted.release,
        "notes": converted.notes,
    })
    .to_string())
}

fn batch(py: Python<'_>, rows: Result<arrow::array::RecordBatch, Failure>) -> PyResult<Bound<'_, PyAny>> {
    PyRecordBatch::new(rows.map_err(|failure| raise(py, &failure))?).into_pyarrow(py)
}
