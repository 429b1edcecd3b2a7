//! Whole runs with storage that fails.

use std::path::Path;

use isdb_schema::config::Config;
use isdb_schema::period::Period;
use isdb_store::{Database, Location};

use crate::error::Error;
use crate::ingest::ingest;
use crate::report::IngestReport;
use crate::report::progress::Progress;
use crate::request::region::RegionRequest;
use crate::request::selection::SelectionRequest;
use crate::request::{IngestRequest, Source};

/// Returns a request for one file, which is not a granule: its failure is recorded in a window of its own.
fn request(folder: &Path) -> IngestRequest {
    let (file, config) = (folder.join("x.h5"), Config::shipped().unwrap());
    std::fs::write(&file, "not HDF5").unwrap();
    IngestRequest {
        source: Source::Files(vec![file]),
        location: Location::parse(folder.join("db").to_str().unwrap()).unwrap(),
        selection: SelectionRequest::default(),
        region: RegionRequest::OfDatabase,
        period: Period::default(),
        window: config.window,
        threads: 1,
        memory: 256_000_000,
        spill: None,
        consolidate: config.consolidate,
        retry: false,
        force: false,
        replace_release: false,
        refilter: false,
    }
}

/// Puts a file in the place of the folder of the ledger, so that no row can be written.
fn block(root: &Path) {
    std::fs::rename(root.join("ledger"), root.join("away")).unwrap();
    std::fs::write(root.join("ledger"), "").unwrap();
}

fn unblock(root: &Path) {
    std::fs::remove_file(root.join("ledger")).unwrap();
    std::fs::rename(root.join("away"), root.join("ledger")).unwrap();
}

#[tokio::test]
async fn a_window_that_fails_once_is_tried_again_and_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    let request = request(folder.path());
    let root = request.location.folder().unwrap();
    let (mut report, mut blocked, mut retries, mut committed) = (IngestReport::default(), 0, 0, Vec::new());
    let progress = |event| match event {
        Progress::Read { .. } if blocked == 0 => {
            blocked += 1;
            block(root);
        }
        Progress::WindowRetried { granules, .. } => {
            retries += granules;
            unblock(root);
        }
        Progress::Committed { granules, of, .. } => committed.push((granules, of)),
        _ => {}
    };
    ingest(&request, &mut report, progress).await.unwrap();
    assert_eq!((blocked, retries, committed), (1, 1, vec![(1, 1)]));
    assert_eq!((report.windows.len(), report.granules.len()), (1, 1));
    assert_eq!(report.maintenance_error, None);
    let snapshot = Database::open(&request.location).await.unwrap().snapshot().await.unwrap();
    assert_eq!(snapshot.ledger().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_window_that_fails_twice_ends_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let request = request(folder.path());
    let root = request.location.folder().unwrap();
    let (mut report, mut retries) = (IngestReport::default(), 0);
    let progress = |event| match event {
        Progress::Read { .. } if !root.join("away").exists() => block(root),
        Progress::WindowRetried { .. } => {
            retries += 1;
            unblock(root);
        }
        _ => {}
    };
    let error = ingest(&request, &mut report, progress).await.unwrap_err();
    assert!(matches!(error, Error::Window { granules: 1, .. }), "{error:?}");
    assert_eq!((retries, report.windows.len(), report.granules.len()), (1, 0, 0));
}
