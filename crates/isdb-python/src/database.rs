//! A database, or an array of another program.

use std::sync::{Arc, Mutex, PoisonError};

use isdb::datafusion::datasource::MemTable;
use isdb::embed::{EmbeddedSession, Failure, variable_rows};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3_arrow::{PyRecordBatch, PyTable};

use crate::failure::raise;
use crate::info::info_json;
use crate::options::{OpenOptions, ViewRestrictions};
use crate::parameters::{Parameter, values};
use crate::runtime::wait;
use crate::statement::Statement;
use crate::table::Table;

/// A database at a state, or at its newest state, which it then follows.
#[pyclass(frozen, module = "isdb._isdb")]
pub(crate) struct Connection(Mutex<Arc<EmbeddedSession>>);

impl Connection {
    fn from_session(session: EmbeddedSession) -> Connection {
        Connection(Mutex::new(Arc::new(session)))
    }

    fn session(&self) -> Arc<EmbeddedSession> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The newest state, if the connection follows it.
    fn newest(&self, py: Python<'_>) -> PyResult<Arc<EmbeddedSession>> {
        let session = self.session();
        let Some(newer) = wait(py, move || async move { session.newer().await })? else { return Ok(self.session()) };
        let newer = Arc::new(newer);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&newer);
        Ok(newer)
    }

    fn database<T: Send + 'static>(
        &self,
        py: Python<'_>,
        ask: impl AsyncFnOnce(&isdb::Database) -> isdb::Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let session = self.newest(py)?;
        if session.database().is_none() {
            return Err(PyTypeError::new_err("an array of another program has no ledger: only isdb databases have"));
        }
        wait(py, move || async move {
            match session.database() {
                Some(database) => Ok(ask(database).await?),
                None => Err(Failure::invalid("expected a database")),
            }
        })
    }
}

#[pymethods]
impl Connection {
    #[new]
    fn new(
        py: Python<'_>,
        options: OpenOptions,
        restrictions: ViewRestrictions,
        at: Option<String>,
    ) -> PyResult<Connection> {
        let session = wait(py, move || async move {
            EmbeddedSession::open(options.into(), restrictions.into(), at.as_deref()).await
        })?;
        Ok(Connection::from_session(session))
    }

    /// The same database with other restrictions, at another state.
    fn reopen(&self, py: Python<'_>, restrictions: ViewRestrictions, at: Option<String>) -> PyResult<Connection> {
        let session = self.session();
        let session = wait(py, move || async move { session.reopen(restrictions.into(), at.as_deref()).await })?;
        Ok(Connection::from_session(session))
    }

    /// Plans a statement over the newest state, or over the given one.
    fn statement(&self, py: Python<'_>, sql: String, parameters: Vec<Parameter<'_>>) -> PyResult<Statement> {
        let (session, parameters) = (self.newest(py)?, values(parameters)?);
        let statement = wait(py, move || async move { session.statement(&sql, parameters).await })?;
        Ok(Statement::new(statement))
    }

    /// The URI, the number of the commit and its time in milliseconds since 1970; the last two are None for an array.
    fn state(&self, py: Python<'_>) -> PyResult<(String, Option<u64>, Option<u64>)> {
        let session = self.newest(py)?;
        Ok(match (session.database(), session.array()) {
            (Some(database), _) => (database.location().uri(), Some(database.commit()), Some(database.timestamp())),
            (None, array) => (array.map(|array| array.uri().to_owned()).unwrap_or_default(), None, None),
        })
    }

    /// The names of the tables and views.
    fn tables(&self) -> Vec<String> {
        self.session().tables()
    }

    /// A table or view for another program.
    fn table(&self, py: Python<'_>, name: String) -> PyResult<Table> {
        let session = self.newest(py)?;
        let context = session.context().clone();
        Ok(Table::new(wait(py, move || async move { session.table(&name).await })?, context))
    }

    /// Adds a table with these rows.
    fn register(&self, py: Python<'_>, name: &str, rows: PyTable) -> PyResult<()> {
        let (batches, schema) = rows.into_inner();
        let add = || {
            let table = MemTable::try_new(schema, vec![batches]).map_err(Failure::from)?;
            self.session().register(name, Arc::new(table))
        };
        add().map_err(|failure| raise(py, &failure))
    }

    /// The statement of a grid, the western and northern edge of the map, the size of a cell, and the EPSG code.
    fn grid(
        &self,
        py: Python<'_>,
        value: String,
        cell: String,
        least_passes: u32,
    ) -> PyResult<(String, f64, f64, f64, u16)> {
        let session = self.newest(py)?;
        let grid = wait(py, move || async move { session.grid(&value, &cell, least_passes).await })?;
        Ok((grid.sql, grid.west, grid.north, grid.size, grid.epsg))
    }

    /// The summary as JSON.
    fn info(&self, py: Python<'_>) -> PyResult<String> {
        let info = self.database(py, async |database: &isdb::Database| database.info().await)?;
        Ok(info_json(&info).to_string())
    }

    /// The citation as text and as JSON.
    fn cite(&self, py: Python<'_>) -> PyResult<(String, String)> {
        let citation = self.database(py, async |database: &isdb::Database| database.cite().await)?;
        Ok((citation.to_string(), citation.to_json().to_string()))
    }

    /// A row for each variable of the product, with whether it is stored, as a `pyarrow.RecordBatch`.
    fn variables<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let session = self.newest(py)?;
        let rows = variable_rows(session.database().map(isdb::Database::variables).as_deref());
        PyRecordBatch::new(rows.map_err(|failure| raise(py, &failure))?).into_pyarrow(py)
    }
}
