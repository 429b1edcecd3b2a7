//! Candidates from the archive's descriptions: a granule's name is enough to decide whether it has to be downloaded.

use std::path::PathBuf;

use isdb_cmr::{DownloadRequest, GranuleDescription, MAX_FILE_BYTES, without_secrets};
use isdb_pipeline::GranuleIdentity;

use crate::archive::source::Archive;
use crate::find::candidate::Candidate;
use crate::find::stage::SEARCH;

/// Returns the granules of `archive` as candidates. A granule that cannot be downloaded becomes a failed candidate.
pub(crate) fn described_candidates(archive: &Archive) -> Vec<Candidate> {
    archive.granules.iter().map(|granule| described_candidate(granule, archive)).collect()
}

fn described_candidate(granule: &GranuleDescription, archive: &Archive) -> Candidate {
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
        (true, None) => (granule.https.as_ref(), Candidate::new(file, Err("CMR gives no S3 URL for it".to_owned()))),
        (false, _) => match DownloadRequest::for_granule(granule) {
            Ok(download) => {
                let described = Candidate::new(file, Ok(identity));
                (granule.https.as_ref(), Candidate { download: Some(download), ..described })
            }
            Err(error) => (granule.https.as_ref(), Candidate::new(file, Err(error.to_string()))),
        },
    };
    Candidate {
        size_bytes: granule.bytes.filter(|bytes| *bytes <= MAX_FILE_BYTES).unwrap_or(0),
        is_named: archive.is_named,
        is_described: described.identity.is_ok(),
        origin: Some(ledger_source(origin.unwrap_or(&granule.concept_id), &granule.file_name())),
        stage: SEARCH,
        ..described
    }
}

/// Returns the ledger's `source` for a URL: without passwords and presigned queries. If only the query contains the
/// file's name, the name is appended.
fn ledger_source(url: &str, file_name: &str) -> String {
    let source = without_secrets(url);
    match url.contains('?') && !source.ends_with(file_name) {
        true => format!("{source}#{file_name}"),
        false => source,
    }
}
