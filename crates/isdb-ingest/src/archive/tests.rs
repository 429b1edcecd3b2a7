//! Decisions on granules that are known only by their descriptions.

use std::sync::Arc;
use std::time::Duration;

use isdb_cmr::{Credentials, DownloadOptions, Earthdata, Hosts, worklist};
use isdb_schema::ledger::GranuleState;
use isdb_store::LedgerRow;

use crate::archive::describe::described_candidates;
use crate::archive::source::{Archive, Keep, granule_format};
use crate::decide::fingerprint::Fingerprint;
use crate::decide::ledger::Ledger;
use crate::decide::round::{Round, decide_round};
use crate::decide::skip_reason::SkipReason;
use crate::testing::{context, row};

fn archive(names: &[&str], is_named: bool) -> Archive {
    let line = |name: &&str| {
        format!(
            r#"{{"granule":"{name}","start":"2020-08-21T12:26:13Z","bytes":9,"https":"https://x.example/{name}","concept_id":"G1-X"}}"#
        )
    };
    let lines: Vec<String> = names.iter().map(line).collect();
    let hosts = Hosts::parse(Hosts::LOGIN, Hosts::ARCHIVE).unwrap();
    Archive {
        granules: worklist::read(lines.join("\n").as_bytes()).map(Result::unwrap).collect(),
        unusable: Vec::new(),
        is_named,
        earthdata: Arc::new(Earthdata::new(Credentials::default(), hosts, Duration::from_secs(1)).unwrap()),
        options: DownloadOptions::new("granules", granule_format()),
        keep: Keep::Nothing,
        direct: false,
        s3: None,
    }
}

/// Returns the stored pass, of release 006 revision 02.
fn stored() -> LedgerRow {
    let mut stored = row(1, "a");
    (stored.rgt, stored.cycle, stored.region) = (Some(873), Some(8), Some(2));
    stored.revision = Some("02".to_owned());
    stored
}

fn name(release: u16, revision: u8) -> String {
    format!("ATL08_20200821122613_08730802_{release:03}_{revision:02}.h5")
}

fn reasons(round: Round) -> Vec<SkipReason> {
    round.skipped.into_iter().map(|(_, reason)| reason).collect()
}

fn decide(archive: &Archive, ledger: &[LedgerRow], fingerprint: &Fingerprint) -> Round {
    decide_round(described_candidates(archive), &Ledger::new(ledger.iter().cloned()), &context(fingerprint))
}

#[test]
fn a_stored_granule_is_not_downloaded_unless_it_is_newer_or_more_is_requested() {
    let ledger = [stored()];
    let decide =
        |revision, fingerprint: &Fingerprint| decide(&archive(&[&name(6, revision)], false), &ledger, fingerprint);
    let skipped = |revision| reasons(decide(revision, &Fingerprint::default()));
    assert_eq!(skipped(2), [SkipReason::Stored], "whatever its size: changed content has another revision");
    assert_eq!(skipped(1), [SkipReason::Older]);
    assert_eq!(decide(3, &Fingerprint::default()).now.len(), 1);
    let more = Fingerprint { variables: vec!["h_canopy"], ..Fingerprint::default() };
    assert_eq!(decide(2, &more).now.len(), 1);
    let part = Fingerprint { area: Some("0,0,1,1".to_owned()), ..Fingerprint::default() };
    assert_eq!(reasons(decide(2, &part)), [SkipReason::Stored], "the whole granule is stored");
}

#[test]
fn a_stored_subset_does_not_prevent_the_download_of_the_whole_granule() {
    let subset = LedgerRow { subset: Some(true), ..stored() };
    assert_eq!(decide(&archive(&[&name(6, 2)], false), &[subset], &Fingerprint::default()).now.len(), 1);
}

#[test]
fn a_removed_granule_is_downloaded_again_only_from_a_work_list() {
    let removed = LedgerRow { state: GranuleState::Removed, ..stored() };
    let round =
        |is_named| decide(&archive(&[&name(6, 2)], is_named), std::slice::from_ref(&removed), &Fingerprint::default());
    assert_eq!(reasons(round(false)), [SkipReason::Removed]);
    assert_eq!(round(true).now.len(), 1);
}

#[test]
fn a_failed_download_is_retried_and_an_unreadable_granule_is_not_downloaded_again() {
    let failed = |stage: &str| LedgerRow {
        state: GranuleState::Failed,
        stage: Some(stage.to_owned()),
        source: format!("https://x.example/{}", name(6, 2)),
        size_bytes: 7,
        ..stored()
    };
    let round = |stage| decide(&archive(&[&name(6, 2)], false), &[failed(stage)], &Fingerprint::default());
    assert_eq!(round("download").now.len(), 1);
    assert_eq!(round("decode").failed_before.len(), 1);
}

#[test]
fn passwords_and_presigned_queries_are_not_stored_in_the_ledger() {
    let source = |url: String| {
        let mut archive = archive(&[&name(6, 2)], true);
        archive.granules[0].https = Some(url);
        described_candidates(&archive).remove(0).source()
    };
    let file = name(6, 2);
    let plain = format!("https://mirror.example/x/{file}");
    assert_eq!(source(format!("https://ann:hunter2@mirror.example/x/{file}?X-Amz-Signature=s#f")), plain);
    assert_eq!(source(plain.clone()), plain);
    // Where only the query names the file, granules still differ.
    assert_eq!(
        source(format!("https://mirror.example/get?key=s&file={file}")),
        format!("https://mirror.example/get#{file}")
    );
}

#[test]
fn a_granule_without_a_url_fails_in_the_window_of_its_time() {
    let mut archive = archive(&[&name(6, 2)], false);
    archive.granules[0].https = None;
    let candidate = described_candidates(&archive).remove(0);
    assert_eq!((candidate.stage, candidate.source().as_str()), ("search", "G1-X"));
    assert!(candidate.identity.is_err());
    assert_eq!(candidate.start(), Some(archive.granules[0].name.start));
}
