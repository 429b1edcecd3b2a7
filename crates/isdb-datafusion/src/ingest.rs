//! The ingest plan of one window: granule source, quality, one partition, write operator. Running it gives the fragments and tallies
//! that the window's commit records.

use std::path::Path;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::TryStreamExt;
use isdb_granule::Identity;
use tiledb::Context;

use crate::error::chain;
use crate::granule_source::{GranuleSource, PlannedGranule, open_granule};
use crate::merged::{Merges, StoredKeys};
use crate::quality::QualityExec;
use crate::selection::Selection;
use crate::tally::Tally;
use crate::write::{TileDbWriteExec, WriteTarget, WrittenFragment, outcome};

/// What a granule file says it is, or in words why it is no readable ATL08 granule. Reads the file's structure only, no rows.
pub fn identify(path: &Path) -> std::result::Result<Identity, String> {
    open_granule(path).map(|granule| granule.identity().clone()).map_err(|error| chain(&error))
}

/// The plan that reads `granules` with up to `partitions` of them at a time and writes what `selection` takes of them to
/// `target`. Of `stored` it leaves out, granule by granule, what the attempts that it merges with hold.
///
/// # Errors
/// When an expression of the selection does not fit the rows, which its binding has ruled out.
pub fn ingest_plan(
    granules: &[PlannedGranule],
    selection: &Selection,
    stored: StoredKeys,
    partitions: usize,
    target: WriteTarget,
) -> Result<Arc<dyn ExecutionPlan>> {
    let source = GranuleSource::new(granules, &selection.decoded(), &selection.granule_columns(), partitions);
    let scan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(source);
    let rows = scan.schema();
    let (filters, outputs) = (selection.physical_filters(&rows)?, selection.physical_outputs(&rows)?);
    let quality = Arc::new(QualityExec::new(scan, filters.into(), outputs.into(), Merges::of(granules, stored).into()));
    Ok(Arc::new(TileDbWriteExec::new(Arc::new(CoalescePartitionsExec::new(quality)), target)))
}

/// Runs an ingest plan to its end, with `threads` cores, through the context `tiledb`. `read` hears of each granule when its
/// rows are with the writer.
///
/// # Errors
/// Whatever ends the whole window: storage that fails, memory that runs out. A granule that cannot be read is no error here,
/// but a tally that says so.
pub async fn run_ingest(
    plan: &Arc<dyn ExecutionPlan>,
    tiledb: &Context,
    threads: usize,
    mut read: impl FnMut(&Tally),
) -> Result<(Vec<WrittenFragment>, Vec<Tally>)> {
    let config = SessionConfig::new().with_target_partitions(threads).with_extension(Arc::new(tiledb.clone()));
    let mut output = plan.execute(0, SessionContext::new_with_config(config).task_ctx())?;
    let (mut fragments, mut tallies) = (Vec::new(), Vec::new());
    while let Some(batch) = output.try_next().await? {
        let (written, tallied) = outcome(&batch);
        fragments.extend(written);
        tallied.iter().for_each(&mut read);
        tallies.extend(tallied);
    }
    Ok((fragments, tallies))
}

#[cfg(test)]
mod tests {
    use datafusion::physical_plan::displayable;
    use isdb_schema::catalogue::variable;
    use isdb_schema::expression::{Expression, Place};
    use isdb_schema::filters::choose;

    use super::*;

    #[test]
    fn the_plan_decodes_what_expressions_look_at_and_stores_only_what_is_wanted() {
        let wanted = [variable("h_canopy").unwrap()];
        let sql = "h_te_best_fit - dem_h".to_owned();
        let derived = Expression { name: "above_dem".into(), sql, place: Place::default() };
        let selection = Selection::bind(&wanted, &[derived], &choose("strong,night").unwrap()).unwrap();
        let granules = vec![PlannedGranule::default(); 5];
        let target = WriteTarget { array: "db/segments".into(), timestamp: 1, first_fragment: 1 };
        let plan = ingest_plan(&granules, &selection, StoredKeys::default(), 2, target).unwrap();
        let shown = displayable(plan.as_ref()).indent(false).to_string();
        let lines: Vec<&str> = shown.lines().map(str::trim).collect();
        let [write, one, quality, scan] = lines.as_slice() else { panic!("{shown}") };
        assert_eq!(*write, "TileDbWriteExec: array=segments");
        assert!(one.starts_with("CoalescePartitionsExec"), "{one}");
        assert!(quality.starts_with("QualityExec: filters=[strong: beam_strength@"), "{quality}");
        assert!(quality.contains("; night: night_flag@11 = 1]") && quality.ends_with("columns=13"), "{quality}");
        assert!(scan.ends_with("GranuleScan: granules=5, variables=4, partitions=2"), "{scan}");
    }
}
