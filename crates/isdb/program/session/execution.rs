//! A session over one state of a database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::At;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures::{StreamExt, join};
use tokio::runtime::Handle;

use crate::program::error::{CliError, print_warning};
use crate::program::output::{Origin, PointColumns, Target, write_rows};
use crate::program::session::names::{unknown_column, unknown_table};
use crate::program::session::no_rows::{why_aggregate_of_nothing, why_no_rows};
use crate::program::session::opened::{Opened, QueryOptions};
use crate::program::session::restriction;
use crate::program::session::views::{SessionViews, describe_view_change};

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

    /// Opens the newest state, or the state at `at`, of what `other` has open, with other options, and without its views.
    pub(crate) async fn open_like(
        other: &Session,
        options: &Arc<QueryOptions>,
        at: Option<&At>,
    ) -> Result<Session, CliError> {
        Ok(Session {
            opened: other.opened.reopen(options, at).await?,
            options: Arc::clone(options),
            views: SessionViews::default(),
            has_warned: AtomicBool::new(false),
        })
    }

    /// What is open.
    pub(crate) fn opened(&self) -> &Opened {
        &self.opened
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
            let mut rows = self.rows(&plan, engine).await?;
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

    /// Starts a plan on the runtime `engine`. A plan that creates or drops a view is executed at once, and has no rows.
    pub(crate) async fn rows(
        &self,
        plan: &LogicalPlan,
        engine: &Handle,
    ) -> Result<SendableRecordBatchStream, CliError> {
        let frame = self.context().execute_logical_plan(plan.clone()).await?;
        let context = Arc::new(frame.task_ctx());
        let physical = frame.create_physical_plan().await.map_err(CliError::from_planning)?;
        Ok(stream(physical, context, engine))
    }

    /// Remembers the statement of a plan that has created or dropped a view, for sessions that [`adopt_views`](Self::adopt_views).
    /// Returns what it has done; None for any other plan.
    pub(crate) fn remember_view(&self, plan: &LogicalPlan, sql: &str) -> Option<String> {
        let change = describe_view_change(plan)?;
        self.views.remember(sql.to_owned());
        Some(change)
    }

    /// Prints the warnings about a statement and about what it reads.
    async fn warn(&self, plan: &LogicalPlan) -> Result<(), CliError> {
        self.view_warnings(plan).await?.iter().for_each(|warning| eprintln!("warning: {warning}"));
        isdb_query::warnings(self.context(), plan).await?.iter().for_each(print_warning);
        Ok(())
    }

    /// Writes the rows of a statement, and prints their number on standard error.
    pub(crate) async fn write(&self, statement: StartedStatement, target: &Target<'_>) -> Result<(), CliError> {
        if let Some(change) = self.remember_view(&statement.plan, &statement.sql) {
            eprintln!("{change}");
            return Ok(());
        }
        let target = with_geometry(target, &statement.plan)?;
        let origin = self.origin(&statement, target.format.is_binary()).await?;
        let StartedStatement { started, plan, rows, .. } = statement;
        let count = write_rows(rows, &target, &origin).await?;
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
        if let Some(warning) = self.restriction_warning(&statement.plan)? {
            eprintln!("warning: {warning}");
        }
        self.origin_of(&statement.plan, &statement.sql, is_file).await
    }

    /// The origin of the rows of a plan, with what cites it if a file has a place for it.
    pub(crate) async fn origin_of(&self, plan: &LogicalPlan, sql: &str, is_file: bool) -> Result<Origin, CliError> {
        let sources = self.opened.sources(plan)?;
        let mut origin = restriction::origin(&self.options.views, sql, sources.reads_views);
        self.opened.add_to(&mut origin, is_file).await?;
        Ok(origin)
    }

    /// The warning that no restriction of the session applies to a plan.
    pub(crate) fn restriction_warning(&self, plan: &LogicalPlan) -> Result<Option<String>, CliError> {
        Ok(restriction::warning(&self.options.views, self.opened.sources(plan)?, self.opened.views()))
    }

    /// Returns the warnings about the views of the database, for the first plan that reads them: they cost a read of the ledger.
    pub(crate) async fn view_warnings(&self, plan: &LogicalPlan) -> Result<Vec<String>, CliError> {
        if self.has_warned.load(Ordering::Relaxed) || !self.opened.sources(plan)?.reads_views {
            return Ok(Vec::new());
        }
        let warnings = self.opened.warnings().await?;
        self.has_warned.store(true, Ordering::Relaxed);
        Ok(warnings)
    }

    /// Plans a statement; an error explains unknown names.
    pub(crate) async fn plan(&self, sql: &str) -> Result<LogicalPlan, CliError> {
        match self.opened.plan(sql).await {
            Ok(plan) => Ok(plan),
            Err(crate::Error::Engine(error)) => Err(self.explained(sql, error).await),
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

    /// Explains why a plan has no rows.
    pub(crate) fn why_no_rows(&self, plan: &LogicalPlan) -> Vec<String> {
        self.context().state().optimize(plan).map(|plan| why_no_rows(&plan)).unwrap_or_default()
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

/// The target with the geometry of the rows of a statement.
pub(crate) fn with_geometry<'t>(target: &Target<'t>, plan: &LogicalPlan) -> Result<Target<'t>, CliError> {
    let is_stored = isdb_query::stored_columns(plan);
    Ok(Target { geometry: target.geometry.resolve(plan.schema().as_arrow(), &is_stored)?, ..target.clone() })
}

/// A statement whose first rows are computed. No row of it has been written.
pub(crate) struct StartedStatement {
    sql: String,
    started: Instant,
    plan: LogicalPlan,
    rows: SendableRecordBatchStream,
}

impl StartedStatement {
    /// The columns with the stored coordinates, if the statement returns them as they are stored.
    pub(crate) fn positions(&self) -> Option<PointColumns> {
        PointColumns::stored(self.plan.schema().as_arrow(), &isdb_query::stored_columns(&self.plan))
    }
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
