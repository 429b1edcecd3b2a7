//! Which granule a file is: read from the file itself, since names change and copies get about.

use std::collections::HashSet;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::StreamExt;
use isdb_cmr::{DownloadRequest, SharedCause};
use isdb_pipeline::{FileContents, GranuleIdentity, identify, modified_at, stage};
use isdb_schema::granule_name::GranuleName;
use isdb_schema::printable::Printable;
use isdb_schema::printable::error_chain;

/// A file and the granule in it, or why it is none.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) path: PathBuf,
    pub(crate) size_bytes: u64,
    /// When the file was last changed, in nanoseconds since 1970.
    pub(crate) modified_at: Option<i64>,
    /// The checksum of its content, once it was read.
    pub(crate) checksum: Option<String>,
    /// Whether the file itself was named, and not a folder or pattern that it was found in.
    pub(crate) is_named: bool,
    /// Where NASA's archive has it, for a granule from there.
    pub(crate) origin: Option<String>,
    /// Whether only the archive's description was looked at, so that the name stands for what the file holds.
    pub(crate) is_described: bool,
    /// What the file holds, where that decides what becomes of it.
    pub(crate) holds: Option<Arc<FileContents>>,
    /// Whether nobody named it: it is read again for what its granule has lost with other files.
    pub(crate) is_only_again: bool,
    /// What is to be fetched; until then the path is a name.
    pub(crate) wanted: Option<DownloadRequest>,
    /// Where it failed if it has no identity, as the ledger's `stage` says it.
    pub(crate) stage: &'static str,
    /// Why not it alone could not be fetched.
    pub(crate) refusal: Option<SharedCause>,
    pub(crate) identity: Result<GranuleIdentity, String>,
}

impl Candidate {
    /// A file of which nothing but its identity is known yet.
    pub(crate) fn new(path: PathBuf, identity: Result<GranuleIdentity, String>) -> Candidate {
        Candidate {
            path,
            size_bytes: 0,
            modified_at: None,
            checksum: None,
            is_named: false,
            origin: None,
            is_described: false,
            holds: None,
            is_only_again: false,
            wanted: None,
            stage: "identify",
            refusal: None,
            identity,
        }
    }

    /// What the ledger calls it: the granule's id, or the file's own name where the file cannot be read.
    pub(crate) fn granule(&self) -> String {
        match &self.identity {
            Ok(identity) => identity.id.clone(),
            Err(_) => Printable(&self.path.file_stem().unwrap_or_default().to_string_lossy()).to_string(),
        }
    }

    /// When it was measured, in seconds since 1970: as the file tells, else as its name does.
    pub(crate) fn start(&self) -> Option<i64> {
        match &self.identity {
            Ok(identity) => identity.start,
            Err(_) => Some(GranuleName::find(self.path.file_name()?.to_str()?).ok()??.start),
        }
    }

    /// Where the ledger says that it was read from.
    pub(crate) fn source(&self) -> String {
        if let Some(origin) = &self.origin {
            return origin.clone();
        }
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        path.to_string_lossy().into_owned()
    }
}

/// Bytes of these files.
pub(crate) fn size_of<'c>(candidates: impl IntoIterator<Item = &'c Candidate>) -> u64 {
    sum(candidates.into_iter().map(|candidate| candidate.size_bytes))
}

/// The sum of `sizes`, or as much as a number holds: what lists say of sizes may be anything.
pub(crate) fn sum(sizes: impl IntoIterator<Item = u64>) -> u64 {
    sizes.into_iter().fold(0, u64::saturating_add)
}

/// Looks into every file, `threads` at a time, in the order given. `named` are the paths as the user typed them.
pub(crate) async fn identify_all(paths: Vec<PathBuf>, named: &[PathBuf], threads: usize) -> Vec<Candidate> {
    let named: HashSet<&Path> = named.iter().map(PathBuf::as_path).collect();
    let looked_at = paths.into_iter().map(|path| {
        let is_named = named.contains(path.as_path());
        async move {
            let place = path.clone();
            let looked = tokio::task::spawn_blocking(move || look(place)).await;
            let stopped = || format!("{}: reading it was stopped", Printable(&path.to_string_lossy()));
            let candidate = looked.unwrap_or_else(|_| Candidate::new(path.clone(), Err(stopped())));
            Candidate { is_named, ..candidate }
        }
    });
    futures::stream::iter(looked_at).buffered(threads.max(1)).collect().await
}

/// The file at `path` and the granule in it.
pub(crate) fn look(path: PathBuf) -> Candidate {
    let file = std::fs::metadata(&path).ok();
    let identity = identify(&path);
    let stage = match &identity {
        Err(error) if error.is_transient() => stage::READ,
        _ => "identify",
    };
    Candidate {
        stage,
        size_bytes: file.as_ref().map_or(0, Metadata::len),
        modified_at: file.as_ref().and_then(modified_at),
        ..Candidate::new(path, identity.map_err(|error| error_chain(&error)))
    }
}
