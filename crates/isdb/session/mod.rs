//! SQL as the command line speaks it: statements over one snapshot, each told with its rows and time, and when it fails or
//! finds nothing, with what may be the matter.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use isdb_query::{QueryResources, ReadOnly, SessionOptions, ViewOptions};
use isdb_store::{Database, Location, Snapshot};
use tokio::runtime::Handle;

use crate::citation::Citation;
use crate::cli::Format;
use crate::failure::{self, Failure};
use crate::output;

mod names;
mod outside;
mod restriction;
mod statements;
mod views;

pub(crate) use names::{tables, unknown_table};
pub(crate) use statements::{complete, statements};
use views::Views;
pub(crate) use views::has_rows;

/// Batches that may be found before they are written.
const AHEAD: usize = 2;

/// One snapshot of a database, open for statements.
pub(crate) struct Session {
    context: SessionContext,
    database: Database,
    snapshot: Snapshot,
    /// What statements may do.
    read_only: ReadOnly,
    /// The views that statements made.
    views: Views,
    /// What `atl08` shows.
    shown: Arc<ViewOptions>,
}

impl Session {
    /// Opens the newest state of the database, or its state at `at`, in milliseconds since 1970, with `atl08` as
    /// `shown`.
    pub(crate) async fn open(
        location: &Location,
        at: Option<u64>,
        shown: &Arc<ViewOptions>,
        resources: &QueryResources,
    ) -> Result<Session, Failure> {
        let database = Database::open(location).await?;
        let snapshot = match at {
            None => database.snapshot().await?,
            Some(timestamp) => database.snapshot_at(timestamp).await?,
        };
        let options = SessionOptions { resources: Some(resources.clone()), ..SessionOptions::default() };
        let context = isdb_query::session(&options)?;
        for note in isdb_query::register(&context, &snapshot, shown).await? {
            eprintln!("warning: {note}");
        }
        let releases = isdb_query::mixed_releases(&context).await?;
        if !releases.is_empty() {
            eprintln!("warning: more than one release is in the database: {}", releases_told(&releases));
        }
        let read_only = ReadOnly::new(&context);
        Ok(Session { context, database, snapshot, read_only, views: Views::default(), shown: Arc::clone(shown) })
    }

    /// Makes the views of `other` in this session, as far as they can be made over its state.
    pub(crate) async fn adopt_views(&self, other: &Session) {
        for sql in other.views.statements() {
            let made = async { Ok::<_, Failure>(self.context.execute_logical_plan(self.plan(&sql).await?).await?) };
            match made.await {
                Ok(_) => self.views.made(sql),
                Err(failure) => eprintln!("warning: a view is lost: {failure}: {sql}"),
            }
        }
    }

    /// The DataFusion session behind it.
    pub(crate) fn context(&self) -> &SessionContext {
        &self.context
    }

    /// The commit's time, in milliseconds since 1970.
    pub(crate) fn timestamp(&self) -> u64 {
        self.snapshot.commit().timestamp
    }

    /// Starts one statement on the runtime `engine` and waits for its first rows.
    pub(crate) async fn start(&self, sql: &str, engine: &Handle) -> Result<Started, Failure> {
        let since = Instant::now();
        let plan = self.plan(sql).await?;
        for warning in isdb_query::warnings(&self.context, &plan).await? {
            failure::warn(&warning);
        }
        let frame = self.context.execute_logical_plan(plan.clone()).await?;
        let context = Arc::new(frame.task_ctx());
        let mut rows = rows(frame.create_physical_plan().await.map_err(Failure::of_planning)?, context, engine);
        let schema = rows.schema();
        let first = rows.next().await.transpose()?;
        let rows = futures::stream::iter(first.map(Ok)).chain(rows);
        let rows = Box::pin(RecordBatchStreamAdapter::new(schema, rows));
        Ok(Started { sql: sql.to_owned(), since, plan, rows })
    }

    /// Writes the rows of a statement, and tells on standard error how many there were.
    pub(crate) async fn write(&self, started: Started, format: Format, output: Option<&Path>) -> Result<(), Failure> {
        let Started { sql, since, plan, rows } = started;
        if let Some(done) = views::done(&plan) {
            self.views.made(sql);
            eprintln!("{done}");
            return Ok(());
        }
        let reads = isdb_query::statement_sources(&self.context, &plan).await?;
        if let Some(warning) = restriction::warning(&self.shown, reads) {
            eprintln!("warning: {warning}");
        }
        let mut origin = restriction::origin(&self.shown, &sql, reads.reads_views, self.timestamp());
        if format.is_binary() {
            let citation = Citation::of(&self.database, &self.snapshot).await?;
            (origin.database_region, origin.citation) = (citation.region(), Some(citation.to_string()));
        }
        let count = output::write(rows, format, output, &origin).await?;
        eprintln!("rows: {count}, seconds: {:.3}", since.elapsed().as_secs_f64());
        match count {
            0 => self.tell("no rows", &plan, outside::why_nothing),
            1 => self.tell("note", &plan, outside::why_of_nothing),
            _ => {}
        }
        Ok(())
    }

    async fn plan(&self, sql: &str) -> Result<LogicalPlan, Failure> {
        match self.read_only.plan(&self.context, sql).await {
            Ok(plan) => Ok(plan),
            Err(isdb_query::Error::Engine(error)) => Err(self.explained(sql, error).await),
            Err(refused) => Err(Failure::from(refused)),
        }
    }

    async fn explained(&self, sql: &str, error: DataFusionError) -> Failure {
        if let Some(failure) = names::unknown_column(&self.context, &error).await {
            return failure;
        }
        if let Some(failure) = names::unknown_table(&self.context, sql).await {
            return failure;
        }
        match error.find_root() {
            DataFusionError::SQL(problem, _) => Failure::Syntax(problem.as_ref().clone()),
            _ => Failure::from(error),
        }
    }

    fn tell(&self, what: &str, plan: &LogicalPlan, why: impl Fn(&LogicalPlan) -> Vec<String>) {
        if let Ok(plan) = self.context.state().optimize(plan) {
            for line in why(&plan) {
                eprintln!("{what}: {line}");
            }
        }
    }
}

/// A statement that has found its first rows, or that there are none; nothing of it was given out.
pub(crate) struct Started {
    sql: String,
    since: Instant,
    plan: LogicalPlan,
    rows: SendableRecordBatchStream,
}

/// Releases with their granules: `006 (3 granules), 007 (1 granules)`.
pub(crate) fn releases_told(releases: &[(String, i64)]) -> String {
    let told: Vec<String> = releases.iter().map(|(release, count)| format!("{release} ({count} granules)")).collect();
    told.join(", ")
}

/// The rows of `plan`, found by tasks of `engine`: rows are written while the next are found, and Ctrl-C is heard whatever
/// the plan does.
fn rows(plan: Arc<dyn ExecutionPlan>, context: Arc<TaskContext>, engine: &Handle) -> SendableRecordBatchStream {
    let mut builder = RecordBatchReceiverStream::builder(plan.schema(), AHEAD);
    let found = builder.tx();
    let find = async move {
        let mut rows = execute_stream(plan, context)?;
        while let Some(batch) = rows.next().await {
            if found.send(batch).await.is_err() {
                break;
            }
        }
        Ok(())
    };
    builder.spawn_on(find, engine);
    builder.build()
}
