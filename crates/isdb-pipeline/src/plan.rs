//! The ingest plan of one window: granule source, quality, chunk, gather, write, commit. What each operator needs of the others
//! it declares; DataFusion puts the repartition between them.

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
use isdb_granule::{ByteSource, Granule, Identity};
use isdb_store::{Snapshot, Window};
use object_store::ObjectStore;

use crate::filter::quality::QualityExec;
use crate::filter::selection::Selection;
use crate::gather::exec::GatherExec;
use crate::read::granule_source::{GranuleSource, PlannedGranule, open_file};
use crate::read::remote::{RemoteSource, Traffic};
use crate::stored::carry::{Carried, CarryExec};
use crate::stored::merged::{Merges, StoredKeys};
use crate::write::commit::{CommitExec, Recorded};
use crate::write::exec::{TileDbWriteExec, WriteTarget};
use isdb_query::physical_expression;
use isdb_query::{CHUNK, chunk_function};
use isdb_query::{SessionOptions, session};
use isdb_schema::printable::error_chain;

/// What a granule file says it is, or why it is no readable ATL08 granule. Reads the file's structure only, no rows.
///
/// # Errors
/// Why it cannot be read, and whether that says anything about the file.
pub fn identify(path: &Path) -> std::result::Result<Identity, isdb_granule::Error> {
    open_file(path).map(|granule| granule.identity().clone())
}

/// What the granule at `url`, which is `s3://bucket/key`, says it is, and its bytes; or in words why it is no readable ATL08
/// granule. `store` is that of the bucket. Some megabytes are fetched, and no rows.
pub async fn identify_at(url: &str, store: Arc<dyn ObjectStore>) -> std::result::Result<(Identity, u64), String> {
    let source = RemoteSource::open(store, url, Traffic::default()).await;
    let source = source.map_err(|error| format!("{url}: {}", error_chain(&error)))?;
    let look = move || {
        let bytes = source.len();
        Granule::open(source).map(|granule| (granule.identity().clone(), bytes)).map_err(|error| error_chain(&error))
    };
    let gave_up = |_| Err(format!("{url}: the HDF5 reader gave up on it"));
    tokio::task::spawn_blocking(look).await.unwrap_or_else(gave_up)
}

/// The plan that reads `granules`, up to `readers` of them at a time, writes what `selection` takes of them to `target` and
/// commits it as `window`. Of the stored segments it leaves out, granule by granule, what the attempts that it merges with have,
/// and carries out of the snapshot what is replaced in part.
///
/// # Errors
/// When an expression of the selection does not fit the rows, which its binding has ruled out.
pub fn ingest_plan(
    granules: &[PlannedGranule],
    selection: &Selection,
    stored_segments: (&StoredKeys, Option<&Snapshot>),
    readers: usize,
    target: WriteTarget,
    window: Window,
    recorded: Recorded,
) -> Result<Arc<dyn ExecutionPlan>> {
    let source = GranuleSource::new(granules, &selection.decoded(), &selection.granule_columns(), readers);
    let scan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(source);
    let rows = scan.schema();
    let (filters, outputs) = (selection.physical_filters(&rows)?, selection.physical_outputs(&rows)?);
    let (merged, snapshot) = stored_segments;
    let merges = Merges::of(granules, merged).into();
    let quality: Arc<dyn ExecutionPlan> = Arc::new(QualityExec::new(scan, filters.into(), outputs.into(), merges));
    let carried: Vec<Carried> = granules.iter().flat_map(|granule| granule.carried.clone()).collect();
    let rows: Arc<dyn ExecutionPlan> = match snapshot {
        Some(snapshot) if !carried.is_empty() => Arc::new(CarryExec::new(quality, snapshot.clone(), carried.into())),
        _ => quality,
    };
    stored(rows, target, window, recorded)
}

/// The plan that writes the rows of `input` to `target` and commits them as `window`.
pub(crate) fn stored(
    input: Arc<dyn ExecutionPlan>,
    target: WriteTarget,
    window: Window,
    recorded: Recorded,
) -> Result<Arc<dyn ExecutionPlan>> {
    let writers = target.writers;
    let gather = Arc::new(GatherExec::try_new(with_chunk(input)?, writers)?);
    let write = Arc::new(TileDbWriteExec::try_new(gather, target)?);
    let commit: Arc<dyn ExecutionPlan> = Arc::new(CommitExec::new(write, window, recorded));
    let mut config = ConfigOptions::new();
    // More partitions of the computation of a number would only copy.
    config.optimizer.enable_round_robin_repartition = false;
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
    let chunk =
        physical_expression(&session(&SessionOptions::default())?, &DFSchema::try_from(Arc::clone(&schema))?, chunk)?;
    let chunk = ProjectionExpr { expr: chunk, alias: CHUNK.to_owned() };
    Ok(Arc::new(ProjectionExec::try_new(own.chain([chunk]).collect::<Vec<_>>(), input)?))
}

/// A plan as EXPLAIN prints it, an operator a line.
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

    /// EXPLAIN of the ingest of five granules, and a window of a database that is gone again.
    async fn shown(writers: usize) -> String {
        let folder = tempfile::tempdir().unwrap();
        let wanted = [variable("h_canopy").unwrap()];
        let location = Location::parse(folder.path().join("db").to_str().unwrap()).unwrap();
        let database = Database::create(&location, &Design::new(&wanted), 1).await.unwrap();
        let window = Writer::take_over(&database, 1).await.unwrap().begin_window(5, 1).unwrap();

        let sql = "h_te_best_fit - dem_h".to_owned();
        let derived = Expression { name: "above_dem".into(), sql, location: SourceLocation::default() };
        let selection = Selection::bind(&wanted, &[derived], &choose("strong,night").unwrap()).unwrap();
        let granules = vec![PlannedGranule::default(); 5];
        let target = WriteTarget {
            array: location.segments(),
            timestamp: 1,
            first_fragment: 1,
            fragment_bytes: 64 << 20,
            writers,
        };
        let recorded = Recorded::Granules { ledger: Vec::new(), filters: None, all_or_nothing: false };
        let plan = ingest_plan(&granules, &selection, (&StoredKeys::default(), None), 2, target, window, recorded);
        explain(&plan.unwrap())
    }

    fn operators(shown: &str) -> Vec<&str> {
        let name = |line: &str| line.trim().split([':', ' ']).next().map(str::len);
        shown.lines().map(|line| &line.trim()[..name(line).unwrap_or(0)]).collect()
    }

    #[tokio::test]
    async fn rows_are_dealt_out_and_gathered_by_chunk_before_they_are_written() {
        for writers in [2, 8] {
            let shown = shown(writers).await;
            let expected = [
                "CommitExec",
                "CoalescePartitionsExec",
                "TileDbWriteExec",
                "GatherExec",
                "RepartitionExec",
                "ProjectionExec",
                "QualityExec",
                "DataSourceExec",
            ];
            assert_eq!(operators(&shown), expected, "{shown}");
            assert!(shown.contains(&format!("RepartitionExec: partitioning=Hash([chunk@13], {writers})")), "{shown}");
            assert!(shown.contains("GatherExec: by=chunk@13"), "{shown}");
        }
    }

    #[tokio::test]
    async fn one_writer_gathers_all_rows_however_many_read() {
        let shown = shown(1).await;
        let expected = [
            "CommitExec",
            "TileDbWriteExec",
            "GatherExec",
            "CoalescePartitionsExec",
            "ProjectionExec",
            "QualityExec",
            "DataSourceExec",
        ];
        assert_eq!(operators(&shown), expected, "{shown}");
    }

    #[tokio::test]
    async fn the_plan_decodes_what_expressions_look_at_and_stores_only_what_is_wanted() {
        let shown = shown(1).await;
        let line = |operator: &str| shown.lines().find(|line| line.contains(operator)).unwrap().trim();
        assert_eq!(line("TileDbWriteExec"), "TileDbWriteExec: array=segments, fragment=64 MiB");
        let quality = line("QualityExec");
        assert!(quality.starts_with("QualityExec: filters=[strong: beam_strength@"), "{quality}");
        assert!(quality.contains("; night: night_flag@11 = 1]") && quality.ends_with("columns=13"), "{quality}");
        assert!(line("DataSourceExec").ends_with("GranuleScan: granules=5, variables=4, partitions=2"), "{shown}");
    }
}
