//! Who we are to NASA: a token, a user and password, and where each was found. None of them can be printed.

use std::fmt;

use chrono::{DateTime, Utc};
use reqwest::header::HeaderValue;
use serde::Deserialize;

use crate::error::{Error, Result};

/// A text that `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` from being printed.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for a header or for a library that takes no other form.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a caller has found to log in with; each kind may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Goes first, to the archive's hosts.
    pub token: Option<Token>,
    /// Goes to the login host, when the archive sends us there.
    pub login: Option<Login>,
}

/// A user and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The Earthdata user.
    pub user: String,
    /// The user's password.
    pub password: Secret,
    /// Where both were found, for messages: a file's path or the names of environment variables.
    pub whence: String,
}

/// A bearer token, which Earthdata Login gives out for 60 days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The token's text.
    pub text: Secret,
    /// Where it was found, for messages.
    pub whence: String,
}

/// What a token says of itself; each may be missing, since a token need not be a JSON Web Token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// The user it was given to.
    pub user: Option<String>,
    /// The moment from which on it is refused.
    pub expires: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Payload {
    uid: Option<String>,
    exp: Option<f64>,
}

impl Token {
    /// What the token says of itself. Nothing in it is verified: only the server can do that.
    #[must_use]
    pub fn claims(&self) -> Claims {
        let payload = self.text.reveal().split('.').nth(1).and_then(decoded);
        let Some(payload) = payload.and_then(|bytes| serde_json::from_slice::<Payload>(&bytes).ok()) else {
            return Claims::default();
        };
        #[allow(clippy::cast_possible_truncation, reason = "out of range saturates, and is then no date")]
        let expires = payload.exp.and_then(|seconds| DateTime::from_timestamp(seconds as i64, 0));
        Claims { user: payload.uid, expires }
    }

    /// The header that shows the token; fails when the token says itself that its time is over at `now`, or cannot be sent, so
    /// that nobody need be asked.
    pub(crate) fn header(&self, now: DateTime<Utc>) -> Result<HeaderValue> {
        let wrong = |problem: String| Error::Token { whence: self.whence.clone(), problem };
        if let Some(expires) = self.claims().expires.filter(|expires| *expires <= now) {
            return Err(wrong(format!("expired on {}", expires.format("%Y-%m-%d %H:%M UTC"))));
        }
        let mut header = HeaderValue::from_str(&format!("Bearer {}", self.text.reveal().trim()))
            .map_err(|_| wrong("holds characters that no token has".to_owned()))?;
        // Nothing that prints headers prints this one.
        header.set_sensitive(true);
        Ok(header)
    }
}

/// The bytes of a text in unpadded URL-safe base 64.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut kept, mut bits) = (0_u32, 0);
    for character in text.trim_end_matches('=').bytes() {
        let six = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'-' | b'+' => 62,
            b'_' | b'/' => 63,
            _ => return None,
        };
        kept = ((kept << 6) | u32::from(six)) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.extend(u8::try_from((kept >> bits) & 0xff));
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Token {
        Token { text: Secret::new(text), whence: "EARTHDATA_TOKEN".to_owned() }
    }

    // {"uid":"ann","exp":1700000000,"iat":1,"s":"??>>"}
    const PAYLOAD: &str = "eyJ1aWQiOiJhbm4iLCJleHAiOjE3MDAwMDAwMDAsImlhdCI6MSwicyI6Ij8_Pj4ifQ";

    #[test]
    fn a_token_tells_whose_it_is_and_that_its_time_is_over() {
        let token = token(&format!("eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}.c2lnbmF0dXJl"));
        let claims = token.claims();
        assert_eq!(claims.user.as_deref(), Some("ann"));
        let expires = claims.expires.unwrap();
        assert_eq!(expires.timestamp(), 1_700_000_000);
        assert!(token.header(expires - chrono::TimeDelta::seconds(1)).is_ok());
        let told = token.header(expires).unwrap_err().to_string();
        assert!(told.contains("EARTHDATA_TOKEN") && told.contains("2023-11-14 22:13 UTC"), "{told}");
    }

    #[test]
    fn a_token_of_another_form_is_left_to_the_server_to_judge() {
        for text in ["", "opaque", "a.b.c", "a.%%%.c", "EDL-Ua1b2"] {
            assert_eq!(token(text).claims(), Claims::default(), "{text}");
            assert!(format!("{:?}", token(text).header(Utc::now()).unwrap()).contains("Sensitive"));
        }
        assert!(token("a\nb").header(Utc::now()).is_err());
    }

    #[test]
    fn credentials_are_not_printed() {
        let login = Login { user: "ann".to_owned(), password: Secret::new("hunter2"), whence: "~/.netrc".to_owned() };
        let printed = format!("{:?}", Credentials { token: Some(token("abc.def")), login: Some(login) });
        assert!(!printed.contains("hunter2") && !printed.contains("abc.def") && printed.contains("***"), "{printed}");
    }
}
