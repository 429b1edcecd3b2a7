//! Asks the login host, once, whether it knows who we are.

use chrono::{DateTime, NaiveDate, Utc};
use reqwest::Response;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::body::at_most;
use crate::earthdata::{Earthdata, USER_INFO};
use crate::error::{Error, Result};

/// Lists the tokens of the user whose name and password come along.
const TOKENS: &str = "/api/users/tokens";
/// Bytes of an answer about an account.
const MOST: usize = 1 << 20;

/// Whom the login host took us for, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The Earthdata user; None when the host accepts a token without saying whose it is.
    pub user: Option<String>,
    /// `token` or `login`: what convinced the host.
    pub by: &'static str,
    /// Where that was found.
    pub whence: String,
    /// Until when the token is good: the one sent, or the user's longest lived one.
    pub token_expires: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct UserInfo {
    uid: Option<String>,
}

#[derive(Deserialize)]
struct Issued {
    expiration_date: Option<String>,
}

impl Earthdata {
    /// Tries the token on the login host, or the user and password without one, or where it is refused. Each is sent once, and
    /// nothing is created there.
    ///
    /// # Errors
    /// [`Error::Refused`] when they are wrong, [`Error::NoLogin`] when there are none; else what stood in the way.
    pub async fn check(&self) -> Result<Account> {
        if let Some(token) = &self.credentials.token {
            match self.ask_login_host(USER_INFO, true).await {
                Err(error @ Error::Refused { .. }) if self.credentials.login.is_some() => self.go_on_by_login(&error),
                asked => {
                    let (claims, info) = (token.claims(), json::<UserInfo>(asked?).await);
                    let user = info.and_then(|info| info.uid).or(claims.user);
                    let whence = token.whence.clone();
                    return Ok(Account { user, by: "token", whence, token_expires: claims.expires });
                }
            }
        }
        let Some(login) = &self.credentials.login else {
            return Err(Error::NoLogin { url: crate::hosts::told(&self.hosts.login) });
        };
        let tokens = json::<Vec<Issued>>(self.ask_login_host(TOKENS, false).await?).await.unwrap_or_default();
        let token_expires = tokens.iter().filter_map(|token| day(token.expiration_date.as_deref()?)).max();
        let (user, whence) = (Some(login.user.clone()), login.whence.clone());
        Ok(Account { user, by: "login", whence, token_expires })
    }
}

/// The body of `response`, if it is what it should be: whoever answers well knows the user, whatever else it says.
async fn json<T: DeserializeOwned>(response: Response) -> Option<T> {
    serde_json::from_slice(&at_most(response, MOST).await.ok()??).ok()
}

/// The start of a day that is written `MM/DD/YYYY`.
fn day(text: &str) -> Option<DateTime<Utc>> {
    Some(NaiveDate::parse_from_str(text, "%m/%d/%Y").ok()?.and_hms_opt(0, 0, 0)?.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_on_which_a_token_ends_is_read() {
        assert_eq!(day("12/15/2021").unwrap().to_rfc3339(), "2021-12-15T00:00:00+00:00");
        assert_eq!(day("2021-12-15"), None);
    }
}
