//! Consolidation and vacuum: fragments that share space are written again together, and what nobody may see any more goes.

use isdb_pipeline::{
    Engine, FragmentBounds, PlanProgress, Resources, WriteTarget, compact_plan, fragment_bounds, row_bytes,
};
use isdb_schema::config::Policy;
use isdb_store::{Database, Id, Location, Vacuumed, Writer};

use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::grouping::{Limits, groups};
use crate::resources::resources;

/// What a consolidation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consolidated {
    /// Groups that were written again.
    pub groups: usize,
    /// Fragments of segments before.
    pub before: usize,
    /// Fragments of segments after.
    pub after: usize,
}

/// Writes again what `policy` finds worth it, group by group, each in a commit of its own. Groups of fewer than `least` fragments
/// are left, but for those with rows that nobody may see any more. It uses `threads` cores and `memory` bytes. `told` hears of each group done, and of how many.
///
/// # Errors
/// When there is no database, another writer holds it, or it cannot be written; groups done before stay done.
pub async fn consolidate(
    location: &Location,
    policy: Policy,
    least: usize,
    threads: usize,
    memory: usize,
    told: impl FnMut(usize, usize),
) -> Result<Consolidated> {
    let database = Database::open(location).await?;
    let writer = Writer::take_over(&database, now_ms()).await?;
    let resources = resources(location, threads, memory)?;
    consolidate_with(&engine(writer, &resources)?, policy, least, &resources, told).await
}

/// An engine for `writer`.
pub(crate) fn engine(writer: Writer, resources: &Resources) -> Result<Engine> {
    Engine::new(writer, resources).map_err(|source| Error::Window { granules: 0, source })
}

/// The same with the engine of an ingest.
pub(crate) async fn consolidate_with(
    engine: &Engine,
    policy: Policy,
    least: usize,
    resources: &Resources,
    mut told: impl FnMut(usize, usize),
) -> Result<Consolidated> {
    let (found, before) = worth_it(engine, policy, least, resources).await?;
    let of = found.len();
    for (index, group) in found.into_iter().enumerate() {
        let fragments = group.len();
        compact(engine, &group, resources).await?;
        tracing::info!(group = index + 1, of, fragments, "consolidated");
        told(index + 1, of);
    }
    let mut writer = engine.writer().await;
    if writer.compact_ledger(now_ms()).await?.is_some() || of > 0 {
        writer.consolidate_metadata().await?;
    }
    Ok(Consolidated { groups: of, before, after: writer.live_segments().count() })
}

/// The groups to write again, and how many fragments there are.
async fn worth_it(
    engine: &Engine,
    policy: Policy,
    least: usize,
    resources: &Resources,
) -> Result<(Vec<Vec<FragmentBounds>>, usize)> {
    let writer = engine.writer().await;
    let live: Vec<_> = writer.live_segments().cloned().collect();
    let with_dead: Vec<Id> = writer.fragments_with_dead_rows().into_iter().collect();
    let snapshot = writer.database().snapshot().await?;
    drop(writer);
    let before = live.len();
    let fragment_rows = resources.fragment_bytes() as u64 / row_bytes(&snapshot).max(1);
    let look = move || fragment_bounds(&snapshot, &live);
    let found = tokio::task::spawn_blocking(look).await.map_err(|source| Error::Stopped { source })?;
    let found = found.map_err(Error::Pipeline)?;
    Ok((
        groups(found, policy, Limits::of(fragment_rows, least), |extent| with_dead.contains(&extent.fragment.id)),
        before,
    ))
}

/// Writes one group again.
async fn compact(engine: &Engine, group: &[FragmentBounds], resources: &Resources) -> Result<()> {
    let failed = |source| Error::Compaction { fragments: group.len(), source };
    let mut writer = engine.writer().await;
    let database = writer.database().clone();
    let window = writer.begin_window(0, now_ms())?;
    drop(writer);
    let snapshot = database.snapshot().await?;
    let target = WriteTarget {
        array: database.location().segments(),
        timestamp: window.timestamp,
        first_fragment: window.fragment_id(0).0,
        fragment_bytes: resources.fragment_bytes(),
        // One, so that the fragments lie side by side and are not found worth it again.
        writers: 1,
    };
    let plan = compact_plan(engine, &snapshot, group, resources.readers(), target, window).await;
    let plan = plan.map_err(|error| failed(error.into()))?;
    engine.run(&plan, |_: PlanProgress| {}).await.map_err(failed)?;
    Ok(())
}

/// Removes from disk what nobody has been able to see for `older_than_ms`.
///
/// # Errors
/// When there is no database, another writer holds it, or a file cannot be removed.
pub async fn vacuum(location: &Location, older_than_ms: u64) -> Result<Vacuumed> {
    let database = Database::open(location).await?;
    let mut writer = Writer::take_over(&database, now_ms()).await?;
    Ok(writer.vacuum(now_ms(), older_than_ms).await?)
}
