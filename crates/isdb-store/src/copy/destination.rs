//! The place of a copy, from the first look at it until the copy is whole.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::marker::{MARKER, Marker};
use super::plan::Plan;
use super::transfer::STAGED;
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::fault;
use crate::files::array_files::{COMMIT_FILES, FRAGMENTS, list_names};
use crate::files::durable::{io_error, sync_folder};
use crate::files::fragment_list::{commit_file, fragments};
use crate::files::location::{LOCK, Location, SEGMENTS, STAGING};
use crate::files::lock::Lock;
use crate::files::objects::numbered;
use crate::files::remote::probe::check_conditional_writes;
use crate::ledger::files::{LEDGER, ledger_path};
use crate::log::commit_log::{COMMITS, CommitLog};

/// What is in a place before a copy is begun there, apart from the marker.
const EXPECTED: [&str; 2] = [LOCK, STAGING];

/// The place of a copy, which has the lock of the database that it becomes.
pub(super) struct Destination {
    pub(super) log: CommitLog,
    /// Whether an earlier copy was interrupted.
    pub(super) is_continued: bool,
    /// The newest commit, if the copy was whole already.
    pub(super) complete: Option<u64>,
    location: Location,
    lock: Lock,
}

impl Destination {
    /// Checks that the place is empty or has an unfinished copy of the same database, locks it, and marks it. Of an earlier copy, it removes
    /// what is not in `plan`.
    pub(super) async fn begin(to: &Location, marker: Marker, plan: &Plan) -> Result<Destination> {
        if find(to).await?.is_none() {
            let root = to.clone();
            blocking(move || root.folder().map_or(Ok(()), make_root)).await?;
        }
        if let Some(bucket) = to.bucket() {
            check_conditional_writes(bucket).await?;
        }
        let lock = Lock::acquire(to).await?;
        // Only now: with the lock, no other copy or creation is under way.
        let earlier = find(to).await?;
        if let Some(earlier) = earlier.clone().filter(|earlier| !earlier.is_of_same(&marker)) {
            return Err(earlier.unfinished(to));
        }
        let log = CommitLog::open(to)?;
        let mut destination =
            Destination { log, is_continued: earlier.is_some(), complete: None, location: to.clone(), lock };
        if let Some(earlier) = earlier {
            let place = to.clone();
            blocking(move || place.folder().map_or(Ok(()), remove_staged)).await?;
            // With its first commit the copy is a database, which others may have changed: nothing of it is removed any more.
            if destination.log.objects().numbers(COMMITS, 0).await?.contains(&earlier.first_number) {
                let state = destination.log.newest().await?;
                destination.end().await?;
                destination.complete = state.map(|state| state.number);
                return Ok(destination);
            }
            destination.log.forget();
            destination.remove_others(&earlier, &marker, plan).await?;
        }
        let objects = destination.log.objects();
        objects.replace(&MARKER.into(), &format!("{STAGED}marker"), marker.to_bytes()).await?;
        objects.sync_root()?;
        fault::reached("copy-begun");
        Ok(destination)
    }

    pub(super) fn location(&self) -> &Location {
        &self.location
    }

    /// Checks that this process still has the lock.
    pub(super) async fn check(&self) -> Result<()> {
        self.lock.check().await
    }

    /// Makes the entries of all folders durable; files are durable already.
    pub(super) async fn sync(&self) -> Result<()> {
        let location = self.location.clone();
        blocking(move || {
            let Some(root) = location.folder() else { return Ok(()) };
            for folder in [COMMIT_FILES, FRAGMENTS] {
                let folder = root.join(SEGMENTS).join(folder);
                fs::create_dir_all(&folder).map_err(|source| io_error(&folder, source))?;
            }
            sync_folders(root)?;
            root.parent().map_or(Ok(()), sync_folder)
        })
        .await
    }

    /// Removes the marker of a copy that is whole.
    pub(super) async fn end(&self) -> Result<()> {
        fault::reached("copy-before-end");
        self.log.objects().remove(&MARKER.into()).await?;
        self.log.objects().sync_root()
    }

    /// Removes what an earlier copy has and `plan` does not: the original may have another state now.
    async fn remove_others(&self, earlier: &Marker, marker: &Marker, plan: &Plan) -> Result<()> {
        // The last one may be the one that the copy itself made.
        let kept = earlier.commit.min(marker.commit);
        for number in self.log.objects().numbers(COMMITS, kept).await? {
            self.log.objects().remove(&numbered(COMMITS, number)).await?;
        }
        let planned: BTreeSet<String> = plan.fragments.iter().map(|(name, _)| name.clone()).collect();
        let ledger: BTreeSet<String> = plan.ledger.iter().map(|(name, _)| name.clone()).collect();
        let location = self.location.clone();
        blocking(move || {
            for (name, files) in fragments(&location)?.into_iter().filter(|(name, _)| !planned.contains(name)) {
                if files.commit_file.is_some() {
                    location.remove(&commit_file(&name))?;
                }
                for (path, _) in location.files(&format!("{SEGMENTS}/{FRAGMENTS}/{name}"))? {
                    location.remove(&path)?;
                }
                if let Some(root) = location.folder() {
                    let _ = fs::remove_dir(root.join(SEGMENTS).join(FRAGMENTS).join(&name));
                }
            }
            let others = location.names(LEDGER)?.into_iter().filter(|name| !ledger.contains(name));
            others.into_iter().try_for_each(|name| location.remove(&ledger_path(&name)))
        })
        .await
    }
}

/// The marker of an unfinished copy.
///
/// # Errors
/// [`Error::NotEmpty`] for a place with something else.
async fn find(to: &Location) -> Result<Option<Marker>> {
    let place = to.clone();
    match blocking(move || is_empty(&place)).await? {
        true => Ok(None),
        false => match Marker::read(to).await? {
            Some(marker) => Ok(Some(marker)),
            None => Err(Error::NotEmpty { uri: to.uri() }),
        },
    }
}

/// Whether nothing is at the location but what a copy leaves that died before its marker. Blocks.
fn is_empty(to: &Location) -> Result<bool> {
    if to.folder().is_some_and(Path::is_file) {
        return Err(Error::NotEmpty { uri: to.uri() });
    }
    Ok(to.names("")?.iter().all(|name| EXPECTED.contains(&name.as_str())))
}

/// Creates the folder of a copy durably.
fn make_root(root: &Path) -> Result<()> {
    let missing: Vec<PathBuf> = root.ancestors().take_while(|folder| !folder.exists()).map(Path::to_owned).collect();
    fs::create_dir_all(root).map_err(|source| io_error(root, source))?;
    missing.iter().filter_map(|folder| folder.parent()).try_for_each(sync_folder)
}

/// Removes the unfinished files of earlier copies.
fn remove_staged(root: &Path) -> Result<()> {
    let staging = root.join(STAGING);
    for name in list_names(&staging)? {
        let path = staging.join(&name);
        if name.starts_with(STAGED) {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(|source| io_error(&path, source))?;
        }
    }
    Ok(())
}

/// Makes the entries of a folder and of those below it durable.
fn sync_folders(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(|source| io_error(folder, source))? {
        let entry = entry.map_err(|source| io_error(folder, source))?;
        if entry.file_type().map_err(|source| io_error(folder, source))?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    sync_folder(folder)
}
