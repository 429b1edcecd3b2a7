//! Temporary credentials for the archive's S3 bucket. They expire after about an hour and work only in the bucket's AWS region.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Url;
use secrecy::SecretString;
use serde::Deserialize;
use tokio::sync::Mutex;

/// Credentials are replaced this long before they expire, so that reads which have started can finish.
const EXPIRY_MARGIN: TimeDelta = TimeDelta::minutes(5);

/// Temporary S3 credentials.
#[derive(Debug, Clone)]
pub struct S3Credentials {
    /// The id of the access key.
    pub access_key_id: SecretString,
    /// The access key.
    pub secret_access_key: SecretString,
    /// The session token, part of every temporary key.
    pub session_token: SecretString,
    /// When S3 stops accepting them.
    pub expires: DateTime<Utc>,
}

/// The newest credentials of each endpoint. Locked during a request, so that concurrent callers share its result.
#[derive(Debug, Default)]
pub(crate) struct S3CredentialCache(pub(crate) Mutex<HashMap<Url, Arc<S3Credentials>>>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CredentialReply {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
}

impl S3Credentials {
    /// Whether they are valid long enough to be used.
    pub(crate) fn is_fresh(&self) -> bool {
        self.expires > Utc::now() + EXPIRY_MARGIN
    }

    /// Parses the JSON that the archive returns.
    pub(crate) fn parse(json: &[u8]) -> Option<S3Credentials> {
        let reply: CredentialReply = serde_json::from_slice(json).ok()?;
        let expires = DateTime::parse_from_rfc3339(&reply.expiration)
            .or_else(|_| DateTime::parse_from_str(&reply.expiration, "%Y-%m-%d %H:%M:%S%:z"))
            .ok()?;
        Some(S3Credentials {
            access_key_id: reply.access_key_id.into(),
            secret_access_key: reply.secret_access_key.into(),
            session_token: reply.session_token.into(),
            expires: expires.to_utc(),
        })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_archives_reply_is_parsed_and_not_printed() {
        let json = br#"{"accessKeyId": "AKIDEXAMPLE", "secretAccessKey": "sEcReT", "sessionToken": "tOkEn",
            "expiration": "2021-01-27 00:50:09+00:00"}"#;
        let credentials = S3Credentials::parse(json).unwrap();
        let keys = (credentials.access_key_id.expose_secret(), credentials.secret_access_key.expose_secret());
        assert_eq!(keys, ("AKIDEXAMPLE", "sEcReT"));
        assert_eq!(credentials.expires.to_rfc3339(), "2021-01-27T00:50:09+00:00");
        let printed = format!("{credentials:?}");
        assert!(!printed.contains("sEcReT") && !printed.contains("tOkEn"), "{printed}");
        assert!(S3Credentials::parse(b"<html>").is_none());
        assert!(S3Credentials::parse(br#"{"accessKeyId": "a"}"#).is_none());
    }
}
