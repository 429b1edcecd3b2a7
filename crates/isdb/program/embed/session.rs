//! A session of another front end: statements over one state of a database, with the warnings and explained errors of `isdb query`.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::AsArray;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use isdb_query::Warning;
use tokio::runtime::Handle;

use crate::program::cli::Format;
use crate::program::embed::failure::Failure;
use crate::program::embed::options::{DatabaseOptions, Restrictions};
use crate::program::error::CliError;
use crate::program::grid::{Cells, GridMap, GridStatement};
use crate::program::output::{PointColumns, Target, write_rows};
use crate::program::session::{Opened, Session, tables, with_geometry};
use crate::{At, Database, ForeignArray};

/// One state of a database, or an array of another program, open for statements.
pub struct EmbeddedSession {
    session: Arc<Session>,
    options: DatabaseOptions,
    restrictions: Restrictions,
    at: Option<At>,
    /// The tables that were registered, for sessions that replace this one.
    registered: Mutex<Vec<(String, Arc<dyn TableProvider>)>>,
}

impl std::fmt::Debug for EmbeddedSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbeddedSession").field("state", &self.session.describe()).finish_non_exhaustive()
    }
}

impl EmbeddedSession {
    /// Opens the newest state, or the state at `at`: a time, or the name of a tag.
    ///
    /// # Errors
    /// When the database does not exist, its state has expired, or an option is invalid.
    pub async fn open(
        options: DatabaseOptions,
        restrictions: Restrictions,
        at: Option<&str>,
    ) -> Result<EmbeddedSession, Failure> {
        let at = at.map(At::from);
        let session = Session::open(&Arc::new(options.query_options(&restrictions)?), at.as_ref()).await?;
        Ok(EmbeddedSession { session: Arc::new(session), options, restrictions, at, registered: Mutex::default() })
    }

    /// Opens another state, or the same with other restrictions. What was read of the commit log is not read again; views and tables of
    /// this session are in the new one.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub async fn reopen(&self, restrictions: Restrictions, at: Option<&str>) -> Result<EmbeddedSession, Failure> {
        self.reopen_at(restrictions, at.map(At::from)).await
    }

    async fn reopen_at(&self, restrictions: Restrictions, at: Option<At>) -> Result<EmbeddedSession, Failure> {
        let query = Arc::new(self.options.query_options(&restrictions)?);
        // Views may read the tables, so that these come first.
        let session = Session::open_like(&self.session, &query, at.as_ref()).await?;
        let registered = self.registered.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (name, table) in &registered {
            session.context().register_table(name.as_str(), Arc::clone(table))?;
        }
        session.adopt_views(&self.session).await;
        let (session, options) = (Arc::new(session), self.options.clone());
        Ok(EmbeddedSession { session, options, restrictions, at, registered: Mutex::new(registered) })
    }

    /// Opens the newest state if there is a newer one than that of this session; None if there is none, or if the session was opened for a
    /// given state.
    ///
    /// # Errors
    /// When the commit log cannot be read.
    pub async fn newer(&self) -> Result<Option<EmbeddedSession>, Failure> {
        match self.database() {
            Some(database) if self.at.is_none() && !database.is_newest().await? => {
                Ok(Some(self.reopen_at(self.restrictions.clone(), None).await?))
            }
            _ => Ok(None),
        }
    }

    /// Returns the database; None for an array of another program.
    #[must_use]
    pub fn database(&self) -> Option<&Database> {
        match self.session.opened() {
            Opened::Database(database) => Some(database),
            Opened::Array(_) => None,
        }
    }

    /// Returns the array of another program; None for a database.
    #[must_use]
    pub fn array(&self) -> Option<&ForeignArray> {
        match self.session.opened() {
            Opened::Database(_) => None,
            Opened::Array(array) => Some(array),
        }
    }

    /// Returns the DataFusion session.
    #[must_use]
    pub fn context(&self) -> &SessionContext {
        self.session.context()
    }

    /// Returns the restrictions of the views.
    #[must_use]
    pub fn restrictions(&self) -> &Restrictions {
        &self.restrictions
    }

    /// Returns the options with which the database was opened.
    #[must_use]
    pub fn options(&self) -> &DatabaseOptions {
        &self.options
    }

    /// Returns the tables and views, sorted by name.
    #[must_use]
    pub fn tables(&self) -> Vec<String> {
        tables(self.session.context())
    }

    /// Returns a table or view for another session. Filters and projections of that session reach the array.
    ///
    /// # Errors
    /// When it does not exist, or cannot be created.
    pub async fn table(&self, name: &str) -> Result<Arc<dyn TableProvider>, Failure> {
        let of_session = self.tables().iter().any(|table| table == name);
        match self.database() {
            Some(database) if !of_session => Ok(database.table(name).await?),
            _ => Ok(self.session.context().table_provider(name).await?),
        }
    }

    /// Adds a table, or replaces one that was added before.
    ///
    /// # Errors
    /// For the name of a table or view of the database.
    pub fn register(&self, name: &str, table: Arc<dyn TableProvider>) -> Result<(), Failure> {
        let mut registered = self.registered.lock().unwrap_or_else(PoisonError::into_inner);
        let is_own = registered.iter().any(|(own, _)| own == name);
        if !is_own && self.tables().iter().any(|table| table == name) {
            return Err(isdb_query::Error::Reserved { name: name.to_owned() }.into());
        }
        let context = self.session.context();
        context.deregister_table(name)?;
        context.register_table(name, Arc::clone(&table))?;
        registered.retain(|(own, _)| own != name);
        registered.push((name.to_owned(), table));
        Ok(())
    }

    /// Plans a statement whose parameters (`$name`) have these values. A statement that creates or drops a view is executed, and the view
    /// lasts for the session and for those that replace it.
    ///
    /// # Errors
    /// For a statement that cannot be planned, a parameter without a value, and a value without a parameter.
    pub async fn statement(
        &self,
        sql: &str,
        parameters: Vec<(String, ScalarValue)>,
    ) -> Result<PlannedStatement, Failure> {
        let session = Arc::clone(&self.session);
        let plan = with_parameters(session.plan(sql).await?, parameters)?;
        let mut warnings: Vec<Warning> = self.restrictions.warning().into_iter().collect();
        let plain = |text| Warning { text, hint: String::new() };
        warnings.extend(session.view_warnings(&plan).await?.into_iter().map(plain));
        warnings.extend(session.restriction_warning(&plan)?.map(plain));
        warnings.extend(isdb_query::warnings(session.context(), &plan).await?);
        if session.remember_view(&plan, sql).is_some() {
            session.context().execute_logical_plan(plan.clone()).await?;
        }
        Ok(PlannedStatement { session, sql: sql.to_owned(), plan, warnings })
    }

    /// Returns the statement of a grid, as `isdb grid` computes it.
    ///
    /// # Errors
    /// For an invalid size of cells.
    pub async fn grid(&self, value: &str, cell: &str, least_passes: u32) -> Result<MapGrid, Failure> {
        let cells: Cells = cell.parse().map_err(|problem: String| Failure::invalid(&problem))?;
        let table = self.session.context().table("atl08").await?;
        let has = |column: &str| table.schema().as_arrow().column_with_name(column).is_some();
        let (has_canopy, has_terrain) = (has("h_canopy"), has("h_te_best_fit"));
        let sql = GridStatement { map: &GridMap::Globe(cells), value, least_passes, has_canopy, has_terrain }.by_cell();
        let (west, north) = cells.corner(0, 0);
        Ok(MapGrid { sql, west, north, size: cells.size(), epsg: cells.epsg() })
    }
}

/// A grid over the map.
#[derive(Clone, Debug)]
pub struct MapGrid {
    /// The statement with a row for each cell: `cell_column` and `cell_row` from the north-western corner of the map, `value`, and the numbers
    /// of segments, passes and tracks.
    pub sql: String,
    /// The western edge of the map, in units of the coordinate reference system.
    pub west: f64,
    /// The northern edge.
    pub north: f64,
    /// Width and height of a cell.
    pub size: f64,
    /// The EPSG code of the coordinate reference system: 4326 (degrees) or 6933 (metres).
    pub epsg: u16,
}

/// A statement over one state, which computes its rows as often as they are requested.
pub struct PlannedStatement {
    session: Arc<Session>,
    sql: String,
    plan: LogicalPlan,
    warnings: Vec<Warning>,
}

impl std::fmt::Debug for PlannedStatement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlannedStatement").field("sql", &self.sql).finish_non_exhaustive()
    }
}

impl PlannedStatement {
    /// Returns the text of the statement.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// Returns the columns.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(self.plan.schema().inner())
    }

    /// Returns what the statement probably does not mean, and what is unusual about the rows it reads.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Returns the places of the columns with the longitude and latitude of the segments, unchanged.
    #[must_use]
    pub fn positions(&self) -> Option<(usize, usize)> {
        let stored = isdb_query::stored_columns(&self.plan);
        PointColumns::stored(self.plan.schema().as_arrow(), &stored).map(PointColumns::places)
    }

    /// Computes the rows on the runtime `engine`.
    ///
    /// # Errors
    /// When the plan is invalid. Errors that occur while rows are computed come through the stream.
    pub async fn rows(&self, engine: &Handle) -> Result<SendableRecordBatchStream, Failure> {
        Ok(self.session.rows(&self.plan, engine).await?)
    }

    /// Writes the rows to a file, with the citation of the database where the format has a place for it. Returns their number. The format is
    /// that of `isdb query --format`, or by the ending of the file. The file appears under its name when it has all rows.
    ///
    /// # Errors
    /// When rows cannot be computed or written, and for an unknown format.
    pub async fn write(&self, path: &Path, format: Option<&str>, engine: &Handle) -> Result<usize, Failure> {
        let format = Format::named(format, path)?;
        let origin = self.session.origin_of(&self.plan, &self.sql, format.is_binary()).await?;
        let target = with_geometry(&Target::new(format, Some(path)), &self.plan)?;
        Ok(write_rows(self.rows(engine).await?, &target, &origin).await?)
    }

    /// Returns the plan as text; with `analyze` the statement runs, and the plan has what it has measured.
    ///
    /// # Errors
    /// When the plan is invalid, or the statement fails.
    pub async fn explain(&self, analyze: bool) -> Result<String, Failure> {
        let frame = self.session.context().execute_logical_plan(self.plan.clone()).await?;
        let batches = frame.explain(false, analyze)?.collect().await?;
        let texts = batches.iter().flat_map(|batch| {
            let [kinds, plans] = [batch.column(0), batch.column(1)].map(|column| column.as_string::<i32>());
            kinds
                .iter()
                .zip(plans)
                .map(|(kind, plan)| format!("{}:\n{}", kind.unwrap_or_default(), plan.unwrap_or_default()))
        });
        Ok(texts.collect::<Vec<_>>().join("\n"))
    }

    /// Explains why the statement has no rows; empty if no explanation is certain.
    #[must_use]
    pub fn why_no_rows(&self) -> Vec<String> {
        self.session.why_no_rows(&self.plan)
    }
}

/// Gives the parameters of a plan their values.
fn with_parameters(plan: LogicalPlan, parameters: Vec<(String, ScalarValue)>) -> Result<LogicalPlan, Failure> {
    let wanted: BTreeSet<String> =
        plan.get_parameter_names()?.into_iter().map(|name| name.trim_start_matches('$').to_owned()).collect();
    let found: BTreeSet<String> = parameters.iter().map(|(name, _)| name.clone()).collect();
    if let Some(name) = wanted.difference(&found).next() {
        let (problem, hint) =
            (format!("the parameter ${name} has no value"), "params={\"NAME\": value} gives values".to_owned());
        return Err(CliError::Statement { problem, hint }.into());
    }
    if let Some(name) = found.difference(&wanted).next() {
        let hint = format!("write ${name} in the statement where the value belongs");
        return Err(CliError::Statement { problem: format!("the statement has no parameter ${name}"), hint }.into());
    }
    if parameters.is_empty() {
        return Ok(plan);
    }
    Ok(plan.with_param_values(parameters)?)
}
