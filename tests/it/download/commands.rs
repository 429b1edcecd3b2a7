//! The commands `isdb login` and `isdb download`.

use super::*;

#[test]
fn a_login_is_checked_once_stored_privately_and_used_by_downloads() {
    use std::os::unix::fs::PermissionsExt;

    let (archive, _, content) = one_file();
    let place = TestFolder::new();
    let login = |user, password: &str| type_in(command(&place, &archive, &["login", "--user", user]), password);
    let without_login = run(&place, &archive, &["login", "--check"]);
    assert!(
        without_login.code == Some(1) && without_login.stderr.contains("hint: `isdb login`"),
        "{}",
        without_login.stderr
    );
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
        check.stdout.contains("Logged in to Earthdata as ann (user and password from ")
            && check.stdout.contains("2099-12-15"),
        "{}",
        check.stdout
    );
    let fetched = run(&place, &archive, &["download", &archive.url("a.h5")]);
    assert_eq!(fetched.code, Some(0), "{}", fetched.stderr);
    assert_eq!(fetched.stdout, "granules/a/a.h5\n");
    assert_eq!(std::fs::read(place.path("granules/a/a.h5")).unwrap(), content);
    let mut by_environment = command(&place, &archive, &["login", "--check"]);
    let wrong = by_environment.env("EARTHDATA_USERNAME", USER).env("EARTHDATA_PASSWORD", "wrong").output().unwrap();
    let message = Run::from(wrong).stderr;
    assert!(message.contains("refused the login from EARTHDATA_USERNAME and EARTHDATA_PASSWORD"), "{message}");
    let by_token = with_token(command(&place, &archive, &["login", "--check"]));
    assert!(
        by_token.stdout.contains("Logged in to Earthdata as ann (token from EARTHDATA_TOKEN"),
        "{}",
        by_token.stdout
    );
}

#[test]
fn closing_the_pipe_of_the_paths_ends_an_unfinished_download() {
    let (archive, place) = (Archive::new(), TestFolder::new());
    let urls: Vec<String> = (0..6).map(|i| archive.url(&format!("f{i}.h5"))).collect();
    for i in 0..6 {
        archive.put(&format!("f{i}.h5"), hdf5(i, 20_000));
    }
    let command = |urls: &[String]| {
        let arguments: Vec<&str> = ["download"].into_iter().chain(urls.iter().map(String::as_str)).collect();
        let mut command = command(&place, &archive, &arguments);
        command.env("EARTHDATA_TOKEN", TOKEN);
        command
    };
    let run = crate::closed_output::unread(command(&urls));
    assert_eq!(run.code, Some(1), "not all of the files are there: {}", run.stderr);
    assert!(!run.stderr.contains("error") && !run.stderr.contains("panicked"), "{}", run.stderr);
    let last = crate::closed_output::unread(command(&urls[..1]));
    assert_eq!(last.code, Some(0), "nothing is left to do: {}", last.stderr);
}

#[test]
fn ctrl_c_at_the_user_name_ends_the_login() {
    let (archive, place) = (Archive::new(), TestFolder::new());
    let mut command = command(&place, &archive, &["login"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let typing = child.stdin.take();
    let mut question = [0; 8];
    std::io::Read::read_exact(child.stderr.as_mut().unwrap(), &mut question).unwrap();
    assert_eq!(&question, b"User of ");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(typing);
    assert!(archive.seen().is_empty() && !place.path("netrc").exists());
}

#[test]
fn an_expired_token_is_reported_without_a_request() {
    let (archive, _, _) = one_file();
    let place = TestFolder::new();
    // {"uid":"ann","exp":1700000000,"iat":1,"s":"??>>"}
    let expired = "e30.eyJ1aWQiOiJhbm4iLCJleHAiOjE3MDAwMDAwMDAsImlhdCI6MSwicyI6Ij8_Pj4ifQ.x";
    for arguments in [&["login", "--check"][..], &["download", &archive.url("a.h5")]] {
        let message = Run::from(command(&place, &archive, arguments).env("EARTHDATA_TOKEN", expired).output().unwrap());
        assert_eq!(message.code, Some(1));
        let expected =
            "error: the Earthdata token from EARTHDATA_TOKEN expired on 2023-11-14 22:13 UTC\nhint: make a new token";
        assert!(message.stderr.contains(expected), "{}", message.stderr);
    }
    assert_eq!(archive.seen().len(), 0);
}

/// The granule with the name `a.h5` and so on in the archive.
fn granule(name: &str) -> String {
    format!("ATL08_20200821122613_08730802_007_{:02}.h5", name.as_bytes()[0] - b'`')
}

#[test]
fn closing_the_pipe_ends_a_download_and_reports_the_remaining_files() {
    let archive = Archive::new();
    let place = TestFolder::new();
    let urls: Vec<String> = (0..6).map(|number| archive.url(&format!("f{number}.h5"))).collect();
    (0..6).for_each(|number| archive.put(&format!("f{number}.h5"), hdf5(number, 1000)));
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let arguments = [&["download", "--connections", "1"], &urls[..]].concat();
    let gone = || {
        let mut command = command(&place, &archive, &arguments);
        let mut child =
            command.env("EARTHDATA_TOKEN", TOKEN).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    let (code, message) = gone();
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("stopped: standard output was closed; 5 of 6 files were not downloaded"), "{message}");
}

#[test]
fn a_missing_licence_is_reported_once() {
    let (archive, place) = (Archive::new(), TestFolder::new());
    let urls: Vec<String> = (0..8).map(|number| archive.url(&format!("f{number}.h5"))).collect();
    for number in 0..8 {
        archive.put(&format!("f{number}.h5"), hdf5(number, 1000));
        archive.play(&format!("f{number}.h5"), [Trick::Archive(403, vec![])]);
    }
    let arguments = [vec!["download"], urls.iter().map(String::as_str).collect()].concat();
    let run = with_token(command(&place, &archive, &arguments));
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    let count = |text: &str| run.stderr.matches(text).count();
    assert_eq!((count("failed: "), count("the same for 7 others: "), count("hint: ")), (1, 1, 1), "{}", run.stderr);
    assert!(run.stderr.contains("EULA") && !run.stderr.contains(".part"), "{}", run.stderr);
}

#[test]
fn a_password_in_a_url_is_hidden_in_messages() {
    let (archive, place) = (Archive::new(), TestFolder::new());
    let run = run(&place, &archive, &["download", "https://ann:hunter2@x.example/?token=hunter2"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("x.example") && !run.stderr.contains("hunter2"), "{}", run.stderr);
}

#[test]
fn a_list_is_downloaded_as_far_as_possible_and_failures_are_reported() {
    let (archive, _, content) = one_file();
    let place = TestFolder::new();
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
    assert_eq!(std::fs::read(target_path(&place.path("here"), &granule("a.h5"))).unwrap(), content);
    for message in [
        "failed: ATL08_20200821122613_08730802_007_02.h5: ",
        "404 Not Found",
        "CMR gives no URL for its file",
        "files: 1 downloaded, 2 failed",
        "MB: 0.3 downloaded",
    ] {
        assert!(some.stderr.contains(message), "{message} in {}", some.stderr);
    }
    let again = with_token(command(&place, &archive, &arguments));
    assert!(again.stderr.contains("files: 1 already complete, 2 failed"), "{}", again.stderr);
    assert_eq!(archive.count("store", "a.h5"), 1, "what is there is not fetched again");
    // Together more than the free space.
    let huge: Vec<String> = ('d'..='w').map(|letter| line(&format!("{letter}.h5"), 1 << 40)).collect();
    std::fs::write(place.path("huge.ndjson"), huge.concat()).unwrap();
    let full = with_token(command(&place, &archive, &["download", "huge.ndjson"]));
    assert!(full.code == Some(1) && full.stderr.contains("bytes of free space"), "{}", full.stderr);
    std::fs::write(place.path("absurd.ndjson"), line("a.h5", SIZE) + &line("b.h5", usize::MAX)).unwrap();
    let absurd = with_token(command(&place, &archive, &["download", "absurd.ndjson"]));
    assert_eq!((absurd.code, absurd.stdout.lines().count()), (Some(3), 1), "{}", absurd.stderr);
    let message = format!("{}: expected a size of at most 1099511627776 bytes, found {}", granule("b.h5"), usize::MAX);
    assert!(absurd.stderr.contains(&message), "{}", absurd.stderr);
    std::fs::write(place.path("wrong.ndjson"), "\n[]\n").unwrap();
    let wrong = with_token(command(&place, &archive, &["download", "wrong.ndjson"]));
    assert!(
        wrong.code == Some(1) && wrong.stderr.contains("invalid work list wrong.ndjson\n  cause: line 2 "),
        "{}",
        wrong.stderr
    );
}
