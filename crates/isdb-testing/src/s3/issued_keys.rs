//! Temporary keys, as the services give them that single sign-on and roles need.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::http::{Answer, Call};

/// The id of the key that may read and write.
pub const KEY_ID: &str = "AKIDTEST";
/// Its secret, which the server does not need.
pub const SECRET: &str = "secretOfTheTest";
/// The token that a single sign-on has left.
pub const SSO_TOKEN: &str = "ssoTokenOfTheTest";
/// The role of an account that the single sign-on gives.
const SSO_ROLE: &str = "Reader";
/// What the session tokens begin with.
pub const SESSION_TOKEN: &str = "sessionTokenOfTheTest";

/// The session tokens that were issued, and when they expire.
#[derive(Default)]
pub(super) struct IssuedKeys {
    tokens: Mutex<BTreeMap<String, DateTime<Utc>>>,
    lifetime: Mutex<Option<Duration>>,
}

impl IssuedKeys {
    pub(super) fn set_lifetime(&self, lifetime: Duration) {
        *self.lifetime.lock().unwrap_or_else(PoisonError::into_inner) = Some(lifetime);
    }

    pub(super) fn count(&self) -> usize {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether a session token was not issued, or has expired.
    pub(super) fn is_expired(&self, token: &str) -> bool {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        token.starts_with(SESSION_TOKEN) && tokens.get(token).is_none_or(|expires| *expires <= Utc::now())
    }

    /// Answers a request for a key; None for other requests.
    pub(super) fn answer(&self, call: &Call) -> Option<Answer> {
        let header = |name: &str| call.headers.get(name).map(String::as_str).unwrap_or_default();
        let (body, authorization) = (String::from_utf8_lossy(&call.body), header("authorization"));
        match (call.method.as_str(), call.key.as_str()) {
            ("GET", "federation/credentials") if header("x-amz-sso_bearer_token") != SSO_TOKEN => {
                Some(json(401, r#"{"message":"Session token not found or invalid"}"#))
            }
            ("GET", "federation/credentials") if call.query.get("role_name").is_none_or(|role| role != SSO_ROLE) => {
                Some(json(403, r#"{"message":"No access"}"#))
            }
            ("GET", "federation/credentials") => {
                let (token, expires) = self.issue();
                let milliseconds = expires.timestamp_millis();
                Some(json(
                    200,
                    &format!(
                        r#"{{"roleCredentials":{{"accessKeyId":"{KEY_ID}","secretAccessKey":"{SECRET}","sessionToken":"{token}","expiration":{milliseconds}}}}}"#
                    ),
                ))
            }
            ("POST", "") if !body.contains("Action=AssumeRole") => None,
            ("POST", "") if !authorization.contains("/sts/aws4_request") || body.contains("forbidden") => {
                Some(Answer::error(403, "AccessDenied"))
            }
            ("POST", "") => {
                let (token, expires) = self.issue();
                let expires = expires.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
                Some(Answer::xml(
                    200,
                    &format!(
                        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{KEY_ID}</AccessKeyId>\
                         <SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>{token}</SessionToken>\
                         <Expiration>{expires}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
                    ),
                ))
            }
            _ => None,
        }
    }

    fn issue(&self) -> (String, DateTime<Utc>) {
        let lifetime =
            self.lifetime.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(Duration::from_secs(3_600));
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let token = format!("{SESSION_TOKEN}{}", tokens.len());
        let expires = Utc::now() + lifetime;
        tokens.insert(token.clone(), expires);
        (token, expires)
    }
}

fn json(status: u16, text: &str) -> Answer {
    let headers = vec![("Content-Type", "application/json".to_owned())];
    Answer { status, headers, body: Arc::new(text.as_bytes().to_vec()) }
}
