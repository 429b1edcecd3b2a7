//! Who sees credentials, and what becomes of those that are refused.

use super::*;

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
    /// What `body` does, told into this log.
    fn of<T>(&self, level: tracing::Level, body: impl FnOnce() -> T) -> T {
        // While one subscriber is all there is, tracing settles whether a place in the code is told at all by
        // asking the thread that comes by first, which may be another test's that listens to nothing. With a
        // second one it asks them all.
        static BESIDE: LazyLock<tracing::Dispatch> =
            LazyLock::new(|| tracing::Dispatch::new(tracing_subscriber::registry()));
        LazyLock::force(&BESIDE);
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt().with_max_level(level).with_writer(move || log.clone()).finish();
        tracing::subscriber::with_default(subscriber, body)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Sees what is told by `tracing`; reqwest tells by `log`, to which nothing in the program listens.
#[test]
fn credentials_reach_their_own_hosts_only_and_no_log() {
    let both = Credentials { token: token(TOKEN).token, login: login(PASSWORD).login };
    for credentials in [token(TOKEN), login(PASSWORD), both] {
        let (archive, folder, _) = one_file();
        archive.put("b.h5", hdf5(2, 1000));
        archive.play("a.h5", [Trick::Cut(9000), Trick::Store(403), Trick::Stall(10), Trick::Archive(502, vec![])]);
        archive.play("b.h5", [Trick::Page]);
        let log = Log::default();
        let list = vec![wanted(&archive, "a.h5"), wanted(&archive, "b.h5")];
        let with_login = credentials.login.is_some();
        let earthdata = session(&archive, credentials.clone(), SHORT);
        let outcomes = log.of(tracing::Level::TRACE, || {
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

/// An archive of twelve files, and the list of them.
fn twelve_files() -> (Archive, Vec<DownloadRequest>) {
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
            assert!(error.is_login_error() && error.to_string().contains(what), "{answer}: {error}");
            // All say the same as the first, whichever came first.
            let is_unanswered = matches!(error, Error::UnexpectedLoginResponse { .. });
            assert_eq!(is_unanswered, matches!(answer, 200 | 302 | 404), "{answer}: {error}");
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
    let connections = DownloadOptions::new(folder.path(), granule_format()).connections;
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
    for DownloadOutcome { request, result } in fetch_as(session, folder.path(), list) {
        match request.name.as_str() {
            "f5.h5" => assert!(matches!(result, Err(Error::Forbidden { .. })), "{result:?}"),
            "f6.h5" => assert!(matches!(result, Err(Error::UntrustedHost { .. })), "{result:?}"),
            _ => assert!(result.is_ok(), "{result:?}"),
        }
    }
}

#[test]
fn a_login_is_shown_to_the_login_host_for_the_archive_only() {
    let (archive, folder, content) = one_file();
    let foreign = Url::parse(&archive.url("a.h5").replace("127.0.0.1", "localhost")).unwrap();
    let direct = Url::parse(&format!("{}/oauth/authorize?client_id=evil&state=x", archive.login_url())).unwrap();
    for url in [foreign, direct] {
        let session = earthdata(&archive, login(PASSWORD));
        let list = vec![DownloadRequest { url: url.clone(), ..wanted(&archive, "a.h5") }];
        let error = fetch_as(session, folder.path(), list).pop().unwrap().result.unwrap_err();
        assert!(matches!(error, Error::UntrustedHost { .. } | Error::Forbidden { .. }), "{url}: {error}");
        assert_eq!(logins(&archive), 0, "{url}: nobody sees the password");
    }
    let list = vec![wanted(&archive, "a.h5")];
    let fetched = fetch_as(earthdata(&archive, login(PASSWORD)), folder.path(), list).pop().unwrap().result.unwrap();
    assert_eq!(std::fs::read(fetched.path).unwrap(), content);
}

#[test]
fn one_refusal_of_a_token_that_has_worked_costs_nothing_and_a_revoked_one_ends_everything() {
    let folder = tempfile::tempdir().unwrap();
    let (archive, mut list) = twelve_files();
    let session = earthdata(&archive, token(TOKEN));
    assert!(fetch_as(Arc::clone(&session), folder.path(), vec![list.remove(0)])[0].result.is_ok());
    archive.play("f3.h5", [Trick::Archive(401, vec![])]);
    archive.play("f4.h5", vec![Trick::Archive(401, vec![]); 9]);
    archive.play("f9.h5", [Trick::Revoke]);
    let last = list.split_off(8);
    for DownloadOutcome { request, result } in fetch_as(Arc::clone(&session), folder.path(), list) {
        match request.name.as_str() {
            "f4.h5" => assert!(matches!(result, Err(Error::GivenUp { .. })), "{result:?}"),
            "f3.h5" => assert_eq!(result.unwrap().attempts, 2),
            _ => assert!(result.is_ok(), "{result:?}"),
        }
    }
    let (revoked, others) = last.split_at(1);
    let mut outcomes = fetch_as(Arc::clone(&session), folder.path(), revoked.to_vec());
    outcomes.extend(fetch_as(session, folder.path(), others.to_vec()));
    assert!(outcomes.iter().all(|outcome| outcome.result.as_ref().is_err_and(Error::is_login_error)), "{outcomes:?}");
}

#[test]
fn a_first_file_that_wants_a_licence_does_not_condemn_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let (archive, list) = twelve_files();
    archive.play("f0.h5", [Trick::WantLogin]);
    for DownloadOutcome { request, result } in fetch_as(earthdata(&archive, token(TOKEN)), folder.path(), list) {
        match request.name.as_str() {
            "f0.h5" => assert!(matches!(result, Err(Error::Forbidden { .. })), "{result:?}"),
            _ => assert!(result.is_ok(), "{}: {result:?}", request.name),
        }
    }
}

#[test]
fn where_file_after_file_is_refused_the_rest_is_not_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::new();
    let names: Vec<String> = (0..30).map(|number| format!("f{number}.h5")).collect();
    for name in &names {
        archive.put(name, hdf5(1, 500));
        archive.play(name, [Trick::Archive(403, vec![])]);
    }
    let list: Vec<DownloadRequest> = names.iter().map(|name| wanted(&archive, name)).collect();
    let session = earthdata(&archive, token(TOKEN));
    let outcomes = fetch_as(Arc::clone(&session), folder.path(), list);
    assert!(outcomes.iter().all(|outcome| matches!(outcome.result, Err(Error::Forbidden { .. }))), "{outcomes:?}");
    let connections = DownloadOptions::new(folder.path(), granule_format()).connections;
    assert!(archive.seen().len() < 5 + connections, "{} requests", archive.seen().len());
}

#[test]
fn a_login_goes_on_where_the_token_beside_it_is_refused_or_has_expired() {
    let expired = "e30.eyJ1aWQiOiJhbm4iLCJleHAiOjE3MDAwMDAwMDAsImlhdCI6MSwicyI6Ij8_Pj4ifQ.x";
    for (text, shown) in [("wrong", 1), (expired, 0)] {
        let folder = tempfile::tempdir().unwrap();
        let (archive, list) = twelve_files();
        let both = Credentials { token: token(text).token, login: login(PASSWORD).login };
        let log = Log::default();
        let outcomes = log.of(tracing::Level::WARN, || fetch_as(earthdata(&archive, both), folder.path(), list));
        assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()), "{outcomes:?}");
        let seen = archive.seen();
        let bearers = seen.iter().filter(|seen| {
            seen.headers.get("authorization").is_some_and(|value| value.to_str().unwrap().contains("Bearer"))
        });
        assert_eq!(bearers.count(), shown, "a token that was refused is not sent again");
        assert_eq!(log.text().matches("continuing with user and password").count(), 1, "{}", log.text());
    }
}

#[test]
fn s3_credentials_are_got_by_login_where_a_token_is_not_enough_and_renewed_before_they_end() {
    let archive = Archive::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let endpoint = Url::parse(&archive.s3_endpoint()).unwrap();
    let both = Credentials { token: token(TOKEN).token, login: login(PASSWORD).login };
    let session = earthdata(&archive, both);
    // The first day that there is.
    archive.s3_expiration("-262143-01-01 00:00:00+00:00");
    let first = runtime.block_on(session.s3_credentials(&endpoint)).unwrap();
    archive.s3_expiration("2099-01-01 00:00:00+00:00");
    let second = runtime.block_on(session.s3_credentials(&endpoint)).unwrap();
    let third = runtime.block_on(session.s3_credentials(&endpoint)).unwrap();
    assert!(
        first.access_key_id.expose_secret() != second.access_key_id.expose_secret() && Arc::ptr_eq(&second, &third)
    );
    let (by_token, folder) = (earthdata(&archive, token(TOKEN)), tempfile::tempdir().unwrap());
    let alone = runtime.block_on(by_token.s3_credentials(&endpoint)).unwrap_err();
    assert!(matches!(alone, Error::Forbidden { .. }), "{alone}");
    archive.put("a.h5", hdf5(1, 500));
    let list = futures::stream::iter([wanted(&archive, "a.h5")]);
    let outcomes: Vec<DownloadOutcome> =
        runtime.block_on(download(by_token, list, options(folder.path()), |_| ()).collect());
    assert!(outcomes[0].result.is_ok(), "the token is good for files nevertheless: {outcomes:?}");
}
