//! The ingest plan of one window: granule source, chunk, write, commit. Several writers get the rows by chunk; a single one gets those of
//! all readers.

use std::sync::Arc;

use datafusion::common::{DFSchema, Result};
use datafusion::config::ConfigOptions;
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::col;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::sanity_checker::SanityCheckPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties as _, Partitioning, displayable};
use isdb_query::{CHUNK, SessionOptions, chunk_function, physical_expression, session};
use isdb_store::Snapshot;

use crate::filter::quality::Quality;
use crate::filter::selection::Selection;
use crate::read::granule_source::GranuleSource;
use crate::read::planned_granule::{PlannedCarry, PlannedGranule};
use crate::stored::carry::CarryExec;
use crate::stored::earlier_attempts::EarlierAttempts;
use crate::stored::stored_segments::StoredSegments;
use crate::write::commit::{CommitExec, CommitRequest};
use crate::write::exec::TileDbWriteExec;
use crate::write::target::WriteTarget;

/// Builds the plan that reads `granules`, up to `readers` of them at a time, writes the rows and columns of `selection` to
/// `target`, and commits them as its window, as `request` says. `stored_segments` are the segments of the attempts that granules
/// merge with, which are not stored again, and the snapshot from which segments are carried; None for a new database.
///
/// # Errors
/// When an expression of the selection does not fit the rows; binding the selection has ruled that out.
pub fn ingest_plan(
    granules: &[PlannedGranule],
    selection: &Selection,
    stored_segments: (&StoredSegments, Option<&Snapshot>),
    readers: usize,
    target: WriteTarget,
    request: CommitRequest,
) -> Result<Arc<dyn ExecutionPlan>> {
    let (stored, snapshot) = stored_segments;
    let quality = Quality::new(selection, EarlierAttempts::new(granules, stored))?;
    let source = GranuleSource::new(granules, quality, readers);
    let scan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(source);
    let carried: Vec<PlannedCarry> = granules.iter().flat_map(|granule| granule.carried.clone()).collect();
    let rows: Arc<dyn ExecutionPlan> = match snapshot {
        Some(snapshot) if !carried.is_empty() => Arc::new(CarryExec::new(scan, snapshot.clone(), carried.into())),
        _ => scan,
    };
    write_plan(rows, target, request)
}

/// Builds the plan that writes the rows of `input` to `target` and commits them as its window.
pub(crate) fn write_plan(
    input: Arc<dyn ExecutionPlan>,
    target: WriteTarget,
    request: CommitRequest,
) -> Result<Arc<dyn ExecutionPlan>> {
    let (writers, window) = (target.writers, target.window);
    let rows = with_chunk(input)?;
    let rows = if writers > 1 { by_chunk(rows, writers)? } else { together(rows) };
    let write = together(Arc::new(TileDbWriteExec::try_new(rows, target)?));
    let commit: Arc<dyn ExecutionPlan> = Arc::new(CommitExec::new(write, window, request));
    SanityCheckPlan::new().optimize(commit, &ConfigOptions::new())
}

/// Makes one partition of those of `input`.
fn together(input: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    match input.output_partitioning().partition_count() {
        1 => input,
        _ => Arc::new(CoalescePartitionsExec::new(input)),
    }
}

/// Distributes the rows of `input` to `writers` partitions by their chunk. DataFusion's own rule leaves a single partition as it is.
fn by_chunk(input: Arc<dyn ExecutionPlan>, writers: usize) -> Result<Arc<dyn ExecutionPlan>> {
    let chunk = Column::new_with_schema(CHUNK, &input.schema())?;
    Ok(Arc::new(RepartitionExec::try_new(input, Partitioning::Hash(vec![Arc::new(chunk)], writers))?))
}

/// Adds the number of the chunk to the rows of `input`, as the last column.
fn with_chunk(input: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = input.schema();
    let own = schema.fields().iter().enumerate().map(|(index, field)| ProjectionExpr {
        expr: Arc::new(Column::new(field.name(), index)),
        alias: field.name().clone(),
    });
    let chunk = chunk_function().call(vec![col("latitude"), col("longitude")]);
    let session = session(&SessionOptions::default())?;
    let chunk = physical_expression(&session, &DFSchema::try_from(Arc::clone(&schema))?, chunk)?;
    let chunk = ProjectionExpr { expr: chunk, alias: CHUNK.to_owned() };
    Ok(Arc::new(ProjectionExec::try_new(own.chain([chunk]).collect::<Vec<_>>(), input)?))
}

/// Formats a plan as EXPLAIN prints it, one operator per line.
#[must_use]
pub fn explain(plan: &Arc<dyn ExecutionPlan>) -> String {
    displayable(plan.as_ref()).indent(false).to_string()
}

#[cfg(test)]
mod tests {
    use isdb_schema::catalogue::variable;
    use isdb_schema::expression::{Expression, SourceLocation};
    use isdb_schema::filters::choose;
    use isdb_store::{Database, Design, Location, Writer};

    use super::*;

    /// Returns EXPLAIN of the ingest of five granules with this number of writers.
    async fn explained(writers: usize) -> String {
        let folder = tempfile::tempdir().unwrap();
        let variables = [variable("h_canopy").unwrap()];
        let location = Location::parse(folder.path().join("db").to_str().unwrap()).unwrap();
        let database = Database::create(&location, &Design::new(&variables), 1).await.unwrap();
        let window = Writer::take_over(&database, 1).await.unwrap().begin_window(5, 1).unwrap();

        let sql = "h_te_best_fit - dem_h".to_owned();
        let derived = Expression { name: "above_dem".into(), sql, location: SourceLocation::default() };
        let selection = Selection::bind(&variables, &[derived], &choose("strong,night").unwrap()).unwrap();
        let granules = vec![PlannedGranule::default(); 5];
        let target =
            WriteTarget { location: location.clone(), window, task: (0, 1), fragment_bytes: 64 << 20, writers };
        let request = CommitRequest::Granules { ledger: Vec::new(), filters: None, all_or_nothing: false };
        let plan = ingest_plan(&granules, &selection, (&StoredSegments::default(), None), 2, target, request);
        explain(&plan.unwrap())
    }

    fn operators(plan: &str) -> Vec<&str> {
        let name = |line: &str| line.trim().split([':', ' ']).next().map(str::len);
        plan.lines().map(|line| &line.trim()[..name(line).unwrap_or(0)]).collect()
    }

    #[tokio::test]
    async fn rows_are_distributed_by_chunk_before_they_are_written() {
        for writers in [2, 8] {
            let plan = explained(writers).await;
            let expected = [
                "CommitExec",
                "CoalescePartitionsExec",
                "TileDbWriteExec",
                "RepartitionExec",
                "ProjectionExec",
                "DataSourceExec",
            ];
            assert_eq!(operators(&plan), expected, "{plan}");
            assert!(plan.contains(&format!("RepartitionExec: partitioning=Hash([chunk@13], {writers})")), "{plan}");
        }
    }

    #[tokio::test]
    async fn one_writer_has_the_rows_of_all_readers() {
        let plan = explained(1).await;
        let expected = ["CommitExec", "TileDbWriteExec", "ProjectionExec", "DataSourceExec"];
        assert_eq!(operators(&plan), expected, "{plan}");
    }

    #[tokio::test]
    async fn the_plan_decodes_columns_of_expressions_and_stores_only_requested_ones() {
        let plan = explained(1).await;
        let line = |operator: &str| plan.lines().find(|line| line.contains(operator)).unwrap().trim();
        assert_eq!(line("TileDbWriteExec"), "TileDbWriteExec: array=segments, fragment=64 MiB");
        let scan = line("DataSourceExec");
        assert!(scan.contains("GranuleScan: granules=5, variables=4, filters=[strong: beam_strength@"), "{scan}");
        assert!(scan.ends_with("; night: night_flag@10 = 1], columns=13, readers=2"), "{scan}");
    }
}
