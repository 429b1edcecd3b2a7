//! The ingest plan of one window: granule source, quality, chunk, repartition, sort, write, commit. What each operator needs of the
//! others it declares; DataFusion puts the repartition and the sort between them.

use std::path::Path;
use std::sync::Arc;

use datafusion::common::{DFSchema, Result};
use datafusion::config::ConfigOptions;
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::col;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::ensure_requirements::EnsureRequirements;
use datafusion::physical_optimizer::sanity_checker::SanityCheckPlan;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::{ExecutionPlan, displayable};
use isdb_granule::Identity;
use isdb_store::Window;

use crate::chunk::{CHUNK, chunk_function};
use crate::commit::{CommitExec, Recorded};
use crate::error::chain;
use crate::expression::physical;
use crate::granule_source::{GranuleSource, PlannedGranule, open_granule};
use crate::quality::QualityExec;
use crate::selection::Selection;
use crate::session::session;
use crate::write::{TileDbWriteExec, WriteTarget};

/// What a granule file says it is, or in words why it is no readable ATL08 granule. Reads the file's structure only, no rows.
pub fn identify(path: &Path) -> std::result::Result<Identity, String> {
    open_granule(path).map(|granule| granule.identity().clone()).map_err(|error| chain(&error))
}

/// How many work at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hands {
    /// Granules that are decoded at a time.
    pub readers: usize,
    /// Fragments that are written at a time.
    pub writers: usize,
}

/// The plan that reads `granules`, writes what `selection` takes of them to `target` and commits it as `window`.
///
/// # Errors
/// When an expression of the selection does not fit the rows, which its binding has ruled out.
pub fn ingest_plan(
    granules: &[PlannedGranule],
    selection: &Selection,
    hands: Hands,
    target: WriteTarget,
    window: Window,
    recorded: Recorded,
) -> Result<Arc<dyn ExecutionPlan>> {
    let source = GranuleSource::new(granules, &selection.decoded(), &selection.granule_columns(), hands.readers);
    let scan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(source);
    let rows = scan.schema();
    let (filters, outputs) = (selection.physical_filters(&rows)?, selection.physical_outputs(&rows)?);
    let quality = Arc::new(QualityExec::new(scan, filters.into(), outputs.into()));
    stored(quality, hands.writers, target, window, recorded)
}

/// The plan that writes the rows of `input` to `target` with `writers` hands and commits them as `window`.
pub(crate) fn stored(
    input: Arc<dyn ExecutionPlan>,
    writers: usize,
    target: WriteTarget,
    window: Window,
    recorded: Recorded,
) -> Result<Arc<dyn ExecutionPlan>> {
    let write = Arc::new(TileDbWriteExec::try_new(with_chunk(input)?, target)?);
    let commit: Arc<dyn ExecutionPlan> = Arc::new(CommitExec::new(write, window, recorded));
    let mut config = ConfigOptions::new();
    config.execution.target_partitions = writers.max(1);
    let plan = EnsureRequirements::new().optimize(commit, &config)?;
    SanityCheckPlan::new().optimize(plan, &config)
}

/// The rows of `input` with the number of their chunk behind them.
fn with_chunk(input: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = input.schema();
    let own = schema.fields().iter().enumerate().map(|(index, field)| ProjectionExpr {
        expr: Arc::new(Column::new(field.name(), index)),
        alias: field.name().clone(),
    });
    let chunk = chunk_function().call(vec![col("latitude"), col("longitude")]);
    let chunk = physical(&session(None), &DFSchema::try_from(Arc::clone(&schema))?, chunk)?;
    let chunk = ProjectionExpr { expr: chunk, alias: CHUNK.to_owned() };
    Ok(Arc::new(ProjectionExec::try_new(own.chain([chunk]).collect::<Vec<_>>(), input)?))
}

/// A plan as EXPLAIN prints it, an operator a line.
#[must_use]
pub fn explain(plan: &Arc<dyn ExecutionPlan>) -> String {
    displayable(plan.as_ref()).indent(false).to_string()
}
