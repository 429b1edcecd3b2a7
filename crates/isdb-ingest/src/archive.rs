//! Granules of NASA's archive: held against the ledger by their names, fetched window by window, the next one while the current
//! one is ingested, and never more than one ahead.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;
use std::sync::Arc;

use isdb_cmr::{
    DownloadOptions, DownloadRequest, Earthdata, GranuleDescription, MAX_FILE_BYTES, UnusableDescription, Url,
    delete_downloaded, download_path, without_secrets,
};
use isdb_pipeline::GranuleIdentity;
use object_store::ObjectStore;
use tokio::sync::mpsc::unbounded_channel;

use crate::direct::direct_store;
use crate::error::Result;
use crate::identify::{Candidate, size_of, sum};
use crate::progress::Progress;
use crate::run::Run;
use crate::select::size;
use crate::window::windows;

mod fetch;
mod leftovers;
mod room;
mod telling;

pub use leftovers::is_kept;
pub(crate) use leftovers::{clean_up, leftovers};

use fetch::{Fetched, Fetching};
use leftovers::{mark_kept, set_aside_unreadable};
use room::make_room;
use telling::Telling;

/// Granules of NASA's archive, and how they come here.
#[derive(Clone, Debug)]
pub struct Archive {
    /// The granules, as a search found them or a work list names them.
    pub granules: Vec<GranuleDescription>,
    /// Descriptions that no granule can be made of.
    pub unusable: Vec<UnusableDescription>,
    /// Whether each of them was named, so that it comes back if it was removed on purpose.
    pub is_named: bool,
    /// Who we are to the archive.
    pub earthdata: Arc<Earthdata>,
    /// Where files are fetched to, and how many at a time.
    pub options: DownloadOptions,
    /// Which of them stay when they are in the database.
    pub keep: Keep,
    /// Read granules where they lie in S3 instead of fetching them.
    pub direct: bool,
    /// Another S3 than the cloud's own, as `http://host:port`.
    pub s3: Option<String>,
}

/// Which fetched files stay when their window is in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// All of them.
    All,
    /// Those that were there before the run.
    Earlier,
    /// None: the folder is there for this purpose only.
    Nothing,
}

/// The granules of `archive` by what their names say; the ledger needs no more to tell which are done. One that cannot be
/// fetched has failed already.
pub(crate) fn described(archive: &Archive) -> Vec<Candidate> {
    archive.granules.iter().map(|granule| describe(granule, archive)).collect()
}

fn describe(granule: &GranuleDescription, archive: &Archive) -> Candidate {
    let name = &granule.name;
    let identity = GranuleIdentity {
        id: name.id(),
        start: Some(name.start),
        rgt: Some(name.rgt),
        cycle: Some(name.cycle),
        region: Some(name.region),
        release: Some(name.release),
        revision: Some(name.revision),
        subset: name.is_subset(),
        ..GranuleIdentity::default()
    };
    let file = PathBuf::from(granule.file_name());
    let (origin, described) = match (archive.direct, &granule.s3) {
        _ if granule.bytes.is_some_and(|bytes| bytes > MAX_FILE_BYTES) => {
            let bytes = granule.bytes.unwrap_or(0);
            let error = format!("{name}: expected a size of at most {MAX_FILE_BYTES} bytes, found {bytes}");
            (granule.https.as_ref(), Candidate::new(file, Err(error)))
        }
        (true, Some(s3)) => (Some(s3), Candidate::new(s3.into(), Ok(identity))),
        (true, None) => {
            (granule.https.as_ref(), Candidate::new(file, Err("CMR names no place of it in S3".to_owned())))
        }
        (false, _) => match DownloadRequest::for_granule(granule) {
            Ok(wanted) => {
                let described = Candidate::new(file, Ok(identity));
                (granule.https.as_ref(), Candidate { wanted: Some(wanted), ..described })
            }
            Err(error) => (granule.https.as_ref(), Candidate::new(file, Err(error.to_string()))),
        },
    };
    Candidate {
        size_bytes: granule.bytes.filter(|bytes| *bytes <= MAX_FILE_BYTES).unwrap_or(0),
        is_named: archive.is_named,
        is_described: described.identity.is_ok(),
        origin: Some(place(origin.unwrap_or(&granule.concept_id), &granule.file_name())),
        stage: "search",
        ..described
    }
}

/// Where a granule's file is, as the ledger keeps it: without passwords and presigned links. The file's name is added where only
/// the query has it.
fn place(origin: &str, file_name: &str) -> String {
    let place = without_secrets(origin);
    match origin.contains('?') && !place.ends_with(file_name) {
        true => format!("{place}#{file_name}"),
        false => place,
    }
}

/// The buckets that the granules of `archive` lie in, as `s3://bucket/`, to be read in place. The host that gives out a granule
/// gives the credentials of its bucket, too.
///
/// # Errors
/// When no client can be made for one.
pub(crate) fn buckets(archive: &Archive) -> Result<BTreeMap<String, Arc<dyn ObjectStore>>> {
    let mut buckets = BTreeMap::new();
    for granule in &archive.granules {
        let (Some(s3), Some(https)) = (&granule.s3, &granule.https) else { continue };
        let bucket = s3.strip_prefix("s3://").and_then(|rest| rest.split('/').next());
        let endpoint = Url::parse(https).and_then(|https| https.join("/s3credentials"));
        let (Some(bucket), Ok(endpoint)) = (bucket, endpoint) else { continue };
        if let Entry::Vacant(vacant) = buckets.entry(format!("s3://{bucket}/")) {
            vacant.insert(direct_store(Arc::clone(&archive.earthdata), endpoint, bucket, archive.s3.clone())?);
        }
    }
    Ok(buckets)
}

/// Fetches and ingests `candidates` in windows, in the order of their time. What cannot be fetched is recorded in the commit of
/// its window.
///
/// # Errors
/// Whatever ends a window, and a login that is refused; windows that were committed before stay.
pub(crate) async fn bring(
    run: &mut Run<'_>,
    archive: &Archive,
    mut candidates: Vec<Candidate>,
    progress: &mut impl FnMut(Progress),
) -> Result<()> {
    let limits = run.request().window;
    let (events, told) = unbounded_channel();
    let telling = Telling::new(progress);
    let mut told = telling.listen(told);
    let mut is_first = true;
    while !candidates.is_empty() {
        let selected = run.select(candidates).await?;
        candidates = selected.later;
        let windows = windows(selected.now, limits);
        if std::mem::take(&mut is_first) {
            telling.tell(make_room(archive, &windows)?);
            mark_kept(archive)?;
        }
        let granules = windows.iter().map(Vec::len).sum::<usize>() + candidates.len();
        run.ahead = (granules, sum(windows.iter().map(|window| size(window)).chain([size_of(&candidates)])));
        let mut announced = windows.iter().map(|window| (window.len(), size(window))).collect::<Vec<_>>().into_iter();
        let mut windows = windows.into_iter();
        let mut ahead = windows.next().map(|window| Fetching::begin(archive, window, &events));
        while let Some(mut fetching) = ahead {
            let Fetched { candidates, disposable } = told.beside(fetching.end()).await?;
            ahead = windows.next().map(|window| Fetching::begin(archive, window, &events));
            // What has come may be larger or smaller than its description says, or nothing.
            let ((granules, bytes), window) = (run.ahead, announced.next().unwrap_or_default());
            run.ahead = (granules.saturating_sub(window.0), bytes.saturating_sub(window.1));
            let kept: Vec<PathBuf> = candidates.iter().map(|candidate| candidate.path.clone()).collect();
            let before = run.report().granules.len();
            told.beside(run.ingest(candidates, &mut |event| telling.tell(event))).await?;
            disposable.iter().for_each(|path| {
                let _ = delete_downloaded(path);
            });
            set_aside_unreadable(run.report(), before, &kept);
        }
    }
    if archive.keep == Keep::Nothing {
        for name in archive.granules.iter().map(GranuleDescription::file_name) {
            let _ = download_path(&archive.options.folder, &name).is_ok_and(|path| delete_downloaded(&path));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
