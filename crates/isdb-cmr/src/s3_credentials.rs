//! Temporary credentials for the archive's bucket, which hold for about an hour and only in its own cloud region.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Url;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::body::at_most;
use crate::credentials::Secret;
use crate::earthdata::Earthdata;
use crate::error::{Error, Result};
use crate::hosts::told;

/// So long before they end credentials are replaced, so that a read that has begun ends with them.
const MARGIN: TimeDelta = TimeDelta::minutes(5);

/// Bytes of an answer with credentials; about 1,500 in fact.
const MOST: usize = 1 << 16;

/// What S3 wants to see, until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Credentials {
    /// The key's id.
    pub access_key_id: Secret,
    /// The key.
    pub secret_access_key: Secret,
    /// What marks the key as a temporary one.
    pub session_token: Secret,
    /// From when on S3 refuses them.
    pub expires: DateTime<Utc>,
}

/// The newest credentials of each endpoint.
#[derive(Debug, Default)]
pub(crate) struct S3Cache(Mutex<HashMap<Url, Arc<S3Credentials>>>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reply {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
}

impl Earthdata {
    /// The bucket's credentials from `endpoint`, such as `https://data.nsidc.earthdatacloud.nasa.gov/s3credentials`; asked for
    /// anew five minutes before they expire, else given again. The token goes first, then the login.
    ///
    /// # Errors
    /// As of any request to the archive; [`Error::Answer`] when what came are no credentials.
    pub async fn s3_credentials(&self, endpoint: &Url) -> Result<Arc<S3Credentials>> {
        // Held while asking: whoever else wants them waits for this answer.
        let mut known = self.s3.0.lock().await;
        if let Some(held) = known.get(endpoint).filter(|held| held.expires > Utc::now() + MARGIN) {
            return Ok(Arc::clone(held));
        }
        let response = self.get_by_session(endpoint).await?.response;
        if !response.status().is_success() {
            return Err(Error::Status { url: told(endpoint), status: response.status() });
        }
        let text = at_most(response, MOST).await.map_err(|error| self.broken(endpoint, error))?.unwrap_or_default();
        let new = Arc::new(parse(&text).ok_or_else(|| match text.trim_ascii_start().starts_with(b"<") {
            true => Error::Page { url: told(endpoint) },
            false => Error::Answer { url: told(endpoint), problem: "answered with no S3 credentials".to_owned() },
        })?);
        known.insert(endpoint.clone(), Arc::clone(&new));
        Ok(new)
    }
}

fn parse(text: &[u8]) -> Option<S3Credentials> {
    let reply: Reply = serde_json::from_slice(text).ok()?;
    let expires = DateTime::parse_from_rfc3339(&reply.expiration)
        .or_else(|_| DateTime::parse_from_str(&reply.expiration, "%Y-%m-%d %H:%M:%S%:z"))
        .ok()?;
    Some(S3Credentials {
        access_key_id: Secret::new(reply.access_key_id),
        secret_access_key: Secret::new(reply.secret_access_key),
        session_token: Secret::new(reply.session_token),
        expires: expires.to_utc(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archives_answer_is_read_and_not_printed() {
        let text = br#"{"accessKeyId": "AKIDEXAMPLE", "secretAccessKey": "sEcReT", "sessionToken": "tOkEn",
            "expiration": "2021-01-27 00:50:09+00:00"}"#;
        let read = parse(text).unwrap();
        assert_eq!((read.access_key_id.reveal(), read.secret_access_key.reveal()), ("AKIDEXAMPLE", "sEcReT"));
        assert_eq!(read.expires.to_rfc3339(), "2021-01-27T00:50:09+00:00");
        let printed = format!("{read:?}");
        assert!(!printed.contains("sEcReT") && !printed.contains("tOkEn"), "{printed}");
        assert_eq!(parse(b"<html>"), None);
        assert_eq!(parse(br#"{"accessKeyId": "a"}"#), None);
    }
}
