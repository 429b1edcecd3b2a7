//! The identity of the granule in a file: read from the file itself, because files are renamed and copied.

use std::collections::HashSet;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use futures::StreamExt;
use isdb_pipeline::{identify, modified_at, stage};
use isdb_schema::printable::{Printable, error_chain};

use crate::find::candidate::Candidate;
use crate::find::stage::IDENTIFY;

/// Identifies the granules in `paths`, `threads` at a time, and returns them in the given order. `named` are the paths
/// of the request.
pub(crate) async fn identify_all(paths: Vec<PathBuf>, named: &[PathBuf], threads: usize) -> Vec<Candidate> {
    let named: HashSet<&Path> = named.iter().map(PathBuf::as_path).collect();
    let candidates = paths.into_iter().map(|path| {
        let is_named = named.contains(path.as_path());
        async move {
            let file = path.clone();
            let identified = tokio::task::spawn_blocking(move || identify_file(file)).await;
            let stopped = || format!("{}: reading it was stopped", Printable(&path.to_string_lossy()));
            let candidate = identified.unwrap_or_else(|_| Candidate::new(path.clone(), Err(stopped())));
            Candidate { is_named, ..candidate }
        }
    });
    futures::stream::iter(candidates).buffered(threads.max(1)).collect().await
}

/// Returns the file at `path` with the granule in it. Blocks.
pub(crate) fn identify_file(path: PathBuf) -> Candidate {
    let file = std::fs::metadata(&path).ok();
    let identity = identify(&path);
    let failed_stage = match &identity {
        Err(error) if error.is_transient() => stage::READ,
        _ => IDENTIFY,
    };
    Candidate {
        stage: failed_stage,
        size_bytes: file.as_ref().map_or(0, Metadata::len),
        modified_at: file.as_ref().and_then(modified_at),
        ..Candidate::new(path, identity.map_err(|error| error_chain(&error)))
    }
}
