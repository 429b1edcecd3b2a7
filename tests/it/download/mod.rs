//! Downloads from an archive that redirects through a login to a second host, and that fails in many ways.

mod commands;
mod credentials;
mod killed;
mod refused_files;
mod resume;
mod write_errors;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use isdb_cmr::{
    ChecksumAlgorithm, Credentials, DownloadOptions, DownloadOutcome, DownloadRequest, DownloadedFile, Earthdata,
    Error, ExposeSecret, Hosts, Login, SecretString, Token, Url, download,
};
use isdb_ingest::granule_format;

use crate::fake_nasa::archive::{Archive, BASIC, File, PASSWORD, SIGNATURE, Seen, TOKEN, Trick, USER};
use crate::fake_nasa::content::{Random, hdf5};
use crate::support::{Run, TestFolder};

fn token(text: &str) -> Credentials {
    Credentials { token: Some(Token { text: SecretString::from(text), origin: "the test".to_owned() }), login: None }
}

fn login(password: &str) -> Credentials {
    let login = Login { user: USER.to_owned(), password: SecretString::from(password), origin: "the netrc".to_owned() };
    Credentials { token: None, login: Some(login) }
}

fn earthdata(archive: &Archive, credentials: Credentials) -> Arc<Earthdata> {
    session(archive, credentials, Duration::from_secs(60))
}

/// The read timeout in tests of silent connections.
const SHORT: Duration = Duration::from_millis(400);

fn session(archive: &Archive, credentials: Credentials, patience: Duration) -> Arc<Earthdata> {
    let hosts = Hosts::parse(&archive.login_url(), &archive.hosts()).unwrap();
    Arc::new(Earthdata::new(credentials, hosts, patience).unwrap())
}

fn wanted(archive: &Archive, name: &str) -> DownloadRequest {
    let url = Url::parse(&archive.url(name)).unwrap();
    DownloadRequest { name: name.to_owned(), url, size: None, estimate: None, checksum: None }
}

fn options(folder: &Path) -> DownloadOptions {
    DownloadOptions { first_pause: Duration::from_millis(5), ..DownloadOptions::new(folder, granule_format()) }
}

/// Fetches `wanted` into `folder` with the token of the test.
fn fetch_all(archive: &Archive, folder: &Path, wanted: Vec<DownloadRequest>) -> Vec<DownloadOutcome> {
    fetch_as(earthdata(archive, token(TOKEN)), folder, wanted)
}

fn fetch_as(earthdata: Arc<Earthdata>, folder: &Path, wanted: Vec<DownloadRequest>) -> Vec<DownloadOutcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stream = futures::stream::iter(wanted);
    runtime.block_on(download(earthdata, stream, options(folder), |_| ()).collect())
}

fn fetch(archive: &Archive, folder: &Path, wanted: DownloadRequest) -> Result<DownloadedFile, Error> {
    fetch_all(archive, folder, vec![wanted]).pop().unwrap().result
}

fn target_path(folder: &Path, name: &str) -> PathBuf {
    isdb_cmr::download_path(folder, name).unwrap()
}

const SIZE: usize = 300_000;

/// An archive with one file, a fresh folder, and the content.
fn one_file() -> (Archive, tempfile::TempDir, Bytes) {
    let (archive, content) = (Archive::new(), hdf5(1, SIZE));
    archive.put("a.h5", content.clone());
    (archive, tempfile::tempdir().unwrap(), content)
}

/// Fetches the file of an archive that plays `tricks`, and asserts that it arrives complete, with less than `twice` bytes sent more
/// than once.
fn arrives_complete(tricks: Vec<Trick>, twice: usize) -> DownloadedFile {
    let (archive, folder, content) = one_file();
    archive.play("a.h5", tricks.clone());
    let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5"))
        .unwrap_or_else(|error| panic!("{tricks:?}: {error:?}"));
    assert_eq!(std::fs::read(&fetched.path).unwrap(), content, "{tricks:?}");
    assert_eq!(visible(fetched.path.parent().unwrap()), ["a.h5"], "{tricks:?}");
    let bytes = usize::try_from(fetched.bytes_downloaded).unwrap();
    assert!((SIZE..=SIZE + twice).contains(&bytes), "{tricks:?}: {bytes} bytes came");
    fetched
}

/// Names of the files in `folder`, without the hidden sidecars.
fn visible(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !name.starts_with('.')).collect()
}

/// Number of requests with an `Authorization` header.
fn logins(archive: &Archive) -> usize {
    archive.seen().iter().filter(|seen| seen.headers.contains_key("authorization")).count()
}

/// The program with the fake archive as NASA's.
pub(crate) fn command(place: &TestFolder, archive: &Archive, arguments: &[&str]) -> Command {
    let mut command = place.command(arguments);
    for name in [
        "EARTHDATA_TOKEN",
        "EARTHDATA_USERNAME",
        "EARTHDATA_PASSWORD",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        command.env_remove(name);
    }
    command
        .env("ISDB_EARTHDATA_LOGIN_URL", archive.login_url())
        .env("ISDB_EARTHDATA_HOSTS", archive.hosts())
        .env("NETRC", place.path("netrc"));
    command
}

fn run(place: &TestFolder, archive: &Archive, arguments: &[&str]) -> Run {
    Run::from(command(place, archive, arguments).output().unwrap())
}

fn with_token(mut command: Command) -> Run {
    Run::from(command.env("EARTHDATA_TOKEN", TOKEN).output().unwrap())
}

fn type_in(mut command: Command, text: &str) -> Run {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
    Run::from(child.wait_with_output().unwrap())
}

#[test]
fn a_download_resumes_after_a_broken_connection() {
    let fetched = arrives_complete(vec![Trick::Cut(100_000), Trick::Cut(0), Trick::Cut(1), Trick::Cut(150_000)], 0);
    assert_eq!((fetched.attempts, fetched.bytes_reused), (5, 0));
}

#[test]
fn a_stalled_or_slow_connection_is_replaced() {
    for tricks in [[Trick::Stall(50_000), Trick::Stall(0)], [Trick::Trickle(50_000), Trick::Trickle(0)]] {
        let (archive, folder, content) = one_file();
        archive.play("a.h5", tricks);
        let session = session(&archive, token(TOKEN), SHORT);
        let outcome = fetch_as(session, folder.path(), vec![wanted(&archive, "a.h5")]).pop().unwrap();
        let fetched = outcome.result.unwrap();
        assert_eq!(std::fs::read(&fetched.path).unwrap(), content);
        assert!(fetched.attempts >= 3, "{fetched:?}");
    }
}

#[test]
fn an_unusable_url_is_reported_at_once() {
    let (archive, folder, _) = one_file();
    for text in ["ftp://archive.example/a.h5", "file:///etc/a.h5", "data:a.h5"] {
        let wanted = DownloadRequest { url: Url::parse(text).unwrap(), ..wanted(&archive, "a.h5") };
        let error = fetch(&archive, folder.path(), wanted).unwrap_err();
        assert!(matches!(error, Error::InvalidAddress { .. }), "{error:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_server_that_ignores_ranges_restarts_the_file_and_doubles_no_byte() {
    arrives_complete(vec![Trick::Cut(100_000), Trick::IgnoreRange], 100_000);
    arrives_complete(
        vec![Trick::Cut(100_000), Trick::IgnoreRange, Trick::Cut(0), Trick::IgnoreRange, Trick::Cut(9)],
        2 * SIZE,
    );
}

#[test]
fn an_expired_link_and_an_overloaded_server_are_retried() {
    let busy = |status| Trick::Archive(status, vec![("retry-after", "0".to_owned())]);
    arrives_complete(vec![Trick::Store(403), busy(429), Trick::Store(502), busy(503)], 0);
    arrives_complete(vec![Trick::Cut(70_000), Trick::Store(403)], 0);
}

#[test]
fn more_bytes_than_announced_are_not_kept() {
    let (archive, folder, content) = one_file();
    archive.play("a.h5", [Trick::TooLong]);
    let size = Some(SIZE as u64);
    let fetched = fetch(&archive, folder.path(), DownloadRequest { size, ..wanted(&archive, "a.h5") }).unwrap();
    assert_eq!(std::fs::read(fetched.path).unwrap(), content);
}

#[test]
fn permanent_errors_are_not_retried() {
    for (trick, message) in [
        (Trick::Archive(404, vec![]), "404 Not Found"),
        (Trick::Archive(403, vec![]), "is not accessible with this Earthdata login"),
        (Trick::Page, "found a web page"),
    ] {
        let (archive, folder, _) = one_file();
        archive.play("a.h5", [trick.clone()]);
        let error = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap_err();
        assert!(error.to_string().contains(message) && !error.to_string().contains(SIGNATURE), "{error}");
        assert_eq!(archive.count("archive", "a.h5"), 1, "{trick:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left, {trick:?}");
    }
}

#[test]
fn retries_end_and_keep_the_partial_file() {
    let (archive, folder, content) = one_file();
    archive.play("a.h5", [vec![Trick::Cut(90_000)], vec![Trick::Store(502); 20]].concat());
    let error = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap_err();
    assert!(matches!(&error, Error::GivenUp { source, .. } if source.to_string().contains("502")), "{error:?}");
    assert!(archive.count("store", "a.h5") <= 7);
    let archive = Archive::new();
    archive.put("a.h5", content.clone());
    // Another port makes another URL, so that the partial file does not match.
    let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
    assert_eq!((fetched.bytes_downloaded, fetched.bytes_reused), (SIZE as u64, 0));
    assert_eq!(std::fs::read(fetched.path).unwrap(), content);
}
