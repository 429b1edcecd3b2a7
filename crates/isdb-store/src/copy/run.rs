//! The steps of a copy.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::{StreamExt, TryStreamExt, stream};
use tiledb::{DescribingFiles, StoredSchemas};

use super::destination::Destination;
use super::log::copy_log;
use super::marker::Marker;
use super::plan::Plan;
use super::transfer::{Transfer, Transferred, files, sizes};
use crate::blocking::blocking;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::fault;
use crate::files::array_files::{COMMIT_FILES, FOOTER, FRAGMENTS, METADATA, SCHEMAS, unrecorded_schemas};
use crate::files::fragment_list::{commit_file, finished_fragments, schemas};
use crate::files::location::{Location, SEGMENTS};
use crate::files::objects::is_not_found;
use crate::fragment::{FileChecksum, FragmentRecord};
use crate::ledger::files::{LEDGER, ledger_path};
use crate::log::commit_log::COMMITS;
use crate::log::state::LogState;

/// Fragments that are copied at a time. Each has some hundred files.
const CONCURRENT_FRAGMENTS: usize = 2;
/// Files of the ledger that are copied at a time.
const CONCURRENT_LEDGER: usize = 8;
/// The files of the TileDB group that is the database, for other programs.
const GROUP_FOLDERS: [&str; 2] = ["__group", "__meta"];
const GROUP_FILE: &str = "__tiledb_group.tdb";
/// The regions that the ledger names.
const AREAS: &str = "areas";

/// What a copy has copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// The newest commit of the copy.
    pub commit: u64,
    /// Fragments of the copy.
    pub fragments: u64,
    /// Files that were copied, without those of the commit log.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that an earlier, interrupted copy had copied.
    pub present: u64,
}

/// How far a copy is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyProgress {
    /// Fragments that the copy has.
    pub fragments: u64,
    /// All fragments to be copied.
    pub of_fragments: u64,
    /// Bytes that were copied.
    pub bytes: u64,
}

/// Copies the database `from` to `to`, which must be empty or have an unfinished copy of the same database: then only what is missing is
/// copied. The copy has the newest state, the states of tags and the commit log; earlier states have expired in it. Nothing opens the
/// copy before it is whole. `from` is only read, and may be changed meanwhile. `now_ms` is the time in milliseconds since 1970; `progress` is
/// called at the beginning and after each fragment.
///
/// # Errors
/// [`Error::NotEmpty`], [`Error::CopyWithin`]; [`Error::UnfinishedCopy`] for an unfinished copy of another database at `to`;
/// [`Error::Expired`] when a vacuum of `from` removed files that were still to be copied; [`Error::Damaged`] when files of `from` are missing or
/// damaged. Except for the first two, calling it again continues the copy.
pub async fn copy(
    from: &Location,
    to: &Location,
    now_ms: u64,
    mut progress: impl FnMut(CopyProgress),
) -> Result<Copied> {
    if from.contains(to) {
        return Err(Error::CopyWithin { uri: from.uri(), copy: to.uri() });
    }
    let (from, to) = (from.uncached(), to.uncached());
    let original = Database::open(&from).await?;
    let state = original.newest().await?;
    let first = original.log().read(1).await.ok().map(|commit| commit.uuid);
    let numbers = original.log().objects().numbers(COMMITS, 0).await?;
    let first_number = numbers.first().copied().unwrap_or(state.number);
    let marker = Marker { original: from.uri(), first_commit: first, first_number, commit: state.number };
    let plan = Plan::new(&state, now_ms);
    let destination = match Destination::begin(&to, marker, &plan).await? {
        Destination { complete: Some(commit), .. } => {
            return Ok(Copied { commit, fragments: plan.fragments.len() as u64, ..Copied::default() });
        }
        destination => destination,
    };
    let (of_from, of_to) = (from.clone(), to.clone());
    let transfer = blocking(move || Transfer::new(&of_from, &of_to)).await?;
    let data = Data { transfer, is_continued: destination.is_continued };
    let copied = match data.copy(&state, &plan, &mut progress).await {
        Ok(copied) => copied,
        Err(error) => return Err(describe(&original, &state, error).await),
    };
    fault::reached("copy-before-commits");
    destination.sync().await?;
    let commit = copy_log(&original, &destination, &state, plan.commit).await?;
    destination.end().await?;
    let Transferred { files, bytes, present } = copied;
    Ok(Copied { commit, fragments: plan.fragments.len() as u64, files, bytes, present })
}

/// The error of a read of the original: that a vacuum has removed what the copy needed, if one has.
async fn describe(original: &Database, state: &LogState, error: Error) -> Error {
    let is_lost = match &error {
        Error::Damaged { .. } => true,
        Error::Io { source, .. } => source.kind() == std::io::ErrorKind::NotFound,
        error => is_not_found(error),
    };
    let Some(newest) = original.newest().await.ok().filter(|_| is_lost) else { return error };
    let horizon = newest.horizon.max(newest.deleting);
    match horizon > state.number {
        true => Error::Expired { uri: original.location().uri(), commit: state.number, horizon },
        false => error,
    }
}

/// The copy of everything except the log.
struct Data {
    transfer: Transfer,
    /// Whether the copy may have some of it.
    is_continued: bool,
}

impl Data {
    async fn copy(
        &self,
        state: &LogState,
        plan: &Plan,
        progress: &mut impl FnMut(CopyProgress),
    ) -> Result<Transferred> {
        let mut done = CopyProgress { of_fragments: plan.fragments.len() as u64, ..CopyProgress::default() };
        progress(done);
        let (mut copied, schemas) = self.copy_described(state).await?;
        copied.add(self.copy_ledger(&plan.ledger).await?);
        let from = self.transfer.from().clone();
        let listed: BTreeSet<String> = blocking(move || finished_fragments(&from)).await?.into_iter().collect();
        let present = self.present(&format!("{SEGMENTS}/{COMMIT_FILES}")).await?;
        let fragments = plan.fragments.iter().map(|(name, record)| {
            let is_listed = listed.contains(name);
            self.copy_fragment(&schemas, name, record.as_deref(), is_listed, &present)
        });
        let mut fragments = stream::iter(fragments).buffer_unordered(CONCURRENT_FRAGMENTS);
        while let Some(fragment) = fragments.try_next().await? {
            copied.add(fragment);
            done.fragments += 1;
            done.bytes = copied.bytes;
            progress(done);
        }
        Ok(copied)
    }

    /// What the copy has in a folder, if it may have anything.
    async fn present(&self, path: &str) -> Result<HashMap<String, u64>> {
        match self.is_continued {
            true => sizes(self.transfer.to(), path).await,
            false => Ok(HashMap::new()),
        }
    }

    /// Copies what describes the database and its array: the group, schemas and metadata, and areas. Returns the schemas.
    async fn copy_described(&self, state: &LogState) -> Result<(Transferred, StoredSchemas)> {
        let from = self.transfer.from();
        let (location, recorded) = (from.clone(), state.schema_timestamps.clone());
        // A replaced writer may have left a schema that no commit records.
        let late = blocking(move || Ok(unrecorded_schemas(schemas(&location)?, &recorded))).await?;
        let late: BTreeSet<_> = late.iter().filter_map(|file| file.file_name()?.to_str()).collect();
        let (mut copied, mut contents) = (Transferred::default(), BTreeMap::new());
        for folder in [SCHEMAS, METADATA] {
            let path = format!("{SEGMENTS}/{folder}");
            let mut described = files(from, &path).await?;
            described.retain(|(path, _)| !late.contains(path.rsplit('/').next().unwrap_or_default()));
            for (path, _) in &described {
                let path_in_array = path.strip_prefix(SEGMENTS).unwrap_or(path).trim_start_matches('/');
                contents.insert(path_in_array.to_owned(), self.transfer.read(path).await?.into());
            }
            copied.add(self.transfer.copy(described, &self.present(&path).await?).await?);
        }
        for folder in GROUP_FOLDERS.into_iter().chain([AREAS]) {
            copied.add(self.transfer.copy(files(from, folder).await?, &self.present(folder).await?).await?);
        }
        let location = from.clone();
        let group_file = move || {
            let exists = location.names("")?.iter().any(|name| name == GROUP_FILE);
            Ok(if exists { vec![(GROUP_FILE.to_owned(), location.size(GROUP_FILE)?)] } else { Vec::new() })
        };
        copied.add(self.transfer.copy(blocking(group_file).await?, &HashMap::new()).await?);
        Ok((copied, DescribingFiles::new(&from.segments(), contents).schemas()?))
    }

    /// Copies files of the ledger, after a check of those that are recorded.
    async fn copy_ledger(&self, ledger: &[(String, Option<FileChecksum>)]) -> Result<Transferred> {
        let present = self.present(LEDGER).await?;
        let copies = ledger.iter().map(|(name, checksum)| {
            let present = &present;
            async move {
                let path = ledger_path(name);
                if checksum.is_some_and(|checksum| present.get(&path) == Some(&checksum.bytes)) {
                    return Ok(Transferred { present: 1, ..Transferred::default() });
                }
                fault::reached("copy-each-file");
                let content = self.transfer.read(&path).await?;
                self.check(&path, checksum.and_then(|checksum| checksum.difference(&content)))?;
                let bytes = content.len() as u64;
                self.transfer.write(&path, content).await?;
                Ok::<_, Error>(Transferred { files: 1, bytes, present: 0 })
            }
        });
        let mut copies = stream::iter(copies).buffer_unordered(CONCURRENT_LEDGER);
        let mut copied = Transferred::default();
        while let Some(file) = copies.try_next().await? {
            copied.add(file);
        }
        Ok(copied)
    }

    /// Copies the files of a fragment, the metadata and then the commit file last.
    async fn copy_fragment(
        &self,
        schemas: &StoredSchemas,
        name: &str,
        record: Option<&FragmentRecord>,
        is_listed: bool,
        commit_files: &HashMap<String, u64>,
    ) -> Result<Transferred> {
        let folder = format!("{SEGMENTS}/{FRAGMENTS}/{name}");
        let footer = format!("{folder}/{FOOTER}");
        let metadata = self.transfer.read(&footer).await?;
        self.check(&footer, record.and_then(|record| record.footer.difference(&metadata)))?;
        let expected = schemas.check_footer(name, &metadata)?;
        let mut found = files(self.transfer.from(), &folder).await?;
        found.retain(|(path, _)| *path != footer);
        let bytes: u64 = found.iter().map(|(_, bytes)| bytes).sum();
        let is_lost = bytes < expected;
        self.check(&folder, is_lost.then(|| format!("expected files of {expected} bytes, found {bytes}")))?;
        let present = self.present(&folder).await?;
        let mut copied = self.transfer.copy(found, &present).await?;
        if present.get(&footer) == Some(&(metadata.len() as u64)) {
            copied.present += 1;
        } else {
            let bytes = metadata.len() as u64;
            self.transfer.write(&footer, metadata).await?;
            copied.add(Transferred { files: 1, bytes, present: 0 });
        }
        if is_listed {
            copied.add(self.transfer.copy(vec![(commit_file(name), 0)], commit_files).await?);
        }
        Ok(copied)
    }

    /// Fails with the problem of a file or folder of the original, if there is one.
    fn check(&self, path: &str, problem: Option<String>) -> Result<()> {
        match problem {
            Some(problem) => Err(Error::Damaged { object: self.transfer.from().child(path), problem }),
            None => Ok(()),
        }
    }
}
