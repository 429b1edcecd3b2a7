//! Credentials: the hosts that receive them, and refused ones.

use super::*;

/// The secret that `text` contains.
fn secret_in(text: &str) -> Option<&'static str> {
    [TOKEN, BASIC, PASSWORD, SIGNATURE, "session-cookie", "s3-secret"].into_iter().find(|secret| text.contains(secret))
}

/// The hosts that received this header, in order.
fn hosts_that_received(seen: &[Seen], header: &str) -> HashSet<&'static str> {
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
    /// Runs `body` with this log as the subscriber of `tracing`.
    fn record<T>(&self, level: tracing::Level, body: impl FnOnce() -> T) -> T {
        // With a single subscriber, tracing decides once per call site whether it is enabled, by the thread that
        // passes first, which may be that of another test without subscriber. With a second subscriber it asks
        // all of them.
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

/// Records events of `tracing`; reqwest logs through `log`, which the program does not use.
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
        let outcomes = log.record(tracing::Level::TRACE, || {
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
            let message = format!("{outcome:?}");
            assert_eq!(secret_in(&message), None, "{message}");
        }
        let log = log.text();
        assert!(log.contains("/data/a.h5") && log.contains("/bucket/a.h5"), "{log}");
        assert_eq!(secret_in(&log), None, "{log}");
        let seen = archive.seen();
        let (by_archive, by_login): (Vec<Seen>, Vec<Seen>) =
            seen.iter().filter(|seen| seen.host != "store").cloned().partition(|seen| seen.host == "archive");
        assert!(archive.count("store", "a.h5") >= 3);
        assert!(
            !hosts_that_received(&seen, "authorization").contains("store")
                && !hosts_that_received(&seen, "cookie").contains("store")
        );
        assert!(hosts_that_received(&seen, "referer").is_empty());
        for seen in by_archive {
            assert!(!seen.headers.get("authorization").is_some_and(|value| value.to_str().unwrap().contains("Basic")));
        }
        for seen in by_login {
            assert!(!seen.headers.get("authorization").is_some_and(|value| value.to_str().unwrap().contains("Bearer")));
        }
    }
}

/// An archive of twelve files, and the requests for them.
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
fn a_wrong_password_or_token_is_sent_once_for_any_number_of_files() {
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
            // All have the same error as the first.
            let is_unanswered = matches!(error, Error::UnexpectedLoginResponse { .. });
            assert_eq!(is_unanswered, matches!(answer, 200 | 302 | 404), "{answer}: {error}");
        }
        assert_eq!((outcomes.len(), logins(&archive)), (12, 1), "{answer} {what}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn without_credentials_no_further_files_are_requested() {
    let folder = tempfile::tempdir().unwrap();
    let (archive, list) = twelve_files();
    let outcomes = fetch_as(earthdata(&archive, Credentials::default()), folder.path(), list);
    assert!(outcomes.iter().all(|outcome| matches!(outcome.result, Err(Error::NoLogin { .. }))), "{outcomes:?}");
    let connections = DownloadOptions::new(folder.path(), granule_format()).connections;
    assert!(archive.seen().len() <= connections, "{} requests", archive.seen().len());
}

#[test]
fn a_file_that_the_token_may_not_read_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (archive, mut list) = twelve_files();
    let session = earthdata(&archive, token(TOKEN));
    let first = fetch_as(Arc::clone(&session), folder.path(), vec![list.remove(0)]);
    assert!(first[0].result.is_ok());
    archive.play("f5.h5", [Trick::WantLogin]);
    // A host to which the token may not be sent, and that requires a login.
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
fn a_password_is_sent_to_the_login_host_for_the_archive_only() {
    let (archive, folder, content) = one_file();
    let foreign = Url::parse(&archive.url("a.h5").replace("127.0.0.1", "localhost")).unwrap();
    let direct = Url::parse(&format!("{}/oauth/authorize?client_id=evil&state=x", archive.login_url())).unwrap();
    for url in [foreign, direct] {
        let session = earthdata(&archive, login(PASSWORD));
        let list = vec![DownloadRequest { url: url.clone(), ..wanted(&archive, "a.h5") }];
        let error = fetch_as(session, folder.path(), list).pop().unwrap().result.unwrap_err();
        assert!(matches!(error, Error::UntrustedHost { .. } | Error::Forbidden { .. }), "{url}: {error}");
        assert_eq!(logins(&archive), 0, "{url}: the password is not sent");
    }
    let list = vec![wanted(&archive, "a.h5")];
    let fetched = fetch_as(earthdata(&archive, login(PASSWORD)), folder.path(), list).pop().unwrap().result.unwrap();
    assert_eq!(std::fs::read(fetched.path).unwrap(), content);
}

#[test]
fn one_refusal_of_a_working_token_is_retried_and_a_revoked_token_ends_the_run() {
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
fn a_missing_licence_for_the_first_file_does_not_reject_the_token() {
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
fn after_repeated_refusals_the_remaining_files_are_not_requested() {
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
fn a_refused_or_expired_token_falls_back_to_user_and_password() {
    let expired = "e30.eyJ1aWQiOiJhbm4iLCJleHAiOjE3MDAwMDAwMDAsImlhdCI6MSwicyI6Ij8_Pj4ifQ.x";
    for (text, shown) in [("wrong", 1), (expired, 0)] {
        let folder = tempfile::tempdir().unwrap();
        let (archive, list) = twelve_files();
        let both = Credentials { token: token(text).token, login: login(PASSWORD).login };
        let log = Log::default();
        let outcomes = log.record(tracing::Level::WARN, || fetch_as(earthdata(&archive, both), folder.path(), list));
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
fn s3_credentials_need_user_and_password_and_are_renewed_before_they_expire() {
    let archive = Archive::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let endpoint = Url::parse(&archive.s3_endpoint()).unwrap();
    let both = Credentials { token: token(TOKEN).token, login: login(PASSWORD).login };
    let session = earthdata(&archive, both);
    // The earliest date of chrono.
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
