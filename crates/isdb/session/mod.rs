//! SQL as the command line speaks it: statements over one snapshot, each told with its rows and time, and when it fails or
//! finds nothing, with what may be the matter.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use datafusion::common::tree_node::TreeNode;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use isdb_datafusion::QueryResources;
use isdb_schema::filters::{Rule, told};
use isdb_schema::period::Period;
use isdb_schema::region::Region;
use isdb_store::{Database, Location, Snapshot};
use tokio::runtime::Handle;

use crate::citation::Citation;
use crate::cli::Format;
use crate::failure::{self, Failure};
use crate::output::{self, Origin};

mod names;
mod outside;
mod statements;

pub(crate) use names::{tables, unknown_table};
pub(crate) use statements::{complete, statements};

/// The view that filters, region and period are on.
const VIEW: &str = "atl08";

/// Batches that may be found before they are written.
const AHEAD: usize = 2;

/// What of the segments `atl08` shows.
pub(crate) struct Shown {
    /// Those that pass these.
    pub(crate) filters: Vec<Rule>,
    /// Those in this region.
    pub(crate) region: Option<Region>,
    /// Those of this time.
    pub(crate) period: Period,
}

impl Shown {
    /// What a file says of the statement `sql` over `atl08` as it is shown, at `snapshot`.
    fn origin(&self, sql: &str, reads_view: bool, snapshot: u64) -> Origin {
        let of_view = |told: Option<String>| told.filter(|_| reads_view);
        Origin {
            sql: Some(sql.to_owned()),
            filters: of_view((!self.filters.is_empty()).then(|| told(&self.filters))),
            region: of_view(self.region.as_ref().map(Region::to_text)),
            period: of_view((!self.period.is_everything()).then(|| self.period.to_string())),
            snapshot: Some(snapshot),
            database_region: None,
            citation: None,
        }
    }

    /// What is on the view, in words.
    fn on_view(&self) -> Option<&'static str> {
        let within = self.region.is_some() || !self.period.is_everything();
        match (self.filters.is_empty(), within) {
            (true, false) => None,
            (false, false) => Some("filters"),
            (true, true) => Some("region and period"),
            (false, true) => Some("filters, region and period"),
        }
    }
}

/// One snapshot of a database, open for statements.
pub(crate) struct Session {
    context: SessionContext,
    database: Database,
    snapshot: Snapshot,
    /// What `atl08` shows.
    shown: Arc<Shown>,
}

impl Session {
    /// Opens the newest state of the database, or its state at `at`, in milliseconds since 1970, with `atl08` as
    /// `shown`.
    pub(crate) async fn open(
        location: &Location,
        at: Option<u64>,
        shown: &Arc<Shown>,
        resources: &QueryResources,
    ) -> Result<Session, Failure> {
        let database = Database::open(location).await?;
        let snapshot = match at {
            None => database.snapshot().await?,
            Some(timestamp) => database.snapshot_at(timestamp).await?,
        };
        let context = isdb_datafusion::bounded_session(resources)?;
        isdb_datafusion::register(&context, &snapshot).await?;
        isdb_datafusion::within(&context, shown.region.as_ref(), &shown.period).await?;
        for note in isdb_datafusion::filter(&context, &shown.filters).await? {
            eprintln!("warning: {note}");
        }
        let releases = isdb_datafusion::coexisting_releases(&context).await?;
        if !releases.is_empty() {
            eprintln!("warning: more than one release is in the database: {}", releases_told(&releases));
        }
        Ok(Session { context, database, snapshot, shown: Arc::clone(shown) })
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
        for warning in isdb_datafusion::warnings(&self.context, &plan).await? {
            failure::warn(&warning);
        }
        let frame = self.context.execute_logical_plan(plan.clone()).await?;
        let context = Arc::new(frame.task_ctx());
        let mut rows = rows(frame.create_physical_plan().await?, context, engine);
        let schema = rows.schema();
        let first = rows.next().await.transpose()?;
        let rows = futures::stream::iter(first.map(Ok)).chain(rows);
        let rows = Box::pin(RecordBatchStreamAdapter::new(schema, rows));
        Ok(Started { sql: sql.to_owned(), since, plan, rows })
    }

    /// Writes the rows of a statement, and tells on standard error how many there were.
    pub(crate) async fn write(&self, started: Started, format: Format, output: Option<&Path>) -> Result<(), Failure> {
        let Started { sql, since, plan, rows } = started;
        let reads_view = reads_view(&plan);
        if let (false, Some(what)) = (reads_view, self.shown.on_view()) {
            eprintln!("warning: the {what} are on atl08, which this statement does not read");
        }
        let mut origin = self.shown.origin(&sql, reads_view, self.timestamp());
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
        match self.context.state().create_logical_plan(sql).await {
            Ok(plan) => Ok(plan),
            Err(error) => Err(self.explained(sql, error).await),
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

/// Whether `plan` reads the view that filters are on.
fn reads_view(plan: &LogicalPlan) -> bool {
    let is_view = |part: &LogicalPlan| match part {
        LogicalPlan::TableScan(scan) => scan.table_name.table() == VIEW,
        LogicalPlan::SubqueryAlias(alias) => alias.alias.table() == VIEW,
        _ => false,
    };
    // Nothing here fails; a plan that could not be walked counts as one that reads it.
    plan.exists(|part| Ok(is_view(part))).unwrap_or(true)
}
