//! Keys of an account, by the token that `aws sso login` has left.

use std::path::Path;

use chrono::{DateTime, Utc};
use http::Method;
use object_store::aws::AwsCredential;
use object_store::client::HttpRequestBody;
use serde::Deserialize;
use url::Url;

use super::credential_request::{CredentialProblem, CredentialRequests, ExpiringKey};
use crate::files::storage_settings::SsoAccount;

/// A token in the cache. Other files there have a client instead.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CachedToken {
    start_url: String,
    access_token: String,
    expires_at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoleAnswer {
    role_credentials: RoleCredentials,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoleCredentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    /// Milliseconds since 1970.
    expiration: i64,
}

/// Requests a key of the account.
pub(super) async fn key(account: &SsoAccount, requests: &CredentialRequests) -> Result<ExpiringKey, CredentialProblem> {
    let login = |problem: String| {
        CredentialProblem::new(problem)
            .with_hint(format!("`aws sso login --profile {}` signs on again", account.profile))
    };
    let (cache, start_url) = (account.cache.clone(), account.start_url.clone());
    let found = tokio::task::spawn_blocking(move || newest_token(&cache, &start_url, Utc::now())).await;
    let token = match found.unwrap_or(Err(true)) {
        Ok(token) => token,
        Err(true) => return Err(login(format!("the single sign-on of the profile {} has expired", account.profile))),
        Err(false) => return Err(login(format!("found no single sign-on of the profile {}", account.profile))),
    };
    let request = || {
        let invalid =
            |error: &dyn std::fmt::Display| CredentialProblem::new(format!("invalid single sign-on: {error}"));
        let mut url =
            Url::parse(&format!("{}/federation/credentials", requests.endpoint())).map_err(|error| invalid(&error))?;
        url.query_pairs_mut()
            .append_pair("role_name", &account.role_name)
            .append_pair("account_id", &account.account_id);
        let request = http::Request::builder().method(Method::GET).uri(url.as_str());
        let request = request.header("x-amz-sso_bearer_token", &token).body(HttpRequestBody::empty());
        // The error does not show the header.
        request.map_err(|_| invalid(&"the token or the URL"))
    };
    let answer = requests.send(request).await?;
    match answer.status {
        401 => return Err(login(format!("the single sign-on of the profile {} has expired", account.profile))),
        _ if !answer.is_success() => {
            let SsoAccount { profile, role_name, account_id, .. } = account;
            let problem = format!(
                "the single sign-on of the profile {profile} gives no key of role {role_name} in account {account_id}: {}",
                answer.refusal()
            );
            return Err(
                CredentialProblem::new(problem).with_hint("check sso_account_id and sso_role_name of the profile")
            );
        }
        _ => {}
    }
    // A parser's error would show a part of the answer.
    let unreadable = || CredentialProblem::new(format!("cannot read the answer of {}", requests.endpoint()));
    let RoleAnswer { role_credentials } = serde_json::from_str(&answer.body).map_err(|_| unreadable())?;
    let RoleCredentials { access_key_id, secret_access_key, session_token, expiration } = role_credentials;
    let key = AwsCredential { key_id: access_key_id, secret_key: secret_access_key, token: Some(session_token) };
    let expires = DateTime::from_timestamp_millis(expiration).ok_or_else(unreadable)?;
    Ok(ExpiringKey { key, expires: Some(expires) })
}

/// The token for `start_url` in the folder that expires last. An error says whether there is an expired one.
fn newest_token(cache: &Path, start_url: &str, now: DateTime<Utc>) -> Result<String, bool> {
    let files = std::fs::read_dir(cache).map_err(|_| false)?.filter_map(|entry| Some(entry.ok()?.path()));
    let texts = files.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    let tokens = texts.filter_map(|path| {
        let token: CachedToken = serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()?;
        let expires = token.expires_at.replace("UTC", "Z").parse::<DateTime<Utc>>().ok()?;
        (token.start_url.trim_end_matches(['/', '#']) == start_url.trim_end_matches(['/', '#']))
            .then_some((expires, token))
    });
    let (expires, token) = tokens.max_by_key(|(expires, _)| *expires).ok_or(false)?;
    if expires > now { Ok(token.access_token) } else { Err(true) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_that_expires_last_is_used_and_an_expired_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let now = "2026-01-02T00:00:00Z".parse().unwrap();
        let token = |url: &str| newest_token(folder.path(), url, now);
        assert_eq!(token("https://a"), Err(false));
        write("client.json", r#"{"clientId": "x", "expiresAt": "2030-01-01T00:00:00Z"}"#);
        write("old.json", r#"{"startUrl": "https://a/", "accessToken": "old", "expiresAt": "2026-01-01T00:00:00UTC"}"#);
        assert_eq!(token("https://a"), Err(true));
        write("new.json", r#"{"startUrl": "https://a", "accessToken": "new", "expiresAt": "2026-01-03T00:00:00Z"}"#);
        write("other.json", r#"{"startUrl": "https://b", "accessToken": "b", "expiresAt": "2026-01-09T00:00:00Z"}"#);
        assert_eq!(token("https://a"), Ok("new".to_owned()));
    }
}
