//! The ingest of granules that have to be downloaded: one window is ingested while the files of the next one are
//! downloaded.

use std::path::PathBuf;

use isdb_cmr::{GranuleDescription, delete_downloaded, download_path};
use tokio::sync::mpsc::unbounded_channel;

use crate::archive::download::{DownloadedWindow, WindowDownload};
use crate::archive::free_space::check_space;
use crate::archive::leftovers::{mark_kept, set_aside_unreadable};
use crate::archive::progress_relay::ProgressReporter;
use crate::archive::source::{Archive, Keep};
use crate::decide::attempt_plan::planned_bytes;
use crate::error::Result;
use crate::find::candidate::{Candidate, saturating_sum, total_bytes};
use crate::report::progress::Progress;
use crate::run::Run;
use crate::run::windows::windows;

/// Downloads and ingests `candidates` in windows, in the order of their time. A failed download is recorded in the
/// commit of its window.
///
/// # Errors
/// The error that ends a window, or a rejected login; windows that were committed before stay.
pub(crate) async fn download_and_ingest(
    run: &mut Run<'_>,
    archive: &Archive,
    mut candidates: Vec<Candidate>,
    progress: &mut impl FnMut(Progress),
) -> Result<()> {
    let limits = run.request().window;
    let (sender, receiver) = unbounded_channel();
    let reporter = ProgressReporter::new(progress);
    let mut relay = reporter.relay(receiver);
    let mut is_first = true;
    while !candidates.is_empty() {
        let round = run.decide(candidates).await?;
        candidates = round.later;
        let windows = windows(round.now, limits);
        if std::mem::take(&mut is_first) {
            reporter.report(check_space(archive, &windows)?);
            mark_kept(archive)?;
        }
        let granules = windows.iter().map(Vec::len).sum::<usize>() + candidates.len();
        let bytes = windows.iter().map(|window| planned_bytes(window)).chain([total_bytes(&candidates)]);
        run.upcoming = (granules, saturating_sum(bytes));
        let described: Vec<_> = windows.iter().map(|window| (window.len(), planned_bytes(window))).collect();
        let mut described = described.into_iter();
        let mut windows = windows.into_iter();
        let mut next = windows.next().map(|window| WindowDownload::start(archive, window, &sender));
        while let Some(mut download) = next {
            let DownloadedWindow { candidates, disposable } = relay.during(download.finish()).await?;
            next = windows.next().map(|window| WindowDownload::start(archive, window, &sender));
            // The described size is subtracted, because it was added before; the files may be larger or smaller than
            // described.
            let ((granules, bytes), window) = (run.upcoming, described.next().unwrap_or_default());
            run.upcoming = (granules.saturating_sub(window.0), bytes.saturating_sub(window.1));
            let files: Vec<PathBuf> = candidates.iter().map(|candidate| candidate.path.clone()).collect();
            let reported = run.report().granules.len();
            relay.during(run.ingest(candidates, &mut |event| reporter.report(event))).await?;
            disposable.iter().for_each(|path| {
                let _ = delete_downloaded(path);
            });
            set_aside_unreadable(run.report(), reported, &files);
        }
    }
    if archive.keep == Keep::Nothing {
        for name in archive.granules.iter().map(GranuleDescription::file_name) {
            let _ = download_path(&archive.options.folder, &name).is_ok_and(|path| delete_downloaded(&path));
        }
    }
    Ok(())
}
