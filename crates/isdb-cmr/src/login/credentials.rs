//! Earthdata credentials and their origins.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::error::{Error, Result};

/// The credentials of a user; each kind may be missing.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// Sent first, to the archive's hosts.
    pub token: Option<Token>,
    /// Sent to the login host, if the archive redirects there.
    pub login: Option<Login>,
}

/// A user and password.
#[derive(Debug, Clone)]
pub struct Login {
    /// The Earthdata user.
    pub user: String,
    /// The user's password.
    pub password: SecretString,
    /// The source of both, for messages: the path of a file or the names of environment variables.
    pub origin: String,
}

/// A bearer token; Earthdata Login issues them for 60 days.
#[derive(Debug, Clone)]
pub struct Token {
    /// The token's text.
    pub text: SecretString,
    /// The source of the token, for messages.
    pub origin: String,
}

/// The claims in a token. Each may be missing: a token need not be a JSON Web Token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// The user that it was issued to.
    pub user: Option<String>,
    /// When it expires.
    pub expires: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Payload {
    uid: Option<String>,
    exp: Option<f64>,
}

impl Credentials {
    /// Whether there are neither a token nor a login.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.token.is_none() && self.login.is_none()
    }
}

impl Token {
    /// Decodes the token's claims. They are not verified: only the server can do that.
    #[must_use]
    pub fn claims(&self) -> Claims {
        let encoded = self.text.expose_secret().split('.').nth(1);
        let payload = encoded.and_then(|text| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok());
        let Some(payload) = payload.and_then(|json| serde_json::from_slice::<Payload>(&json).ok()) else {
            return Claims::default();
        };
        #[allow(clippy::cast_possible_truncation, reason = "out of range saturates, and is then not a date")]
        let expires = payload.exp.and_then(|seconds| DateTime::from_timestamp(seconds as i64, 0));
        Claims { user: payload.uid, expires }
    }

    /// Returns the `Authorization` header with the token, marked as sensitive.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] if the token expired before `now`, by its own claims, or cannot be part of a header; a request would be
    /// pointless.
    pub(crate) fn header(&self, now: DateTime<Utc>) -> Result<HeaderValue> {
        let invalid = |problem: String| Error::InvalidToken { origin: self.origin.clone(), problem };
        if let Some(expires) = self.claims().expires.filter(|expires| *expires <= now) {
            return Err(invalid(format!("expired on {}", expires.format("%Y-%m-%d %H:%M UTC"))));
        }
        let mut header = HeaderValue::from_str(&format!("Bearer {}", self.text.expose_secret().trim()))
            .map_err(|_| invalid("contains characters that are invalid in a token".to_owned()))?;
        header.set_sensitive(true);
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Token {
        Token { text: SecretString::from(text), origin: "EARTHDATA_TOKEN".to_owned() }
    }

    // {"uid":"ann","exp":1700000000,"iat":1,"s":"??>>"}
    const PAYLOAD: &str = "eyJ1aWQiOiJhbm4iLCJleHAiOjE3MDAwMDAwMDAsImlhdCI6MSwicyI6Ij8_Pj4ifQ";

    #[test]
    fn user_and_expiry_are_read_from_the_claims() {
        for padding in ["", "=="] {
            let token = token(&format!("eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}{padding}.c2lnbmF0dXJl"));
            let claims = token.claims();
            assert_eq!(claims.user.as_deref(), Some("ann"));
            let expires = claims.expires.unwrap();
            assert_eq!(expires.timestamp(), 1_700_000_000);
            assert!(token.header(expires - chrono::TimeDelta::seconds(1)).is_ok());
            let message = token.header(expires).unwrap_err().to_string();
            assert!(message.contains("EARTHDATA_TOKEN") && message.contains("2023-11-14 22:13 UTC"), "{message}");
        }
    }

    #[test]
    fn an_opaque_token_has_no_claims_and_is_sent() {
        for text in ["", "opaque", "a.b.c", "a.%%%.c", "EDL-Ua1b2"] {
            assert_eq!(token(text).claims(), Claims::default(), "{text}");
            assert!(format!("{:?}", token(text).header(Utc::now()).unwrap()).contains("Sensitive"));
        }
        assert!(token("a\nb").header(Utc::now()).is_err());
    }

    #[test]
    fn credentials_are_not_printed() {
        let password = SecretString::from("hunter2");
        let login = Login { user: "ann".to_owned(), password, origin: "~/.netrc".to_owned() };
        let printed = format!("{:?}", Credentials { token: Some(token("abc.def")), login: Some(login) });
        assert!(
            !printed.contains("hunter2") && !printed.contains("abc.def") && printed.contains("REDACTED"),
            "{printed}"
        );
    }
}
