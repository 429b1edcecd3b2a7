//! Compaction of the ledger: many small files are written again as one, so that a read opens few.

use super::handle::Writer;
use crate::blocking::blocking;
use crate::error::Result;
use crate::ledger::contents::{read_contents, write_contents};
use crate::ledger::file::{LedgerFile, LedgerFileKind};
use crate::ledger::rows::merge_rows;
use crate::log::commit::{Commit, CommitKind};

/// More files than this with fewer rows than one of [`SIZES`] are written again as one. Every window adds one of each kind.
const MAX_FILES: usize = 32;
/// The numbers of rows below which files count as of one size. Each row is written about 20 times while a ledger grows to the
/// mission's 400,000 granules, in windows of 32.
const SIZES: [u64; 2] = [10_000, 1_000_000];

impl Writer {
    /// Writes small files of the ledger again as one if there are more than 32 of a kind. Returns None if there are not.
    ///
    /// # Errors
    /// As for [`commit`](Self::commit).
    pub async fn compact_ledger(&mut self, now_ms: u64) -> Result<Option<&Commit>> {
        let inputs: Vec<LedgerFile> = [LedgerFileKind::Granules, LedgerFileKind::Contents]
            .into_iter()
            .flat_map(|kind| small_files(self.state.ledger.live_of(kind)))
            .collect();
        if inputs.is_empty() {
            return Ok(None);
        }
        let window = self.begin_window(0, now_ms)?;
        let mut commit = self.window_commit(&window, CommitKind::Compact)?;
        commit.ledger.removed = inputs.iter().map(|file| file.name.clone()).collect();
        let (location, live) = (self.database.location().clone(), self.state.segments.live.clone());
        let merge = move || {
            let granules = merge_rows(&location, of_kind(&inputs, LedgerFileKind::Granules))?;
            let mut contents = read_contents(&location, &of_kind(&inputs, LedgerFileKind::Contents))?;
            contents.retain(|entry| live.get(&entry.fragment).is_some());
            Ok(granules.into_iter().chain(write_contents(&location, contents)?).collect())
        };
        commit.ledger.added = blocking(merge).await?;
        self.finish_compaction(&window, commit).await.map(Some)
    }
}

fn of_kind(files: &[LedgerFile], kind: LedgerFileKind) -> Vec<LedgerFile> {
    files.iter().filter(|file| file.kind == kind).cloned().collect()
}

/// The files to write again as one: all of the smallest size that has too many of them.
fn small_files<'f>(files: impl Iterator<Item = &'f LedgerFile>) -> Vec<LedgerFile> {
    let files: Vec<&LedgerFile> = files.collect();
    let below =
        |size: u64| files.iter().filter(|file| file.rows < size).map(|file| (*file).clone()).collect::<Vec<_>>();
    SIZES.into_iter().map(below).find(|small| small.len() > MAX_FILES).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fragment::FileChecksum;
    use crate::id::Id;

    fn files(sizes: &[(usize, u64)]) -> Vec<LedgerFile> {
        let file = |rows: u64| LedgerFile {
            name: String::new(),
            kind: LedgerFileKind::Granules,
            rows,
            ingest_ids: (Id(0), Id(0)),
            fragment_ids: None,
            checksum: FileChecksum { bytes: 0, crc32c: 0 },
        };
        sizes.iter().flat_map(|(count, rows)| std::iter::repeat_n(file(*rows), *count)).collect()
    }

    #[test]
    fn files_are_merged_with_those_of_their_size() {
        let merged = |sizes: &[(usize, u64)]| small_files(files(sizes).iter()).len();
        assert_eq!(merged(&[(32, 5)]), 0);
        assert_eq!(merged(&[(33, 5), (3, 9_000), (9, 10_000)]), 36);
        assert_eq!(merged(&[(2, 5), (31, 20_000), (4, 2_000_000)]), 33);
    }
}
