//! Runs in memory and runs on disk, as one sequence by chunk.

use std::iter::Peekable;

use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;

use super::run::Run;
use super::spilled::Spilled;

/// Runs by chunk.
type Sorted = Peekable<Box<dyn Iterator<Item = Result<Run>> + Send>>;

/// The runs of several sources, by chunk.
pub(super) struct InOrder {
    sources: Vec<Sorted>,
}

impl InOrder {
    /// The runs of `held`, whose memory is reserved in `reservation` and given back with each of them, and of `spilled`.
    pub(super) fn new(
        mut held: Vec<Run>,
        reservation: MemoryReservation,
        spilled: Vec<Spilled>,
        chunk: usize,
    ) -> Result<InOrder> {
        held.sort_by_key(|run| run.chunk);
        let held = held.into_iter().map(move |run| {
            reservation.shrink(run.bytes.min(reservation.size()));
            Ok(run)
        });
        let mut sources: Vec<Sorted> = vec![boxed(held)];
        for file in spilled {
            sources.push(boxed(file.read(chunk)?));
        }
        Ok(InOrder { sources })
    }
}

fn boxed(runs: impl Iterator<Item = Result<Run>> + Send + 'static) -> Sorted {
    let runs: Box<dyn Iterator<Item = Result<Run>> + Send> = Box::new(runs);
    runs.peekable()
}

impl Iterator for InOrder {
    type Item = Result<Run>;

    fn next(&mut self) -> Option<Result<Run>> {
        let heads = self.sources.iter_mut().enumerate().filter_map(|(index, source)| match source.peek() {
            // What failed is told at once: nothing is before it.
            Some(Err(_)) => Some((None, index)),
            Some(Ok(run)) => Some((Some(run.chunk), index)),
            None => None,
        });
        let (_, least) = heads.min()?;
        self.sources.get_mut(least)?.next()
    }
}
