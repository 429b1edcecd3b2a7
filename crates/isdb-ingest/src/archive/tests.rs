//! What the ledger makes of granules that are known by their descriptions only.

use std::collections::BTreeSet;
use std::time::Duration;

use isdb_cmr::{Credentials, Hosts, worklist};
use isdb_pipeline::StoredSegments;
use isdb_schema::ledger::GranuleState;
use isdb_store::LedgerRow;

use super::*;
use crate::report::Skip;
use crate::select::{Selected, select};
use crate::standing::Standing;
use crate::testing::row;
use crate::verdict::Rules;
use crate::wanted::Wanted as Asked;

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
        options: DownloadOptions::new("granules"),
        keep: Keep::Nothing,
        direct: false,
        s3: None,
    }
}

/// The stored pass, of release 006 revision 02.
fn stored() -> LedgerRow {
    let mut stored = row(1, "a");
    (stored.rgt, stored.cycle, stored.region) = (Some(873), Some(8), Some(2));
    stored.revision = Some("02".to_owned());
    stored
}

fn name(release: u16, revision: u8) -> String {
    format!("ATL08_20200821122613_08730802_{release:03}_{revision:02}.h5")
}

fn reasons(selected: Selected) -> Vec<Skip> {
    selected.skipped.into_iter().map(|(_, why)| why).collect()
}

fn held(archive: &Archive, ledger: &[LedgerRow], asked: &Asked) -> Selected {
    let (stored, owed) = (StoredSegments::default(), BTreeSet::new());
    let rules = Rules {
        wanted: asked,
        covers: &|_, _| false,
        retry: false,
        force: false,
        since: None,
        stored: &stored,
        owed: &owed,
    };
    select(described(archive), &Standing::of(ledger), &rules)
}

#[test]
fn what_is_stored_is_not_fetched_and_what_is_newer_or_asked_for_otherwise_is() {
    let ledger = [stored()];
    let of = |revision, asked: &Asked| held(&archive(&[&name(6, revision)], false), &ledger, asked);
    let skipped = |revision| reasons(of(revision, &Asked::default()));
    assert_eq!(skipped(2), [Skip::Stored], "of any size: a changed file has another revision");
    assert_eq!(skipped(1), [Skip::Older]);
    assert_eq!(of(3, &Asked::default()).now.len(), 1);
    let more = Asked { variables: vec!["h_canopy"], ..Asked::default() };
    assert_eq!(of(2, &more).now.len(), 1);
    let part = Asked { area: Some("0,0,1,1".to_owned()), ..Asked::default() };
    assert_eq!(reasons(of(2, &part)), [Skip::Stored], "the whole granule is stored");
}

#[test]
fn a_subset_does_not_keep_the_whole_granule_away() {
    let subset = LedgerRow { subset: Some(true), ..stored() };
    assert_eq!(held(&archive(&[&name(6, 2)], false), &[subset], &Asked::default()).now.len(), 1);
}

#[test]
fn what_was_removed_comes_back_from_a_list_only() {
    let removed = LedgerRow { state: GranuleState::Removed, ..stored() };
    let of = |is_named| held(&archive(&[&name(6, 2)], is_named), std::slice::from_ref(&removed), &Asked::default());
    assert_eq!(reasons(of(false)), [Skip::Removed]);
    assert_eq!(of(true).now.len(), 1);
}

#[test]
fn a_failed_download_is_tried_again_and_a_granule_that_could_not_be_read_is_not_fetched_again() {
    let failed = |stage: &str| LedgerRow {
        state: GranuleState::Failed,
        stage: Some(stage.to_owned()),
        source: format!("https://x.example/{}", name(6, 2)),
        size_bytes: 7,
        ..stored()
    };
    let of = |stage| held(&archive(&[&name(6, 2)], false), &[failed(stage)], &Asked::default());
    assert_eq!(of("download").now.len(), 1);
    assert_eq!(of("decode").failed_before.len(), 1);
}

#[test]
fn neither_password_nor_presigned_link_gets_into_the_ledger() {
    let of = |url: String| {
        let mut archive = archive(&[&name(6, 2)], true);
        archive.granules[0].https = Some(url);
        described(&archive).remove(0).source()
    };
    let file = name(6, 2);
    let plain = format!("https://mirror.example/x/{file}");
    assert_eq!(of(format!("https://ann:hunter2@mirror.example/x/{file}?X-Amz-Signature=s#f")), plain);
    assert_eq!(of(plain.clone()), plain);
    // Where only the query names the file, granules still differ.
    assert_eq!(
        of(format!("https://mirror.example/get?key=s&file={file}")),
        format!("https://mirror.example/get#{file}")
    );
}

#[test]
fn a_granule_without_a_place_fails_in_the_window_of_its_time() {
    let mut archive = archive(&[&name(6, 2)], false);
    archive.granules[0].https = None;
    let candidate = described(&archive).remove(0);
    assert_eq!((candidate.stage, candidate.source().as_str()), ("search", "G1-X"));
    assert!(candidate.identity.is_err());
    assert_eq!(candidate.start(), Some(archive.granules[0].name.start));
}
