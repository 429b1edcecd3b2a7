//! The extension module of the Python package `isdb`.
//!
//! The module is thin: classes in Python (`python/isdb/`) convert arguments and results, and call it with plain values. `database`, `statement`,
//! `ingest`, `archive` and `granule` are its functions; `runtime` runs their futures while the interpreter is released, `batches` streams
//! rows, `table` passes tables to DataFusion's package, `parameters` are values of statements, `logging` passes events to Python's `logging`,
//! and `failure` is the exception of an error.

mod archive;
mod batches;
mod catalogue;
mod database;
mod failure;
mod granule;
mod info;
mod ingest;
mod logging;
mod options;
mod parameters;
mod progress;
mod runtime;
mod statement;
mod table;

use pyo3::prelude::*;

/// Runs the `isdb` command with the arguments of the process. Returns its exit code.
#[pyfunction]
fn run_command(py: Python<'_>, arguments: Vec<String>) -> u8 {
    py.detach(|| isdb::run_command(arguments.into_iter().map(Into::into)))
}

#[pymodule]
fn _isdb(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<archive::Granules>()?;
    module.add_class::<batches::Batches>()?;
    module.add_class::<database::Connection>()?;
    module.add_class::<statement::Statement>()?;
    module.add_class::<table::Table>()?;
    module.add_function(wrap_pyfunction!(archive::search, module)?)?;
    module.add_function(wrap_pyfunction!(archive::download, module)?)?;
    module.add_function(wrap_pyfunction!(archive::check_login, module)?)?;
    module.add_function(wrap_pyfunction!(archive::store_login, module)?)?;
    module.add_function(wrap_pyfunction!(catalogue::convert_config, module)?)?;
    module.add_function(wrap_pyfunction!(catalogue::filters, module)?)?;
    module.add_function(wrap_pyfunction!(catalogue::variables, module)?)?;
    module.add_function(wrap_pyfunction!(granule::read_granule, module)?)?;
    module.add_function(wrap_pyfunction!(ingest::ingest, module)?)?;
    module.add_function(wrap_pyfunction!(run_command, module)?)?;
    Ok(())
}
