//! Keys of an object store that a profile leads to: by single sign-on, a role, or a program.

use std::time::Duration;

use isdb_testing::s3::{KEY_ID, S3Server, SECRET, SESSION_TOKEN, SSO_TOKEN};

use crate::support::TestFolder;

const CONFIG: &str = "[profile work]\nsso_session = lab\nsso_account_id = 11\nsso_role_name = Reader\n\
    [sso-session lab]\nsso_start_url = https://lab.example/start\nsso_region = eu-west-1\n\
    [profile other]\nsso_session = lab\nsso_account_id = 11\nsso_role_name = Writer\n\
    [profile lake]\nrole_arn = arn:aws:iam::11:role/lake\nsource_profile = work\n\
    [profile closed]\nrole_arn = arn:aws:iam::11:role/forbidden\nsource_profile = work\n\
    [profile vault]\ncredential_process = /bin/cat \"KEY FILE\"\n\
    [profile broken]\ncredential_process = /bin/cat CONFIG\n\
    [profile missing]\ncredential_process = /no/such/program\n";

/// A folder as the home of a user who has signed on, and the variables of a server without a key.
fn prepared() -> (S3Server, TestFolder) {
    let (server, mut place) = (S3Server::start(), TestFolder::in_memory());
    let text = |name: &str| place.path(name).to_str().unwrap().to_owned();
    let (home, key_file, config) = (text("home"), text("key of mine.json"), text("home/.aws/config"));
    std::fs::create_dir_all(place.path("home/.aws/sso/cache")).unwrap();
    std::fs::write(&config, CONFIG.replace("KEY FILE", &key_file).replace("CONFIG", &config)).unwrap();
    let key = format!(r#"{{"Version": 1, "AccessKeyId": "{KEY_ID}", "SecretAccessKey": "{SECRET}"}}"#);
    std::fs::write(key_file, key).unwrap();
    let is_no_key = |(name, _): &(&str, String)| !["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].contains(name);
    place.set_variables(server.variables().into_iter().filter(is_no_key));
    place.set_variables([
        ("HOME", home),
        ("AWS_ENDPOINT_URL_SSO", server.endpoint()),
        ("AWS_ENDPOINT_URL_STS", server.endpoint()),
        ("ISDB_DB", "s3://bucket/db".to_owned()),
    ]);
    place.synthesise("granules", 2, 40);
    (server, place)
}

fn sign_on(place: &TestFolder, expires: &str) {
    let token = format!(
        r#"{{"startUrl": "https://lab.example/start", "accessToken": "{SSO_TOKEN}", "expiresAt": "{expires}"}}"#
    );
    std::fs::write(place.path("home/.aws/sso/cache/0123abcd.json"), token).unwrap();
}

#[test]
fn profiles_lead_to_keys_which_are_renewed_and_never_logged() {
    let (server, mut place) = prepared();
    sign_on(&place, "2999-01-01T00:00:00Z");
    let mut written = String::new();
    let mut run = |place: &mut TestFolder, profile: &str, arguments: &[&str]| {
        place.set_variables([("AWS_PROFILE", profile.to_owned())]);
        let run = place.ok(&[&["--log", "trace"], arguments].concat());
        written += &(run.stdout + &run.stderr);
    };
    run(&mut place, "work", &["ingest", "granules"]);
    assert_eq!(server.issued_keys(), 1, "a key is valid for an hour");
    run(&mut place, "vault", &["info"]);
    assert_eq!(server.issued_keys(), 1);
    run(&mut place, "lake", &["query", "SELECT count(*) FROM atl08"]);
    assert_eq!(server.issued_keys(), 3, "one of the single sign-on, and one of the role");
    server.set_key_lifetime(Duration::from_secs(60));
    run(&mut place, "work", &["query", "SELECT count(*) FROM atl08"]);
    assert_eq!(server.issued_keys(), 4, "a key that expires soon is not requested for each request of data");
    for secret in [SECRET, SSO_TOKEN, SESSION_TOKEN] {
        assert!(!written.contains(secret), "{secret} is in the log");
    }
}

/// Asserts that a query with this profile is refused with these texts.
fn assert_refused(place: &mut TestFolder, profile: &str, expected: [&str; 2]) {
    place.set_variables([("AWS_PROFILE", profile.to_owned())]);
    let run = place.run(&["query", "SELECT count(*) FROM atl08"]);
    let has_all = expected.iter().all(|expected| run.stderr.contains(expected));
    assert!(run.code != Some(0) && has_all && run.stderr.lines().count() <= 3, "{profile}: {}", run.stderr);
    assert!(!run.stderr.contains(SECRET) && !run.stderr.contains(SSO_TOKEN));
}

#[test]
fn a_profile_that_leads_to_no_key_is_one_error_with_what_helps() {
    let (_server, mut place) = prepared();
    for (profile, expected) in [
        ("work", ["found no single sign-on of the profile work", "hint: `aws sso login --profile work` signs on"]),
        ("broken", ["printed no key", "hint: run credential_process of the profile broken"]),
        ("missing", ["cannot be run", "hint: run credential_process of the profile missing"]),
    ] {
        assert_refused(&mut place, profile, expected);
    }
    sign_on(&place, "2020-01-01T00:00:00Z");
    let expired = ["the single sign-on of the profile work has expired", "hint: `aws sso login --profile work`"];
    assert_refused(&mut place, "lake", expired);
    sign_on(&place, "2999-01-01T00:00:00Z");
    for (profile, expected) in [
        ("other", ["gives no key of role Writer in account 11: 403", "hint: check sso_account_id"]),
        ("closed", ["cannot assume the role arn:aws:iam::11:role/forbidden: AccessDenied", "hint: check role_arn"]),
    ] {
        assert_refused(&mut place, profile, expected);
    }
}
