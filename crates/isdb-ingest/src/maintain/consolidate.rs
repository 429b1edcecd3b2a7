//! Consolidation: fragments that overlap or are small are written again together, without dead rows.

use std::path::Path;
use std::sync::Arc;

use isdb_pipeline::{Engine, PlanProgress, Resources, WriteTarget, compact_plan, row_bytes};
use isdb_schema::config::Policy;
use isdb_store::{Database, FragmentRecord, Location, Writer};

use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::maintain::grouping::{Limits, groups};
use crate::run::resources::{check_spill, resources};

/// The result of a consolidation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consolidated {
    /// The number of groups that were written again.
    pub groups: usize,
    /// The number of fragments of segments before.
    pub before: usize,
    /// The number of fragments of segments after.
    pub after: usize,
}

/// Consolidates the database at `location`: writes the groups of fragments that `policy` selects again, each in a
/// commit of its own. A group with fewer than `min_fragments` is written only if it has dead rows. Uses `threads` cores
/// and `memory` bytes, and spills other rows to the existing folder `spill`, or to a folder within the database. `on_group` is called after each group with its number and the number of groups.
///
/// # Errors
/// When the database does not exist, another process is writing, or it cannot be written; groups that were consolidated
/// before stay so.
pub async fn consolidate(
    location: &Location,
    policy: Policy,
    min_fragments: usize,
    threads: usize,
    memory: usize,
    spill: Option<&Path>,
    on_group: impl FnMut(usize, usize),
) -> Result<Consolidated> {
    check_spill(spill)?;
    let database = Database::open(location).await?;
    let writer = Writer::take_over(&database, now_ms()).await?;
    let resources = resources(location, threads, memory, spill)?;
    consolidate_with(&engine(writer, &resources)?, policy, min_fragments, &resources, on_group).await
}

/// Creates an engine for `writer`.
pub(crate) fn engine(writer: Writer, resources: &Resources) -> Result<Engine> {
    Engine::new(writer, resources).map_err(|source| Error::Window { granules: 0, source })
}

/// [`consolidate`] with the engine of a run.
pub(crate) async fn consolidate_with(
    engine: &Engine,
    policy: Policy,
    min_fragments: usize,
    resources: &Resources,
    mut on_group: impl FnMut(usize, usize),
) -> Result<Consolidated> {
    let (groups, before) = find_groups(engine, policy, min_fragments, resources).await?;
    let of = groups.len();
    for (index, group) in groups.into_iter().enumerate() {
        let fragments = group.len();
        compact(engine, &group, resources).await?;
        tracing::info!(group = index + 1, of, fragments, "consolidated");
        on_group(index + 1, of);
    }
    merge_small_files(engine, of > 0).await?;
    Ok(Consolidated { groups: of, before, after: engine.writer().await?.live_segments().count() })
}

/// Merges small files of the ledger if there are many, and then, or if `has_rewritten` fragments, the footers of fragments.
pub(crate) async fn merge_small_files(engine: &Engine, has_rewritten: bool) -> Result<()> {
    let mut writer = engine.writer().await?;
    if writer.compact_ledger(now_ms()).await?.is_some() || has_rewritten {
        writer.consolidate_metadata().await?;
    }
    Ok(())
}

/// Returns the groups to write again, and the number of fragments.
async fn find_groups(
    engine: &Engine,
    policy: Policy,
    min_fragments: usize,
    resources: &Resources,
) -> Result<(Vec<Vec<Arc<FragmentRecord>>>, usize)> {
    let writer = engine.writer().await?;
    let with_dead = writer.fragments_with_dead_rows();
    let snapshot = writer.database().snapshot().await?;
    drop(writer);
    let fragments: Vec<Arc<FragmentRecord>> = snapshot.fragments().cloned().collect();
    let before = fragments.len();
    let fragment_rows = resources.fragment_bytes() as u64 / row_bytes(&snapshot).max(1);
    let limits = Limits::new(fragment_rows, min_fragments);
    Ok((groups(fragments, policy, limits, |fragment| with_dead.contains(&fragment.id)), before))
}

/// Writes one group again, in one commit.
async fn compact(engine: &Engine, group: &[Arc<FragmentRecord>], resources: &Resources) -> Result<()> {
    let failed = |source| Error::Compaction { fragments: group.len(), source };
    let mut writer = engine.writer().await?;
    let database = writer.database().clone();
    let window = writer.begin_window(0, now_ms())?;
    drop(writer);
    let snapshot = database.snapshot().await?;
    let target = WriteTarget {
        location: database.location().clone(),
        window,
        task: (0, 1),
        fragment_bytes: resources.fragment_bytes(),
        // One writer, so that the fragments do not overlap and are not consolidated again.
        writers: 1,
    };
    let plan = compact_plan(engine, &snapshot, group, resources.readers(), target).await;
    let plan = plan.map_err(|error| failed(error.into()))?;
    engine.run(&plan, |_: PlanProgress| {}).await.map_err(failed)?;
    Ok(())
}
