//! Downloads from an archive that sends its users through a login to a second host, and that misbehaves.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use isdb_cmr::{
    Algorithm, Credentials, Earthdata, Error, Fetched, Hosts, Login, Options, Outcome, Secret, Token, Url, Wanted,
    download,
};

use crate::nasa::archive::{Archive, BASIC, File, PASSWORD, Random, SIGNATURE, Seen, TOKEN, Trick, USER, hdf5};
use crate::support::{Place, Run};

fn token(text: &str) -> Credentials {
    Credentials { token: Some(Token { text: Secret::new(text), whence: "the test".to_owned() }), login: None }
}

fn login(password: &str) -> Credentials {
    let login = Login { user: USER.to_owned(), password: Secret::new(password), whence: "the netrc".to_owned() };
    Credentials { token: None, login: Some(login) }
}

fn earthdata(archive: &Archive, credentials: Credentials) -> Arc<Earthdata> {
    session(archive, credentials, Duration::from_secs(60))
}

/// So long a silence is waited for where a connection is to be silent.
const SHORT: Duration = Duration::from_millis(400);

fn session(archive: &Archive, credentials: Credentials, patience: Duration) -> Arc<Earthdata> {
    let hosts = Hosts::parse(&archive.login_url(), &archive.hosts()).unwrap();
    Arc::new(Earthdata::new(credentials, hosts, patience).unwrap())
}

fn wanted(archive: &Archive, name: &str) -> Wanted {
    Wanted { name: name.to_owned(), url: Url::parse(&archive.url(name)).unwrap(), size: None, checksum: None }
}

fn options(folder: &Path) -> Options {
    Options { pause: Duration::from_millis(5), ..Options::new(folder) }
}

/// Fetches `wanted` into `folder` with the token of the test.
fn fetch_all(archive: &Archive, folder: &Path, wanted: Vec<Wanted>) -> Vec<Outcome> {
    fetch_as(earthdata(archive, token(TOKEN)), folder, wanted)
}

fn fetch_as(earthdata: Arc<Earthdata>, folder: &Path, wanted: Vec<Wanted>) -> Vec<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stream = futures::stream::iter(wanted);
    runtime.block_on(download(earthdata, stream, options(folder), |_| ()).collect())
}

fn fetch(archive: &Archive, folder: &Path, wanted: Wanted) -> Result<Fetched, Error> {
    fetch_all(archive, folder, vec![wanted]).pop().unwrap().result
}

fn place_of(folder: &Path, name: &str) -> PathBuf {
    isdb_cmr::file_of(folder, name).unwrap()
}

const SIZE: usize = 300_000;

/// An archive with one file, and a fresh folder.
fn one_file() -> (Archive, tempfile::TempDir, Bytes) {
    let (archive, content) = (Archive::new(), hdf5(1, SIZE));
    archive.put("a.h5", content.clone());
    (archive, tempfile::tempdir().unwrap(), content)
}

/// Fetches the file of an archive that plays `tricks`, and demands that it comes whole, with less than `twice` bytes sent more
/// than once.
fn comes_whole(tricks: Vec<Trick>, twice: usize) -> Fetched {
    let (archive, folder, content) = one_file();
    archive.play("a.h5", tricks.clone());
    let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5"))
        .unwrap_or_else(|error| panic!("{tricks:?}: {error:?}"));
    assert_eq!(std::fs::read(&fetched.path).unwrap(), content, "{tricks:?}");
    assert_eq!(std::fs::read_dir(fetched.path.parent().unwrap()).unwrap().count(), 1, "{tricks:?}");
    let bytes = usize::try_from(fetched.fetched).unwrap();
    assert!((SIZE..=SIZE + twice).contains(&bytes), "{tricks:?}: {bytes} bytes came");
    fetched
}

#[test]
fn a_download_goes_on_where_the_connection_broke() {
    let fetched = comes_whole(vec![Trick::Cut(100_000), Trick::Cut(0), Trick::Cut(1), Trick::Cut(150_000)], 0);
    assert_eq!((fetched.attempts, fetched.reused), (5, 0));
}

#[test]
fn a_silent_connection_is_made_anew() {
    let (archive, folder, content) = one_file();
    archive.play("a.h5", [Trick::Stall(50_000), Trick::Stall(0)]);
    let session = session(&archive, token(TOKEN), SHORT);
    let outcome = fetch_as(session, folder.path(), vec![wanted(&archive, "a.h5")]).pop().unwrap();
    let fetched = outcome.result.unwrap();
    assert_eq!(std::fs::read(&fetched.path).unwrap(), content);
    assert!(fetched.attempts >= 3, "{fetched:?}");
}

#[test]
fn a_connection_that_trickles_is_made_anew() {
    let (archive, folder, content) = one_file();
    archive.play("a.h5", [Trick::Trickle(50_000), Trick::Trickle(0)]);
    let session = session(&archive, token(TOKEN), SHORT);
    let outcome = fetch_as(session, folder.path(), vec![wanted(&archive, "a.h5")]).pop().unwrap();
    let fetched = outcome.result.unwrap();
    assert_eq!(std::fs::read(&fetched.path).unwrap(), content);
    assert!(fetched.attempts >= 3, "{fetched:?}");
}

#[test]
fn an_address_that_cannot_be_asked_is_told_at_once() {
    let (archive, folder, _) = one_file();
    for text in ["ftp://archive.example/a.h5", "file:///etc/a.h5", "data:a.h5"] {
        let wanted = Wanted { url: Url::parse(text).unwrap(), ..wanted(&archive, "a.h5") };
        let error = fetch(&archive, folder.path(), wanted).unwrap_err();
        assert!(matches!(error, Error::Address { .. }), "{error:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_server_that_ignores_ranges_gets_the_file_begun_anew_and_never_doubled() {
    comes_whole(vec![Trick::Cut(100_000), Trick::IgnoreRange], 100_000);
    comes_whole(
        vec![Trick::Cut(100_000), Trick::IgnoreRange, Trick::Cut(0), Trick::IgnoreRange, Trick::Cut(9)],
        2 * SIZE,
    );
}

#[test]
fn an_expired_link_and_an_overloaded_server_are_asked_again() {
    let busy = |status| Trick::Archive(status, vec![("retry-after", "0".to_owned())]);
    comes_whole(vec![Trick::Store(403), busy(429), Trick::Store(502), busy(503)], 0);
    comes_whole(vec![Trick::Cut(70_000), Trick::Store(403)], 0);
}

#[test]
fn more_bytes_than_announced_are_not_kept() {
    let (archive, folder, content) = one_file();
    archive.play("a.h5", [Trick::TooLong]);
    let size = Some(SIZE as u64);
    let fetched = fetch(&archive, folder.path(), Wanted { size, ..wanted(&archive, "a.h5") }).unwrap();
    assert_eq!(std::fs::read(fetched.path).unwrap(), content);
}

#[test]
fn what_asking_again_does_not_change_is_asked_once() {
    for (trick, told) in [
        (Trick::Archive(404, vec![]), "404 Not Found"),
        (Trick::Archive(403, vec![]), "is not open to this Earthdata login"),
        (Trick::Page, "a web page instead of the file"),
    ] {
        let (archive, folder, _) = one_file();
        archive.play("a.h5", [trick.clone()]);
        let error = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap_err();
        assert!(error.to_string().contains(told) && !error.to_string().contains(SIGNATURE), "{error}");
        assert_eq!(archive.count("archive", "a.h5"), 1, "{trick:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left, {trick:?}");
    }
}

#[test]
fn a_server_that_never_helps_is_given_up_and_what_came_is_kept() {
    let (archive, folder, content) = one_file();
    archive.play("a.h5", [vec![Trick::Cut(90_000)], vec![Trick::Store(502); 20]].concat());
    let error = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap_err();
    assert!(matches!(&error, Error::GivenUp { source, .. } if source.to_string().contains("502")), "{error:?}");
    assert!(archive.count("store", "a.h5") <= 7);
    let archive = Archive::new();
    archive.put("a.h5", content.clone());
    // Another port is another URL, of which nothing is known.
    let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
    assert_eq!((fetched.fetched, fetched.reused), (SIZE as u64, 0));
    assert_eq!(std::fs::read(fetched.path).unwrap(), content);
}

/// Leaves an unfinished `a.h5.part`, and gives its length.
fn interrupted(archive: &Archive, folder: &Path) -> u64 {
    archive.play("a.h5", [Trick::Cut(120_000), Trick::Archive(404, vec![])]);
    fetch(archive, folder, wanted(archive, "a.h5")).unwrap_err();
    let length = std::fs::metadata(part_of(folder)).unwrap().len();
    assert!((1..=120_000).contains(&length), "{length}");
    length
}

fn part_of(folder: &Path) -> PathBuf {
    place_of(folder, "a.h5").with_file_name("a.h5.part")
}

#[test]
fn the_next_run_goes_on_where_the_last_one_stopped() {
    let (archive, folder, content) = one_file();
    let there = interrupted(&archive, folder.path());
    let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
    assert_eq!((fetched.reused, fetched.fetched, fetched.attempts), (there, SIZE as u64 - there, 1));
    assert_eq!(std::fs::read(&fetched.path).unwrap(), content);
    let again = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
    assert_eq!((again.reused, again.fetched, again.attempts), (SIZE as u64, 0, 0));
}

#[test]
fn a_file_that_has_changed_meanwhile_is_begun_anew() {
    let other = hdf5(2, SIZE);
    for (etag, modified) in
        [(Some("\"new\""), None), (None, Some("Thu, 22 Oct 2020 07:28:00 GMT")), (None, None), (Some("W/\"1\""), None)]
    {
        let (archive, folder, _) = one_file();
        interrupted(&archive, folder.path());
        let file =
            File { content: other.clone(), etag: etag.map(str::to_owned), modified: modified.map(str::to_owned) };
        archive.put_as("a.h5", file);
        let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
        assert_eq!(std::fs::read(&fetched.path).unwrap(), other, "{etag:?} {modified:?}");
        assert_eq!(fetched.reused, 0);
    }
}

#[test]
fn bytes_of_another_range_are_not_put_together() {
    let (archive, folder, content) = one_file();
    interrupted(&archive, folder.path());
    archive.play("a.h5", [Trick::OtherRange]);
    let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
    assert_eq!(std::fs::read(&fetched.path).unwrap(), content);
    assert_eq!((fetched.reused, fetched.attempts), (0, 2));
}

#[test]
fn a_server_without_validators_is_not_trusted_with_a_range() {
    let (archive, folder, content) = one_file();
    archive.put_as("a.h5", File { content: content.clone(), etag: None, modified: None });
    archive.play("a.h5", [Trick::Cut(100_000)]);
    let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
    assert_eq!(std::fs::read(&fetched.path).unwrap(), content);
    assert!(archive.seen().iter().all(|seen| !seen.headers.contains_key("range")));
    archive.put_as(
        "b.h5",
        File { content: content.clone(), etag: None, modified: Some("Wed, 21 Oct 2020 07:28:00 GMT".to_owned()) },
    );
    archive.play("b.h5", [Trick::Cut(100_000)]);
    assert_eq!(
        fetch(&archive, folder.path(), wanted(&archive, "b.h5")).unwrap().fetched,
        SIZE as u64,
        "the date is enough"
    );
}

#[test]
fn a_complete_part_needs_no_request_and_one_without_a_known_length_ends_at_416() {
    let (archive, folder, content) = one_file();
    interrupted(&archive, folder.path());
    std::fs::write(part_of(folder.path()), &content).unwrap();
    let before = archive.seen().len();
    let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
    assert_eq!((fetched.reused, fetched.fetched, archive.seen().len()), (SIZE as u64, 0, before));

    let (archive, folder, content) = one_file();
    interrupted(&archive, folder.path());
    std::fs::write(part_of(folder.path()), &content).unwrap();
    forget_length(folder.path());
    let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
    assert_eq!((fetched.reused, fetched.fetched, fetched.attempts), (SIZE as u64, 0, 1));

    let (archive, folder, content) = one_file();
    interrupted(&archive, folder.path());
    std::fs::write(part_of(folder.path()), [&content[..], b"more"].concat()).unwrap();
    forget_length(folder.path());
    let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
    assert_eq!(std::fs::read(fetched.path).unwrap(), content, "what is longer than the file is begun anew");
}

fn forget_length(folder: &Path) {
    let sidecar = place_of(folder, "a.h5").with_file_name("a.h5.part.json");
    let text = std::fs::read_to_string(&sidecar).unwrap();
    std::fs::write(&sidecar, text.replace(&format!("\"length\":{SIZE}"), "\"length\":null")).unwrap();
}

#[test]
fn a_part_with_other_bytes_than_the_files_is_found_out_by_the_checksum() {
    let (archive, folder, content) = one_file();
    let sum = Command::new("md5sum").arg(written(folder.path(), &content)).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap().split_whitespace().next().unwrap().to_owned();
    interrupted(&archive, folder.path());
    std::fs::write(part_of(folder.path()), vec![7; 120_000]).unwrap();
    let checksum = Some((Algorithm::Md5, sum));
    let fetched = fetch(&archive, folder.path(), Wanted { checksum, ..wanted(&archive, "a.h5") }).unwrap();
    assert_eq!(std::fs::read(&fetched.path).unwrap(), content);
    let checksum = Some((Algorithm::Md5, "00".repeat(16)));
    let error = fetch(&archive, folder.path(), Wanted { checksum, ..wanted(&archive, "a.h5") }).unwrap_err();
    assert!(error.to_string().contains("checksum"), "{error}");
    assert_eq!(archive.sent("a.h5"), 4 * SIZE as u64, "a file that never verifies is fetched twice, not for ever");
}

fn written(folder: &Path, content: &[u8]) -> PathBuf {
    let path = folder.join("original");
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn a_hundred_downloads_that_break_at_random_are_byte_for_byte_right() {
    let (archive, folder) = (Archive::new(), tempfile::tempdir().unwrap());
    let mut random = Random::new(5);
    let mut files = Vec::new();
    for number in 0..100 {
        let (name, length) = (format!("f{number}.h5"), 50_000 + usize::try_from(random.below(2_000_000)).unwrap());
        let content = hdf5(number, length);
        archive.put(&name, content.clone());
        archive.play(&name, [Trick::Cut(usize::try_from(random.below(length as u64)).unwrap())]);
        files.push((name, content));
    }
    let list = files.iter().map(|(name, _)| wanted(&archive, name)).collect();
    let outcomes = fetch_all(&archive, folder.path(), list);
    assert_eq!(outcomes.len(), files.len());
    for (name, content) in &files {
        assert!(std::fs::read(place_of(folder.path(), name)).unwrap() == *content, "{name} differs");
        let outcome = outcomes.iter().find(|outcome| outcome.wanted.name == *name).unwrap();
        let fetched = outcome.result.as_ref().unwrap();
        assert!(fetched.attempts == 2 && fetched.fetched - content.len() as u64 <= 1 << 20, "{name}: {fetched:?}");
    }
}

/// Whether one of the secrets stands in `text`.
fn tells(text: &str) -> Option<&'static str> {
    [TOKEN, BASIC, PASSWORD, SIGNATURE, "session-cookie", "s3-secret"].into_iter().find(|secret| text.contains(secret))
}

/// Every request that shows who we are, to whom.
fn shown(seen: &[Seen], header: &str) -> HashSet<&'static str> {
    seen.iter().filter(|seen| seen.headers.contains_key(header)).map(|seen| seen.host).collect()
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn subscriber(&self, level: tracing::Level) -> impl tracing::Subscriber + Send + Sync + use<> {
        let log = self.clone();
        tracing_subscriber::fmt().with_max_level(level).with_writer(move || log.clone()).finish()
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Sees what isdb itself tells by `tracing`; what libraries tell by other ways reaches no log of the program either.
#[test]
fn credentials_reach_their_own_hosts_only_and_no_log() {
    let both = Credentials { token: token(TOKEN).token, login: login(PASSWORD).login };
    for credentials in [token(TOKEN), login(PASSWORD), both] {
        let (archive, folder, _) = one_file();
        archive.put("b.h5", hdf5(2, 1000));
        archive.play("a.h5", [Trick::Cut(9000), Trick::Store(403), Trick::Stall(10), Trick::Archive(502, vec![])]);
        archive.play("b.h5", [Trick::Page]);
        let log = Log::default();
        let subscriber = log.subscriber(tracing::Level::TRACE);
        let list = vec![wanted(&archive, "a.h5"), wanted(&archive, "b.h5")];
        let with_login = credentials.login.is_some();
        let earthdata = session(&archive, credentials.clone(), SHORT);
        let outcomes = tracing::subscriber::with_default(subscriber, || {
            let outcomes = fetch_as(Arc::clone(&earthdata), folder.path(), list);
            if with_login {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let endpoint = Url::parse(&archive.s3_endpoint()).unwrap();
                let s3 = runtime.block_on(earthdata.s3_credentials(&endpoint)).unwrap();
                tracing::trace!(?s3, ?earthdata, ?credentials, "all that can be printed");
            }
            outcomes
        });
        for outcome in &outcomes {
            let told = format!("{outcome:?}");
            assert_eq!(tells(&told), None, "{told}");
        }
        let log = log.text();
        assert!(log.contains("/data/a.h5") && log.contains("/bucket/a.h5"), "{log}");
        assert_eq!(tells(&log), None, "{log}");
        let seen = archive.seen();
        let (by_archive, by_login): (Vec<Seen>, Vec<Seen>) =
            seen.iter().filter(|seen| seen.host != "store").cloned().partition(|seen| seen.host == "archive");
        assert!(archive.count("store", "a.h5") >= 3);
        assert!(!shown(&seen, "authorization").contains("store") && !shown(&seen, "cookie").contains("store"));
        assert!(shown(&seen, "referer").is_empty());
        for seen in by_archive {
            assert!(!seen.headers.get("authorization").is_some_and(|value| value.to_str().unwrap().contains("Basic")));
        }
        for seen in by_login {
            assert!(!seen.headers.get("authorization").is_some_and(|value| value.to_str().unwrap().contains("Bearer")));
        }
    }
}

/// How many requests carried credentials.
fn logins(archive: &Archive) -> usize {
    archive.seen().iter().filter(|seen| seen.headers.contains_key("authorization")).count()
}

/// An archive of twelve files, and the list of them.
fn twelve_files() -> (Archive, Vec<Wanted>) {
    let archive = Archive::new();
    let names: Vec<String> = (0..12).map(|number| format!("f{number}.h5")).collect();
    for name in &names {
        archive.put(name, hdf5(1, 500));
    }
    let list = names.iter().map(|name| wanted(&archive, name)).collect();
    (archive, list)
}

#[test]
fn a_wrong_password_or_token_is_sent_once_however_many_files_are_wanted() {
    for (credentials, answer, what) in [
        (login("wrong"), 401, "login from the netrc"),
        (login("wrong"), 403, "login from the netrc"),
        (login("wrong"), 200, "login from the netrc"),
        (login("wrong"), 302, "login from the netrc"),
        (login("wrong"), 404, "login from the netrc"),
        (token("wrong"), 401, "token from the test"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (archive, list) = twelve_files();
        archive.answer_wrong_logins_with(answer);
        let outcomes = fetch_as(earthdata(&archive, credentials), folder.path(), list);
        for outcome in &outcomes {
            let error = outcome.result.as_ref().unwrap_err();
            assert!(error.ends_everything() && error.to_string().contains(what), "{answer}: {error}");
        }
        assert_eq!((outcomes.len(), logins(&archive)), (12, 1), "{answer} {what}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn nothing_more_is_asked_where_a_login_is_wanted_and_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let (archive, list) = twelve_files();
    let outcomes = fetch_as(earthdata(&archive, Credentials::default()), folder.path(), list);
    assert!(outcomes.iter().all(|outcome| matches!(outcome.result, Err(Error::NoLogin { .. }))), "{outcomes:?}");
    let connections = Options::new(folder.path()).connections;
    assert!(archive.seen().len() <= connections, "{} requests", archive.seen().len());
}

#[test]
fn a_file_that_a_token_does_not_open_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (archive, mut list) = twelve_files();
    let session = earthdata(&archive, token(TOKEN));
    let first = fetch_as(Arc::clone(&session), folder.path(), vec![list.remove(0)]);
    assert!(first[0].result.is_ok());
    archive.play("f5.h5", [Trick::WantLogin]);
    // A host that may not see the token, and that asks for a login.
    let foreign = archive.url("f6.h5").replace("127.0.0.1", "localhost");
    list[5].url = Url::parse(&foreign).unwrap();
    for Outcome { wanted, result } in fetch_as(session, folder.path(), list) {
        match wanted.name.as_str() {
            "f5.h5" | "f6.h5" => assert!(matches!(result, Err(Error::Forbidden { .. })), "{result:?}"),
            _ => assert!(result.is_ok(), "{result:?}"),
        }
    }
}

#[test]
fn a_login_goes_on_where_the_token_beside_it_is_refused_or_has_expired() {
    let expired = "e30.eyJ1aWQiOiJhbm4iLCJleHAiOjE3MDAwMDAwMDAsImlhdCI6MSwicyI6Ij8_Pj4ifQ.x";
    for (text, shown) in [("wrong", 1), (expired, 0)] {
        let folder = tempfile::tempdir().unwrap();
        let (archive, list) = twelve_files();
        let both = Credentials { token: token(text).token, login: login(PASSWORD).login };
        let log = Log::default();
        let outcomes = tracing::subscriber::with_default(log.subscriber(tracing::Level::WARN), || {
            fetch_as(earthdata(&archive, both), folder.path(), list)
        });
        assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()), "{outcomes:?}");
        let seen = archive.seen();
        let bearers = seen.iter().filter(|seen| {
            seen.headers.get("authorization").is_some_and(|value| value.to_str().unwrap().contains("Bearer"))
        });
        assert_eq!(bearers.count(), shown, "a token that was refused is not sent again");
        assert_eq!(log.text().matches("going on by user and password").count(), 1, "{}", log.text());
    }
}

#[test]
fn s3_credentials_are_got_by_login_where_a_token_is_not_enough_and_renewed_before_they_end() {
    let archive = Archive::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let endpoint = Url::parse(&archive.s3_endpoint()).unwrap();
    let both = Credentials { token: token(TOKEN).token, login: login(PASSWORD).login };
    let session = earthdata(&archive, both);
    archive.s3_expiration("2001-01-01 00:00:00+00:00");
    let first = runtime.block_on(session.s3_credentials(&endpoint)).unwrap();
    archive.s3_expiration("2099-01-01 00:00:00+00:00");
    let second = runtime.block_on(session.s3_credentials(&endpoint)).unwrap();
    let third = runtime.block_on(session.s3_credentials(&endpoint)).unwrap();
    assert!(first.access_key_id != second.access_key_id && second == third);
    let (by_token, folder) = (earthdata(&archive, token(TOKEN)), tempfile::tempdir().unwrap());
    let alone = runtime.block_on(by_token.s3_credentials(&endpoint)).unwrap_err();
    assert!(matches!(alone, Error::Forbidden { .. }), "{alone}");
    archive.put("a.h5", hdf5(1, 500));
    let outcomes = fetch_as(by_token, folder.path(), vec![wanted(&archive, "a.h5")]);
    assert!(outcomes[0].result.is_ok(), "the token is good for files nevertheless: {outcomes:?}");
}

/// The program, for which the archive is NASA's.
pub(crate) fn command(place: &Place, archive: &Archive, arguments: &[&str]) -> Command {
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

fn run(place: &Place, archive: &Archive, arguments: &[&str]) -> Run {
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
fn a_login_is_tried_once_kept_privately_and_then_enough_to_download() {
    use std::os::unix::fs::PermissionsExt;

    let (archive, _, content) = one_file();
    let place = Place::new();
    let login = |user, password: &str| type_in(command(&place, &archive, &["login", "--user", user]), password);
    let nobody = run(&place, &archive, &["login", "--check"]);
    assert!(nobody.code == Some(1) && nobody.stderr.contains("hint: `isdb login`"), "{}", nobody.stderr);
    let wrong = login(USER, "hunter2\n");
    assert_eq!((wrong.code, logins(&archive)), (Some(1), 1), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("refused the login") && !wrong.stderr.contains("hunter2"), "{}", wrong.stderr);
    assert!(!place.path("netrc").exists());
    for _ in 0..2 {
        let right = login(USER, &format!("{PASSWORD}\n"));
        assert_eq!(right.code, Some(0), "{}", right.stderr);
    }
    let text = std::fs::read_to_string(place.path("netrc")).unwrap();
    assert_eq!(text, format!("machine 127.0.0.1 login {USER} password {PASSWORD}\n"));
    assert_eq!(std::fs::metadata(place.path("netrc")).unwrap().permissions().mode() & 0o777, 0o600);
    let check = run(&place, &archive, &["login", "--check"]);
    assert!(
        check.stdout.contains("knows ann, by the user and password from ") && check.stdout.contains("2099-12-15"),
        "{}",
        check.stdout
    );
    let fetched = run(&place, &archive, &["download", &archive.url("a.h5")]);
    assert_eq!(fetched.code, Some(0), "{}", fetched.stderr);
    assert_eq!(fetched.stdout, "granules/a/a.h5\n");
    assert_eq!(std::fs::read(place.path("granules/a/a.h5")).unwrap(), content);
    let mut by_environment = command(&place, &archive, &["login", "--check"]);
    let wrong = by_environment.env("EARTHDATA_USERNAME", USER).env("EARTHDATA_PASSWORD", "wrong").output().unwrap();
    let told = Run::from(wrong).stderr;
    assert!(told.contains("refused the login from EARTHDATA_USERNAME and EARTHDATA_PASSWORD"), "{told}");
    let by_token = with_token(command(&place, &archive, &["login", "--check"]));
    assert!(by_token.stdout.contains("knows ann, by the token from EARTHDATA_TOKEN"), "{}", by_token.stdout);
}

#[test]
fn ctrl_c_at_the_question_for_a_user_ends_the_login() {
    let (archive, place) = (Archive::new(), Place::new());
    let mut command = command(&place, &archive, &["login"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let typing = child.stdin.take();
    let mut asked = [0; 8];
    std::io::Read::read_exact(child.stderr.as_mut().unwrap(), &mut asked).unwrap();
    assert_eq!(&asked, b"User of ");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(typing);
    assert!(archive.seen().is_empty() && !place.path("netrc").exists());
}

#[test]
fn an_expired_token_is_told_without_asking_anybody() {
    let (archive, _, _) = one_file();
    let place = Place::new();
    // {"uid":"ann","exp":1700000000,"iat":1,"s":"??>>"}
    let expired = "e30.eyJ1aWQiOiJhbm4iLCJleHAiOjE3MDAwMDAwMDAsImlhdCI6MSwicyI6Ij8_Pj4ifQ.x";
    for arguments in [&["login", "--check"][..], &["download", &archive.url("a.h5")]] {
        let told = Run::from(command(&place, &archive, arguments).env("EARTHDATA_TOKEN", expired).output().unwrap());
        assert_eq!(told.code, Some(1));
        let expected =
            "error: the Earthdata token from EARTHDATA_TOKEN expired on 2023-11-14 22:13 UTC\nhint: make a new token";
        assert!(told.stderr.contains(expected), "{}", told.stderr);
    }
    assert_eq!(archive.seen().len(), 0);
}

/// The granule that is called `a.h5` and so on in the archive.
fn granule(name: &str) -> String {
    format!("ATL08_20200821122613_08730802_007_{:02}.h5", name.as_bytes()[0] - b'`')
}

#[test]
fn a_list_is_fetched_as_far_as_it_can_be_and_the_rest_is_told() {
    let (archive, _, content) = one_file();
    let place = Place::new();
    let line = |name: &str, bytes: usize| {
        format!(
            "{{\"granule\":\"{}\",\"start\":\"2020-08-21T12:26:13Z\",\"concept_id\":\"G1-X\",\"https\":\"{}\",\"bytes\":{bytes},\
             \"has_exact_size\":true}}\n",
            granule(name),
            archive.url(name)
        )
    };
    let list = [
        line("a.h5", SIZE),
        line("b.h5", 10),
        line("c.h5", 10).replace(&format!("\"{}\"", archive.url("c.h5")), "null"),
    ]
    .concat();
    std::fs::write(place.path("list.ndjson"), list).unwrap();
    let arguments = ["download", "list.ndjson", "--to", "here", "--connections", "2"];
    let some = with_token(command(&place, &archive, &arguments));
    assert_eq!(some.code, Some(3), "{}", some.stderr);
    assert_eq!(std::fs::read(place_of(&place.path("here"), &granule("a.h5"))).unwrap(), content);
    for told in [
        "failed: ATL08_20200821122613_08730802_007_02.h5: ",
        "404 Not Found",
        "CMR names no place where its file is",
        "files: 1 fetched, 2 failed",
        "MB: 0.3 fetched",
    ] {
        assert!(some.stderr.contains(told), "{told} in {}", some.stderr);
    }
    let again = with_token(command(&place, &archive, &arguments));
    assert!(again.stderr.contains("files: 1 there already, 2 failed"), "{}", again.stderr);
    assert_eq!(archive.count("store", "a.h5"), 1, "what is there is not fetched again");
    std::fs::write(place.path("huge.ndjson"), line("d.h5", 1 << 60)).unwrap();
    let full = with_token(command(&place, &archive, &["download", "huge.ndjson"]));
    assert!(full.code == Some(1) && full.stderr.contains("bytes are free"), "{}", full.stderr);
    std::fs::write(place.path("wrong.ndjson"), "\n[]\n").unwrap();
    let wrong = with_token(command(&place, &archive, &["download", "wrong.ndjson"]));
    assert!(
        wrong.code == Some(1) && wrong.stderr.contains("wrong.ndjson is no work list\n  cause: line 2 "),
        "{}",
        wrong.stderr
    );
}

/// Lets the program go, for a random while.
fn killed_after(mut child: Child, pause: u64) {
    std::thread::sleep(Duration::from_millis(pause));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_download_killed_twenty_times_fetches_nothing_whole_again_and_accepts_nothing_corrupt() {
    let (archive, place) = (Archive::new(), Place::new());
    let mut random = Random::new(11);
    let names: Vec<String> = (0..8).map(|number| format!("f{number}.h5")).collect();
    let contents: Vec<Bytes> = (0..8).map(|seed| hdf5(seed, 4_000_000)).collect();
    for (name, content) in names.iter().zip(&contents) {
        archive.put(name, content.clone());
    }
    archive.slow_down(Duration::from_millis(3));
    let urls: Vec<String> = names.iter().map(|name| archive.url(name)).collect();
    let arguments = [vec!["download", "--connections", "3"], urls.iter().map(String::as_str).collect()].concat();
    let whole = |name: &str| place.path(&format!("granules/{}/{name}", name.trim_end_matches(".h5")));
    let part = |name: &str| std::fs::metadata(whole(name).with_extension("h5.part")).map_or(0, |part| part.len());
    let (mut there, mut begun, mut resumed) = (Vec::<&String>::new(), vec![0; names.len()], 0);
    for kill in 0..=20 {
        let before = archive.seen().len();
        let mut command = command(&place, &archive, &arguments);
        command.env("EARTHDATA_TOKEN", TOKEN).stdout(Stdio::null()).stderr(Stdio::null());
        if kill < 20 {
            killed_after(command.spawn().unwrap(), 40 + random.below(400));
        } else {
            assert!(command.status().unwrap().success(), "the last one is left to end");
        }
        let asked = archive.seen().split_off(before);
        for (index, (name, content)) in names.iter().zip(&contents).enumerate() {
            let of_it = |host| asked.iter().find(move |seen| seen.host == host && seen.path.ends_with(name.as_str()));
            assert!(!there.contains(&name) || of_it("archive").is_none(), "what is whole is not asked for again");
            if let (1.., Some(first)) = (begun[index], of_it("store")) {
                let range = first.headers.get("range").map(|range| range.to_str().unwrap().to_owned());
                assert_eq!(range, Some(format!("bytes={}-", begun[index])), "{name} goes on where it stopped");
                resumed += 1;
            }
            assert!(!whole(name).exists() || std::fs::read(whole(name)).unwrap() == *content, "{name} is corrupt");
            begun[index] = part(name);
        }
        there = names.iter().filter(|name| whole(name).exists()).collect();
    }
    assert_eq!(there.len(), names.len());
    assert!(resumed > 0, "no kill came while a file was on its way");
}

#[test]
fn two_downloads_into_one_folder_do_not_mix_their_bytes() {
    let (archive, place) = (Archive::new(), Place::new());
    let contents: Vec<Bytes> = (0..4).map(|seed| hdf5(seed, 1_000_000)).collect();
    let urls: Vec<String> = (0..4).map(|number| archive.url(&format!("f{number}.h5"))).collect();
    for (number, content) in contents.iter().enumerate() {
        archive.put(&format!("f{number}.h5"), content.clone());
    }
    archive.slow_down(Duration::from_millis(2));
    let arguments = [vec!["download"], urls.iter().map(String::as_str).collect()].concat();
    let spawn = || {
        let mut command = command(&place, &archive, &arguments);
        command.env("EARTHDATA_TOKEN", TOKEN).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    for ended in [spawn(), spawn()].map(|child| Run::from(child.wait_with_output().unwrap())) {
        assert!(ended.code == Some(0) || ended.stderr.contains("is being fetched already"), "{}", ended.stderr);
    }
    for (number, content) in contents.iter().enumerate() {
        let path = place.path(&format!("granules/f{number}/f{number}.h5"));
        assert!(std::fs::read(path).unwrap() == *content, "f{number}");
        assert_eq!(archive.sent(&format!("f{number}.h5")), content.len() as u64);
    }
}

#[test]
fn ctrl_c_leaves_what_the_next_run_goes_on_with() {
    let (archive, place) = (Archive::new(), Place::new());
    archive.put("a.h5", hdf5(1, 8_000_000));
    archive.slow_down(Duration::from_millis(2));
    let url = archive.url("a.h5");
    let mut first = command(&place, &archive, &["download", &url]);
    let child = first.env("EARTHDATA_TOKEN", TOKEN).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let part = place.path("granules/a/a.h5.part");
    while std::fs::metadata(&part).map_or(0, |part| part.len()) < 1 << 20 {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    let there = std::fs::metadata(&part).unwrap().len();
    archive.slow_down(Duration::ZERO);
    let last = with_token(command(&place, &archive, &["download", &url]));
    assert_eq!(last.code, Some(0), "{}", last.stderr);
    let ranges: Vec<String> = archive
        .seen()
        .iter()
        .filter_map(|seen| Some(seen.headers.get("range")?.to_str().unwrap().to_owned()))
        .collect();
    assert_eq!(ranges.last(), Some(&format!("bytes={there}-")), "{ranges:?}");
}

#[test]
fn a_large_file_does_not_fill_the_memory() {
    let (archive, place) = (Archive::new(), Place::new());
    archive.put("a.h5", hdf5(1, 200_000_000));
    archive.put("small.h5", hdf5(1, 1000));
    let peak = |name: &str| {
        let url = archive.url(name);
        let mut command = command(&place, &archive, &["download", &url]);
        let mut child =
            command.env("EARTHDATA_TOKEN", TOKEN).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut peak = 0;
        while child.try_wait().unwrap().is_none() {
            peak = peak.max(high_water(child.id()));
            std::thread::sleep(Duration::from_millis(5));
        }
        peak
    };
    let (small, large) = (peak("small.h5"), peak("a.h5"));
    assert_eq!(std::fs::metadata(place.path("granules/a/a.h5")).unwrap().len(), 200_000_000);
    eprintln!("peak memory: {small} kB for 1 kB, {large} kB for 200 MB");
    assert!(large > 0 && large < 150_000, "{large} kB");
}

/// The largest resident set of a process so far, in kB; 0 when it is gone.
fn high_water(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
