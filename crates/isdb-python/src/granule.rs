//! The segments of a granule's file, without a database.

use std::path::PathBuf;

use isdb::embed::Failure;
use isdb::resources::cores;
use isdb::{find_variable, search_variables};
use pyo3::prelude::*;
use pyo3_arrow::PyTable;

use crate::runtime::wait;

/// Reads the granule at `path`: its id, its segments as a `pyarrow.Table`, and the number of segments without a position or a time.
#[pyfunction]
pub(crate) fn read_granule<'py>(
    py: Python<'py>,
    path: PathBuf,
    variables: Option<Vec<String>>,
) -> PyResult<(String, Bound<'py, PyAny>, u64)> {
    let granule = wait(py, move || async move {
        let variables = match &variables {
            None => search_variables(None)?,
            Some(names) => names.iter().map(|name| find_variable(name)).collect::<isdb::Result<_>>()?,
        };
        Ok::<_, Failure>(isdb::read_granule(&path, &variables, cores())?)
    })?;
    let table = PyTable::try_new(granule.batches, granule.schema)?.into_pyarrow(py)?;
    Ok((granule.id, table, granule.rows_rejected))
}
