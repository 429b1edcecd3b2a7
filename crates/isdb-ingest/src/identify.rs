//! Which granule a file is: read from the file itself, since names change and copies get about.

use std::path::PathBuf;

use futures::StreamExt;
use isdb_datafusion::{GranuleIdentity, identify};

/// A file and the granule in it, or why it is none.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) path: PathBuf,
    pub(crate) size_bytes: u64,
    pub(crate) identity: Result<GranuleIdentity, String>,
}

impl Candidate {
    /// What the ledger calls it: the granule's id, or the file's own name where the file cannot be read.
    pub(crate) fn granule(&self) -> String {
        match &self.identity {
            Ok(identity) => identity.id.clone(),
            Err(_) => self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        }
    }
}

/// Looks into every file, `threads` at a time, in the order given.
pub(crate) async fn identify_all(paths: Vec<PathBuf>, threads: usize) -> Vec<Candidate> {
    let looked_at = paths.into_iter().map(|path| async move {
        let look = {
            let path = path.clone();
            move || (std::fs::metadata(&path).map_or(0, |file| file.len()), identify(&path))
        };
        match tokio::task::spawn_blocking(look).await {
            Ok((size_bytes, identity)) => Candidate { path, size_bytes, identity },
            Err(stopped) => Candidate { path, size_bytes: 0, identity: Err(stopped.to_string()) },
        }
    });
    futures::stream::iter(looked_at).buffered(threads.max(1)).collect().await
}
