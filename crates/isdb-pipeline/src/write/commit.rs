//! The commit operator: makes the fragments of a window visible all at once, together with the ledger rows of its granules.

use std::collections::BTreeSet;
use std::fmt::{self, Formatter};
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, Partitioning, PlanProperties,
};
use futures::{StreamExt, TryStreamExt};
use isdb_schema::filters::Rule;
use isdb_schema::ledger::{GranuleState, ledger_schema};
use isdb_store::{Changes, Database, Id, LedgerRow, Window, Writer, WrittenFragment};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};

use crate::error::Error;
use crate::operator::single_input_operator;
use crate::tally::Tally;
use crate::write::exec::fragments_and_tallies;
use crate::write::ledger_rows::{complete_rows, fail_together};

/// The database's writer, as an extension of the session that runs a plan with a commit.
#[derive(Debug)]
pub(crate) struct Committer {
    /// None once a renewal has failed.
    writer: Mutex<Option<Writer>>,
    database: Database,
}

impl Committer {
    pub(crate) fn new(writer: Writer) -> Committer {
        Committer { database: writer.database().clone(), writer: Some(writer).into() }
    }

    /// Returns the writer, once no other caller has it.
    ///
    /// # Errors
    /// [`Unfinished`](isdb_store::Error::Unfinished) when a renewal has failed.
    pub(crate) async fn writer(&self) -> isdb_store::Result<MappedMutexGuard<'_, Writer>> {
        let unfinished = |_| isdb_store::Error::Unfinished { uri: self.database.location().uri() };
        MutexGuard::try_map(self.writer.lock().await, Option::as_mut).map_err(unfinished)
    }

    /// Replaces the writer by a new one.
    ///
    /// # Errors
    /// When the takeover fails.
    pub(crate) async fn renew(&self, now_ms: u64) -> isdb_store::Result<()> {
        let mut writer = self.writer.lock().await;
        *writer = match writer.take() {
            Some(earlier) => Some(earlier.renew(now_ms).await?),
            None => Some(Writer::take_over(&self.database, now_ms).await?),
        };
        Ok(())
    }
}

/// The changes that a window commits, apart from the fragments that the plan writes.
#[derive(Clone, Debug)]
pub enum CommitRequest {
    /// The window ingests granules.
    Granules {
        /// A row for each attempt. Its counts and its state come from the plan, unless it failed before.
        ledger: Vec<LedgerRow>,
        /// The database's filters from now on, if they change.
        filters: Option<Vec<Rule>>,
        /// Whether one failed granule prevents the whole window from being stored.
        all_or_nothing: bool,
    },
    /// The window writes the rows of fragments again, packed differently.
    Compaction {
        /// The fragments whose rows were read.
        inputs: BTreeSet<Id>,
    },
}

/// Commits a window. The output is the ledger rows that it records.
#[derive(Debug)]
pub(crate) struct CommitExec {
    input: Arc<dyn ExecutionPlan>,
    window: Window,
    request: CommitRequest,
    properties: Arc<PlanProperties>,
}

impl CommitExec {
    /// Commits the output of the write operator `input`, as `window`.
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, window: Window, request: CommitRequest) -> CommitExec {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::new(ledger_schema())),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        CommitExec { input, window, request, properties: Arc::new(properties) }
    }

    fn with_input(&self, input: Arc<dyn ExecutionPlan>) -> Result<CommitExec> {
        Ok(CommitExec::new(input, self.window, self.request.clone()))
    }

    fn expressions(&self) -> Vec<Arc<dyn PhysicalExpr>> {
        Vec::new()
    }
}

impl DisplayAs for CommitExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.request {
            CommitRequest::Granules { ledger, all_or_nothing, .. } => {
                let replaced: usize = ledger.iter().map(|row| row.replaces.len()).sum();
                write!(f, "CommitExec: granules={}, replaced={replaced}", ledger.len())?;
                if *all_or_nothing { write!(f, ", all or nothing") } else { Ok(()) }
            }
            CommitRequest::Compaction { inputs } => write!(f, "CommitExec: compacted={}", inputs.len()),
        }
    }
}

impl ExecutionPlan for CommitExec {
    single_input_operator!("CommitExec");

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition])
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(committer) = context.session_config().get_extension::<Committer>() else {
            return internal_err!("the session has no writer to commit with");
        };
        let input = self.input.execute(partition, context)?;
        let (window, request) = (self.window, self.request.clone());
        let commit = async move {
            let (fragments, tallies) = collect(input).await?;
            let rows = commit(&committer, window, request, fragments, tallies).await?;
            LedgerRow::to_batch(&rows).map_err(|error| Error::Store(error).into())
        };
        let output = futures::stream::once(commit).boxed();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), output)))
    }
}

/// Collects all fragments and tallies of the write operator.
async fn collect(mut input: SendableRecordBatchStream) -> Result<(Vec<WrittenFragment>, Vec<Tally>)> {
    let (mut fragments, mut tallies) = (Vec::new(), Vec::new());
    while let Some(batch) = input.try_next().await? {
        let (written, counted) = fragments_and_tallies(&batch)?;
        fragments.extend(written);
        tallies.extend(counted);
    }
    Ok((fragments, tallies))
}

/// Makes the window visible, and returns the ledger rows that it records.
async fn commit(
    committer: &Committer,
    window: Window,
    request: CommitRequest,
    mut fragments: Vec<WrittenFragment>,
    tallies: Vec<Tally>,
) -> Result<Vec<LedgerRow>> {
    let mut writer = committer.writer().await.map_err(store_error)?;
    match request {
        CommitRequest::Compaction { inputs } => {
            writer.compact(window, &inputs, fragments).await.map_err(store_error)?;
            Ok(Vec::new())
        }
        CommitRequest::Granules { mut ledger, filters, all_or_nothing } => {
            complete_rows(&writer.database().location().uri(), &mut ledger, tallies).map_err(store_error)?;
            let mut abandoned = Vec::new();
            if all_or_nothing && fail_together(&mut ledger) {
                std::mem::swap(&mut fragments, &mut abandoned);
            }
            // A carried attempt fails when nothing replaces its other segments; then the earlier attempt keeps all of them.
            ledger.retain(|row| !(row.is_carried() && row.state == GranuleState::Failed));
            // New filters become the database's filters only once a granule has passed through them.
            let filters = filters.filter(|_| ledger.iter().any(|row| row.state.is_done()));
            let changes = Changes { fragments, abandoned, ledger: ledger.clone(), filters };
            writer.commit(window, changes).await.map_err(store_error)?;
            Ok(ledger)
        }
    }
}

fn store_error(error: isdb_store::Error) -> DataFusionError {
    Error::Store(error).into()
}
