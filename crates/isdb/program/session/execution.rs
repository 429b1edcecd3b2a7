//! A session over one state of a database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures::{StreamExt, join};
use isdb::At;
use tokio::runtime::Handle;

use crate::error::{CliError, print_warning};
use crate::output::{GeometryColumns, Origin, PointColumns, Target, write_rows};
use crate::session::names::{unknown_column, unknown_table};
use crate::session::no_rows::{why_aggregate_of_nothing, why_no_rows};
use crate::session::opened::{Opened, QueryOptions};
use crate::session::restriction;
use crate::session::views::{SessionViews, describe_view_change};

/// Batches that may be computed before they are written.
const BATCHES_AHEAD: usize = 2;

/// One state of a database, or an array of another program, open for statements.
pub(crate) struct Session {
    opened: Opened,
    options: Arc<QueryOptions>,
    views: SessionViews,
    /// Whether the warnings about the views of the database are printed.
    has_warned: AtomicBool,
}

impl Session {
    /// Opens the newest state, or the state at `at`.
    pub(crate) async fn open(options: &Arc<QueryOptions>, at: Option<&At>) -> Result<Session, CliError> {
        Ok(Session {
            opened: Opened::new(options, at).await?,
            options: Arc::clone(options),
            views: SessionViews::default(),
            has_warned: AtomicBool::new(false),
        })
    }

    /// Creates the views of `other` in this session, except those that its state does not allow.
    pub(crate) async fn adopt_views(&self, other: &Session) {
        for sql in other.views.statements() {
            let created = async {
                let plan = self.plan(&sql).await?;
                Ok::<_, CliError>(self.context().execute_logical_plan(plan).await?)
            };
            match created.await {
                Ok(_) => self.views.remember(sql),
                Err(error) => eprintln!("warning: a view is lost: {error}: {sql}"),
            }
        }
    }

    /// Returns the DataFusion session.
    pub(crate) fn context(&self) -> &SessionContext {
        self.opened.context()
    }

    /// Describes what is open.
    pub(crate) fn describe(&self) -> String {
        self.opened.describe()
    }

    /// Starts a statement on the runtime `engine`, and waits for its first rows.
    pub(crate) async fn start(&self, sql: &str, engine: &Handle) -> Result<StartedStatement, CliError> {
        let started = Instant::now();
        let plan = self.plan(sql).await?;
        let computed = async {
            let frame = self.context().execute_logical_plan(plan.clone()).await?;
            let context = Arc::new(frame.task_ctx());
            let physical = frame.create_physical_plan().await.map_err(CliError::from_planning)?;
            let mut rows = stream(physical, context, engine);
            let first = rows.next().await.transpose()?;
            Ok::<_, CliError>((first, rows))
        };
        // In an object store, the ledger and the segments take several rounds of requests each.
        let (warned, computed) = join!(self.warn(&plan), computed);
        warned?;
        let (first, rows) = computed?;
        let schema = rows.schema();
        let rows = futures::stream::iter(first.map(Ok)).chain(rows);
        let rows = Box::pin(RecordBatchStreamAdapter::new(schema, rows));
        Ok(StartedStatement { sql: sql.to_owned(), started, plan, rows })
    }

    /// Prints the warnings about a statement and about what it reads.
    async fn warn(&self, plan: &LogicalPlan) -> Result<(), CliError> {
        if self.opened.sources(plan)?.reads_views {
            self.warn_once().await?;
        }
        for warning in isdb_query::warnings(self.context(), plan).await? {
            print_warning(&warning);
        }
        Ok(())
    }

    /// Writes the rows of a statement, and prints their number on standard error.
    pub(crate) async fn write(&self, statement: StartedStatement, target: &Target<'_>) -> Result<(), CliError> {
        if let Some(change) = describe_view_change(&statement.plan) {
            self.views.remember(statement.sql);
            eprintln!("{change}");
            return Ok(());
        }
        let origin = self.origin(&statement, target.format.is_binary()).await?;
        let StartedStatement { started, plan, rows, .. } = statement;
        let count = write_rows(rows, &with_positions(target, &plan), &origin).await?;
        eprintln!("rows: {count}, seconds: {:.3}", started.elapsed().as_secs_f64());
        match count {
            0 => self.explain("no rows", &plan, why_no_rows),
            1 => self.explain("note", &plan, why_aggregate_of_nothing),
            _ => {}
        }
        Ok(())
    }

    /// Returns the rows of a statement and their origin, for a file that is not a table.
    pub(crate) async fn rows_and_origin(
        &self,
        statement: StartedStatement,
    ) -> Result<(SendableRecordBatchStream, Origin), CliError> {
        let origin = self.origin(&statement, true).await?;
        Ok((statement.rows, origin))
    }

    /// The origin of the rows of a statement, with what cites it if a file has a place for it.
    async fn origin(&self, statement: &StartedStatement, is_file: bool) -> Result<Origin, CliError> {
        let sources = self.opened.sources(&statement.plan)?;
        if let Some(warning) = restriction::warning(&self.options.views, sources, self.opened.views()) {
            eprintln!("warning: {warning}");
        }
        let mut origin = restriction::origin(&self.options.views, &statement.sql, sources.reads_views);
        self.opened.add_to(&mut origin, is_file).await?;
        Ok(origin)
    }

    /// Prints the warnings about the views of the database, before the first statement that reads them: they cost a read of the
    /// ledger.
    async fn warn_once(&self) -> Result<(), CliError> {
        if !self.has_warned.load(Ordering::Relaxed) {
            for warning in self.opened.warnings().await? {
                eprintln!("warning: {warning}");
            }
            self.has_warned.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn plan(&self, sql: &str) -> Result<LogicalPlan, CliError> {
        match self.opened.plan(sql).await {
            Ok(plan) => Ok(plan),
            Err(isdb::Error::Engine(error)) => Err(self.explained(sql, error).await),
            Err(error) => Err(CliError::from(error)),
        }
    }

    /// Explains an error of the engine: unknown names get suggestions.
    async fn explained(&self, sql: &str, error: DataFusionError) -> CliError {
        if let Some(unknown) = unknown_column(self.context(), &error).await {
            return unknown;
        }
        if let Some(unknown) = unknown_table(self.context(), sql).await {
            return unknown;
        }
        match error.find_root() {
            DataFusionError::SQL(problem, _) => CliError::Syntax(problem.as_ref().clone()),
            _ => CliError::from(error),
        }
    }

    /// Prints the explanations that `why` returns for the optimized plan.
    fn explain(&self, label: &str, plan: &LogicalPlan, why: impl Fn(&LogicalPlan) -> Vec<String>) {
        if let Ok(plan) = self.context().state().optimize(plan) {
            for line in why(&plan) {
                eprintln!("{label}: {line}");
            }
        }
    }
}

/// The target with the positions that a statement returns as they are stored.
fn with_positions<'t>(target: &Target<'t>, plan: &LogicalPlan) -> Target<'t> {
    let mut target = target.clone();
    if target.geometry == GeometryColumns::Stored {
        let stored = PointColumns::stored(plan.schema().as_arrow(), &isdb_query::stored_columns(plan));
        target.geometry = stored.map_or(GeometryColumns::None, GeometryColumns::At);
    }
    target
}

/// A statement whose first rows are computed. No row of it has been written.
pub(crate) struct StartedStatement {
    sql: String,
    started: Instant,
    plan: LogicalPlan,
    rows: SendableRecordBatchStream,
}

/// Returns the rows of `plan`, computed by tasks of `engine`: rows are written while the next ones are computed, and Ctrl-C is
/// received even while the plan computes.
fn stream(plan: Arc<dyn ExecutionPlan>, context: Arc<TaskContext>, engine: &Handle) -> SendableRecordBatchStream {
    let mut builder = RecordBatchReceiverStream::builder(plan.schema(), BATCHES_AHEAD);
    let sender = builder.tx();
    let compute = async move {
        let mut rows = execute_stream(plan, context)?;
        while let Some(batch) = rows.next().await {
            if sender.send(batch).await.is_err() {
                break;
            }
        }
        Ok(())
    };
    builder.spawn_on(compute, engine);
    builder.build()
}
