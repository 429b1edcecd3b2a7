//! Granules read in place from a bucket like NASA's: the same rows as from a downloaded file. The test prints requests and bytes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use isdb::datafusion::object_store::ObjectStore;
use isdb_cmr::{Credentials, Earthdata, Hosts, Login, SecretString, Url};
use isdb_granule::{FileSource, Granule};
use isdb_ingest::direct_store;
use isdb_pipeline::{FetchMetrics, RemoteSource, identify, identify_at};
use isdb_schema::catalogue::{Variable, variable, variables};
use tokio::runtime::Runtime;

use crate::fake_nasa::archive::{Archive, PASSWORD, USER};
use crate::fake_nasa::s3::S3;
use crate::support::{TestFolder, release_004};

const NAME: &str = "processed_ATL08_20200821122613_08730802_004_01.h5";
const URL: &str = "s3://nsidc/ATLAS/processed_ATL08_20200821122613_08730802_004_01.h5";

/// The archive, its bucket with the granule in the file `path`, and a store over it.
fn bucket(path: &Path) -> (Archive, S3, Arc<dyn ObjectStore>) {
    let (archive, s3) = (Archive::new(), S3::new());
    s3.put(&format!("/nsidc/ATLAS/{NAME}"), Bytes::from(std::fs::read(path).unwrap()));
    let login = Login { user: USER.to_owned(), password: SecretString::from(PASSWORD), origin: "a test".to_owned() };
    let credentials = Credentials { token: None, login: Some(login) };
    let hosts = Hosts::parse(&archive.login_url(), &archive.hosts()).unwrap();
    let earthdata = Arc::new(Earthdata::new(credentials, hosts, Duration::from_secs(20)).unwrap());
    let endpoint = Url::parse(&archive.s3_endpoint()).unwrap();
    let store = direct_store(earthdata, endpoint, "nsidc", Some(s3.endpoint())).unwrap();
    (archive, s3, store)
}

/// Decodes the variables `wanted` of a granule from the file and from the bucket, asserts that they are equal, and returns the
/// requests and bytes of the bucket.
fn compared(path: &Path, wanted: &[&Variable]) -> (usize, usize) {
    let (archive, s3, store) = bucket(path);
    let local = Granule::open(FileSource::open(path).unwrap()).unwrap();
    let runtime = Runtime::new().unwrap();
    let traffic = FetchMetrics::default();
    let source = runtime.block_on(RemoteSource::open(store, URL, traffic.clone())).unwrap();
    let remote = Granule::open(source).unwrap();
    let (expected, found) = (local.decode(wanted, 2).unwrap(), remote.decode(wanted, 2).unwrap());
    assert!(!expected.batches.is_empty());
    assert_eq!(found.batches, expected.batches);
    let traffic_of_bucket = s3.answered();
    assert_eq!((traffic.requests.value(), traffic.bytes.value()), traffic_of_bucket, "every request is counted");
    assert_eq!(
        archive.count("archive", "/s3credentials"),
        2,
        "credentials are got once: a redirect to the login and back"
    );
    traffic_of_bucket
}

fn print_traffic(what: &str, path: &Path, (requests, bytes): (usize, usize)) {
    let size = std::fs::metadata(path).unwrap().len();
    println!("{what}: {requests} requests, {bytes} of {size} bytes");
}

#[test]
fn a_granule_read_in_place_equals_the_downloaded_one() {
    let place = TestFolder::new();
    place.make_granules("g", &["--count", "1", "--segments", "4000"]);
    let synthetic = place.path(&place.files("g")[0]);
    let (all, few) = (variables().iter().collect::<Vec<_>>(), [variable("h_canopy").unwrap()]);
    for path in std::iter::once(synthetic).chain(release_004()) {
        let whole = compared(&path, &all);
        let part = compared(&path, &few);
        print_traffic("all variables", &path, whole);
        print_traffic("h_canopy", &path, part);
        let size = usize::try_from(std::fs::metadata(&path).unwrap().len()).unwrap();
        assert!(whole.1 <= size && part.1 <= size, "no byte is fetched twice");
        // Two threads read ahead of each other, so that which of the two has fewer requests is a matter of timing.
        assert!(whole.0 < 60 && part.0 < 60, "{whole:?} {part:?}");
    }
}

#[test]
fn a_granule_in_the_bucket_is_identified_and_expired_credentials_are_renewed() {
    let place = TestFolder::new();
    place.make_granules("g", &["--count", "1", "--segments", "15"]);
    let path = place.path(&place.files("g")[0]);
    let (archive, _s3, store) = bucket(&path);
    // Expired credentials are requested again.
    archive.s3_expiration("2001-01-01 00:00:00+00:00");
    let runtime = Runtime::new().unwrap();
    let (identity, bytes) = runtime.block_on(identify_at(URL, Arc::clone(&store))).unwrap();
    assert_eq!(identity.id, identify(&path).unwrap().id);
    assert_eq!(bytes, std::fs::metadata(&path).unwrap().len());
    let before = archive.count("archive", "/s3credentials");
    runtime.block_on(identify_at(URL, store)).unwrap();
    assert!(archive.count("archive", "/s3credentials") > before);
}

#[test]
fn reading_in_place_outside_the_aws_region_suggests_a_download() {
    let place = TestFolder::new();
    place.make_granules("g", &["--count", "1", "--segments", "15"]);
    let (_archive, s3, store) = bucket(&place.path(&place.files("g")[0]));
    s3.refuse();
    let error = Runtime::new().unwrap().block_on(identify_at(URL, store)).unwrap_err();
    for part in [URL, "us-west-2", "a download works from everywhere"] {
        assert!(error.contains(part), "{error}");
    }
}
