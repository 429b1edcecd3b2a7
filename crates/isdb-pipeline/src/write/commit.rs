//! The commit operator: what the writers of a window bring becomes visible all at once, with the ledger rows of its granules.

use std::collections::{BTreeSet, HashMap};
use std::fmt::{self, Formatter};
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, Partitioning, PlanProperties,
};
use futures::{StreamExt, TryStreamExt};
use isdb_schema::catalogue::variable;
use isdb_schema::filters::Rule;
use isdb_schema::ledger::{GranuleState, ledger_schema};
use isdb_store::{Changes, FragmentRecord, Id, LedgerRow, Window, Writer};
use tokio::sync::Mutex;

use crate::error::Error;
use crate::tally::Tally;
use crate::write::exec::{WrittenFragment, outcome};

/// The one writer of a database, as an extension of the session that runs a plan with a commit in it.
#[derive(Debug)]
pub struct Committer(pub Mutex<Writer>);

/// What a window's commit records, beside what the plan brings.
#[derive(Clone, Debug)]
pub enum Recorded {
    /// Granules were ingested.
    Granules {
        /// A row for each attempt. Its counts and its state come from the plan, unless it failed before.
        ledger: Vec<LedgerRow>,
        /// The database's filters from now on, if they change.
        filters: Option<Vec<Rule>>,
        /// Whether one failed granule keeps the whole window from being stored.
        all_or_nothing: bool,
    },
    /// Fragments were written again, in other company.
    Compacted {
        /// The fragments whose rows were read.
        inputs: BTreeSet<Id>,
    },
}

/// Commits a window. The output is the ledger rows that it recorded.
#[derive(Debug)]
pub(crate) struct CommitExec {
    input: Arc<dyn ExecutionPlan>,
    window: Window,
    recorded: Recorded,
    properties: Arc<PlanProperties>,
}

impl CommitExec {
    /// Commits what the write operator `input` brings, as `window`.
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, window: Window, recorded: Recorded) -> CommitExec {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::new(ledger_schema())),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        CommitExec { input, window, recorded, properties: Arc::new(properties) }
    }
}

impl DisplayAs for CommitExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.recorded {
            Recorded::Granules { ledger, all_or_nothing, .. } => {
                let replaced: usize = ledger.iter().map(|row| row.replaces.len()).sum();
                write!(f, "CommitExec: granules={}, replaced={replaced}", ledger.len())?;
                if *all_or_nothing { write!(f, ", all or nothing") } else { Ok(()) }
            }
            Recorded::Compacted { inputs } => write!(f, "CommitExec: compacted={}", inputs.len()),
        }
    }
}

impl ExecutionPlan for CommitExec {
    fn name(&self) -> &str {
        "CommitExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition])
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match children.pop() {
            Some(input) if children.is_empty() => {
                Ok(Arc::new(CommitExec::new(input, self.window, self.recorded.clone())))
            }
            _ => internal_err!("CommitExec has one input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(committer) = context.session_config().get_extension::<Committer>() else {
            return internal_err!("the session has no writer to commit with");
        };
        let input = self.input.execute(partition, context)?;
        let (window, recorded) = (self.window, self.recorded.clone());
        let commit = async move {
            let (fragments, tallies) = gather(input).await?;
            let rows = commit(&committer, window, recorded, fragments, tallies).await?;
            LedgerRow::to_batch(&rows, window.ledger_id()).map_err(|error| Error::Store(error).into())
        };
        let output = futures::stream::once(commit).boxed();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), output)))
    }
}

/// Every fragment and tally of the write operator.
async fn gather(mut input: SendableRecordBatchStream) -> Result<(Vec<FragmentRecord>, Vec<Tally>)> {
    let (mut fragments, mut tallies) = (Vec::new(), Vec::new());
    while let Some(batch) = input.try_next().await? {
        let (written, tallied) = outcome(&batch)?;
        fragments.extend(written.into_iter().map(record));
        tallies.extend(tallied);
    }
    Ok((fragments, tallies))
}

fn record(fragment: WrittenFragment) -> FragmentRecord {
    FragmentRecord { id: Id(fragment.id), name: fragment.name, rows: u64::try_from(fragment.rows).unwrap_or(0) }
}

/// The stage of a granule that failed only because another one of its window did.
pub const WINDOW: &str = "window";

/// Makes the window visible, and gives back the ledger rows that it recorded.
async fn commit(
    committer: &Committer,
    window: Window,
    recorded: Recorded,
    mut fragments: Vec<FragmentRecord>,
    tallies: Vec<Tally>,
) -> Result<Vec<LedgerRow>> {
    let mut writer = committer.0.lock().await;
    match recorded {
        Recorded::Compacted { inputs } => {
            writer.compact(window, &inputs, fragments).await.map_err(store)?;
            Ok(Vec::new())
        }
        Recorded::Granules { mut ledger, filters, all_or_nothing } => {
            complete(&writer.database().location().uri(), &mut ledger, tallies).map_err(store)?;
            let mut abandoned = Vec::new();
            if all_or_nothing && give_up_together(&mut ledger) {
                std::mem::swap(&mut fragments, &mut abandoned);
            }
            // What is not replaced after all stays with the attempt that brought it.
            ledger.retain(|row| !(row.is_carried() && row.state == GranuleState::Failed));
            // Filters that nothing has passed are not the database's yet.
            let filters = filters.filter(|_| ledger.iter().any(|row| row.state.is_done()));
            let changes = Changes { fragments, abandoned, ledger: ledger.clone(), filters };
            writer.commit(window, changes).await.map_err(store)?;
            Ok(ledger)
        }
    }
}

fn store(error: isdb_store::Error) -> DataFusionError {
    Error::Store(error).into()
}

/// Fills in what the plan tells of each granule. Each that went into the plan must have come out of it with exactly one tally.
fn complete(uri: &str, ledger: &mut [LedgerRow], tallies: Vec<Tally>) -> isdb_store::Result<()> {
    let mismatch = |problem: String| isdb_store::Error::Mismatch { uri: uri.to_owned(), problem };
    let mut told: HashMap<i64, Tally> = HashMap::new();
    for tally in tallies {
        if let Some(first) = told.insert(tally.ingest_id, tally) {
            return Err(mismatch(format!("expected one tally of the attempt {}, found another", first.ingest_id)));
        }
    }
    for row in ledger.iter_mut().filter(|row| row.error.is_none() && row.state != GranuleState::Removed) {
        let Some(tally) = told.remove(&row.ingest_id.0) else {
            return Err(mismatch(format!("expected a tally of {}, found none", row.granule)));
        };
        match row.is_carried() {
            true => tell_carried(row, tally),
            false => tell(row, tally),
        }
    }
    match told.keys().min() {
        Some(id) => Err(mismatch(format!("found a tally of the attempt {id}, which is not of this window"))),
        None => Ok(()),
    }
}

/// Fills in what stays of an attempt that is replaced in part; `row` has what the ledger says of it so far.
fn tell_carried(row: &mut LedgerRow, tally: Tally) {
    if tally.error.is_some() {
        row.state = GranuleState::Failed;
        row.replaces.clear();
        return;
    }
    row.state = if tally.rows_kept == 0 { GranuleState::Empty } else { GranuleState::Ingested };
    row.rows_kept = tally.rows_kept;
    row.rows_removed += tally.rows_removed;
    for gone in tally.removed {
        match row.removed_by.iter_mut().find(|known| known.filter == gone.filter) {
            None => row.removed_by.push(gone),
            Some(known) => {
                known.removed += gone.removed;
                known.alone += gone.alone;
                known.stored_by.extend(gone.stored_by);
            }
        }
    }
    row.finished_at = now();
}

fn tell(row: &mut LedgerRow, tally: Tally) {
    row.state = match (&tally.error, tally.rows_kept) {
        (Some(_), _) => GranuleState::Failed,
        (None, 0) => GranuleState::Empty,
        (None, _) => GranuleState::Ingested,
    };
    if row.state == GranuleState::Failed {
        // What stood before stays.
        row.replaces.clear();
        row.stage = tally.stage;
    }
    row.checksum = row.checksum.take().or(tally.checksum);
    row.rows_read = tally.rows_read;
    row.rows_kept = tally.rows_kept;
    row.rows_rejected = tally.rows_rejected;
    row.rows_removed = tally.rows_removed;
    row.removed_by = tally.removed;
    row.beams_read = tally.beams_read;
    row.beams_empty = tally.beams_empty;
    row.beams_missing = tally.beams_missing;
    row.missing_variables = missing(tally.missing_variables.as_deref(), row.release.as_deref());
    row.notes = match (row.notes.take(), tally.notes) {
        (Some(known), Some(found)) => Some(format!("{known}; {found}")),
        (known, found) => known.or(found),
    };
    row.error = tally.error;
    row.finished_at = now();
}

/// Nanoseconds since 1970.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// The variables that the granule lacks though its release has them; all that it lacks if the release is not known.
fn missing(names: Option<&str>, release: Option<&str>) -> Option<String> {
    let release: Option<u16> = release.and_then(|release| release.parse().ok());
    let is_of_release = |name: &&str| match (variable(name), release) {
        (Some(variable), Some(release)) => variable.releases.contains(release),
        _ => true,
    };
    let names: Vec<&str> = names?.split(' ').filter(is_of_release).collect();
    (!names.is_empty()).then(|| names.join(" "))
}

/// When a granule has failed, the others fail with it; true if so.
fn give_up_together(ledger: &mut [LedgerRow]) -> bool {
    let is_failed = |row: &&LedgerRow| row.state == GranuleState::Failed && !row.is_carried();
    let failed = ledger.iter().find(is_failed).map(|row| row.granule.clone());
    let Some(failed) = failed else { return false };
    for row in ledger.iter_mut().filter(|row| row.state.is_done()) {
        if row.is_carried() {
            row.state = GranuleState::Failed;
            continue;
        }
        let error = format!("not replaced, since {failed} of the same window failed");
        tell(row, Tally { stage: Some(WINDOW.to_owned()), error: Some(error), ..Tally::default() });
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is known of a granule before the plan has run.
    fn planned(id: i64) -> LedgerRow {
        LedgerRow {
            ingest_id: Id(id),
            granule: format!("granule {id}"),
            product: "ATL08".to_owned(),
            rgt: None,
            cycle: None,
            region: None,
            release: None,
            revision: None,
            qa_granule_pass_fail: None,
            subset: None,
            start_time: None,
            identity_source: None,
            source: format!("{id}.h5"),
            size_bytes: 1,
            modified_at: None,
            checksum: None,
            area: None,
            variables: String::new(),
            derived: "none".to_owned(),
            derived_hash: String::new(),
            filters: "none".to_owned(),
            filters_hash: String::new(),
            rows_read: 0,
            rows_kept: 0,
            rows_rejected: 0,
            rows_removed: 0,
            removed_by: Vec::new(),
            beams_read: 0,
            beams_empty: 0,
            beams_missing: 0,
            missing_variables: None,
            notes: None,
            replaces: Vec::new(),
            state: GranuleState::Failed,
            stage: None,
            error: None,
            finished_at: 0,
        }
    }

    fn completed(ledger: &mut [LedgerRow], ids: &[i64]) -> std::result::Result<(), String> {
        let tallies = ids.iter().map(|id| Tally { ingest_id: *id, rows_kept: 10 * id, ..Tally::default() });
        complete("db", ledger, tallies.collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn each_granule_has_exactly_one_tally_or_nothing_is_committed() {
        let failed = LedgerRow { error: Some("truncated".to_owned()), ..planned(3) };
        let removed = LedgerRow { state: GranuleState::Removed, ..planned(4) };
        let mut ledger = [planned(1), planned(2), failed, removed];
        completed(&mut ledger, &[2, 1]).unwrap();
        assert_eq!(ledger.each_ref().map(|row| row.rows_kept), [10, 20, 0, 0]);
        for (ids, problem) in [
            (&[1][..], "expected a tally of granule 2, found none"),
            (&[1, 2, 2], "expected one tally of the attempt 2, found another"),
            (&[1, 2, 3], "found a tally of the attempt 3, which is not of this window"),
            (&[1, 2, 9], "found a tally of the attempt 9, which is not of this window"),
        ] {
            let refused = completed(&mut ledger.clone(), ids).unwrap_err();
            assert_eq!(refused, format!("nothing was committed to db: {problem}"));
        }
    }
}
