//! Merges runs in memory and on disk into one sequence by chunk.

use std::iter::Peekable;

use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;

use super::run::Run;
use super::spilled::SpilledRuns;

/// Runs of one source, by chunk.
type SortedRuns = Peekable<Box<dyn Iterator<Item = Result<Run>> + Send>>;

/// An iterator over the runs of several sources, by chunk.
pub(super) struct MergedRuns {
    sources: Vec<SortedRuns>,
}

impl MergedRuns {
    /// Merges `in_memory`, whose memory in `reservation` is released run by run, and `spilled`.
    pub(super) fn new(
        mut in_memory: Vec<Run>,
        reservation: MemoryReservation,
        spilled: Vec<SpilledRuns>,
        chunk: usize,
    ) -> Result<MergedRuns> {
        in_memory.sort_by_key(|run| run.chunk);
        let in_memory = in_memory.into_iter().map(move |run| {
            reservation.shrink(run.bytes.min(reservation.size()));
            Ok(run)
        });
        let mut sources: Vec<SortedRuns> = vec![boxed(in_memory)];
        for file in spilled {
            sources.push(boxed(file.read(chunk)?));
        }
        Ok(MergedRuns { sources })
    }
}

fn boxed(runs: impl Iterator<Item = Result<Run>> + Send + 'static) -> SortedRuns {
    let runs: Box<dyn Iterator<Item = Result<Run>> + Send> = Box::new(runs);
    runs.peekable()
}

impl Iterator for MergedRuns {
    type Item = Result<Run>;

    fn next(&mut self) -> Option<Result<Run>> {
        let heads = self.sources.iter_mut().enumerate().filter_map(|(index, source)| match source.peek() {
            // An error is returned at once, because None is before every chunk.
            Some(Err(_)) => Some((None, index)),
            Some(Ok(run)) => Some((Some(run.chunk), index)),
            None => None,
        });
        let (_, first) = heads.min()?;
        self.sources.get_mut(first)?.next()
    }
}
