//! The target of a write.

use isdb_store::{Id, Location, Window};

/// The database whose array a window is written to, and the division of the window into fragments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteTarget {
    /// The location of the database.
    pub location: Location,
    /// The window, which gives every fragment its timestamp and its id.
    pub window: Window,
    /// The number of this process among those that write the window, from 0, and their number.
    pub task: (u32, u32),
    /// Maximum Arrow memory of a fragment's rows, give or take one batch.
    pub fragment_bytes: usize,
    /// The number of concurrent writers, each with its own fragments.
    pub writers: usize,
}

impl WriteTarget {
    /// Returns the id of fragment `fragment` of writer `writer` of `writers`, all from 0. No two fragments of a window have the
    /// same id, in this process or another.
    pub(crate) fn fragment_id(&self, fragment: usize, writer: usize, writers: usize) -> Id {
        let (task, tasks) = self.task;
        let index = (fragment * writers + writer) as u64 * u64::from(tasks) + u64::from(task);
        self.window.fragment_id(u32::try_from(index).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn fragments_of_all_writers_and_processes_have_different_ids_without_gaps() {
        let window = Window::for_dry_run(5);
        let mut ids = BTreeSet::new();
        for task in 0..3 {
            let location = Location::parse("db").unwrap();
            let target = WriteTarget { location, window, task: (task, 3), fragment_bytes: 1, writers: 2 };
            for (fragment, writer) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                assert!(ids.insert(target.fragment_id(fragment, writer, 2)));
            }
        }
        assert_eq!(ids, (0..12).map(|index| window.fragment_id(index)).collect());
    }
}
