//! Asks the login host, once, whether it knows who we are.

use chrono::{DateTime, NaiveDate, Utc};
use reqwest::header::AUTHORIZATION;
use reqwest::{Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::body::at_most;
use crate::credentials::Token;
use crate::earthdata::Earthdata;
use crate::error::{Error, Result};
use crate::headers::is_page;
use crate::hosts::told;
use crate::trial::Why;

/// Lists the tokens of the user whose name and password come along.
const TOKENS: &str = "/api/users/tokens";
/// Tells whose the token is that comes along.
const USER_INFO: &str = "/oauth/userInfo";
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
            return Err(Error::NoLogin { url: told(&self.hosts.login) });
        };
        let tokens = json::<Vec<Issued>>(self.ask_login_host(TOKENS, false).await?).await.unwrap_or_default();
        let token_expires = tokens.iter().filter_map(|token| day(token.expiration_date.as_deref()?)).max();
        let (user, whence) = (Some(login.user.clone()), login.whence.clone());
        Ok(Account { user, by: "login", whence, token_expires })
    }
}

impl Earthdata {
    /// Whether the login host knows the token; None when it does not say.
    pub(crate) async fn knows_token(&self, token: &Token) -> Option<bool> {
        let at = self.at_login_host(USER_INFO).ok()?;
        let request = self.client.get(at.clone()).header(AUTHORIZATION, token.header(Utc::now()).ok()?);
        let response = self.send(&at, request).await.ok()?;
        match response.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Some(false),
            status => (status.is_success() && !is_page(response.headers())).then_some(true),
        }
    }

    fn at_login_host(&self, path: &str) -> Result<Url> {
        let prefix = self.hosts.login.as_str().trim_end_matches('/');
        Url::parse(&format!("{prefix}{path}"))
            .map_err(|_| Error::Answer { url: told(&self.hosts.login), problem: "is no base for a URL".to_owned() })
    }

    /// Asks the login host at `path`, with the token if `by_token`, else with user and password.
    async fn ask_login_host(&self, path: &str, by_token: bool) -> Result<Response> {
        let at = self.at_login_host(path)?;
        let trial = if by_token { &self.token } else { &self.login };
        let refused = |why| if by_token { self.token_error(why) } else { self.login_error(why) };
        let request = self.client.get(at.clone());
        let request = match (by_token, &self.credentials.token, &self.credentials.login) {
            (true, Some(token), _) => request.header(AUTHORIZATION, token.header(Utc::now())?),
            (false, _, Some(login)) => request.basic_auth(&login.user, Some(login.password.reveal())),
            _ => return Err(Error::NoLogin { url: told(&at) }),
        };
        let turn = trial.turn().await.map_err(refused)?;
        let response = self.send(&at, request).await?;
        let why = match response.status() {
            // A page for people says neither yes nor no.
            status if status.is_success() && is_page(response.headers()) => Why::Unanswered { url: told(&at) },
            status if status.is_success() => {
                turn.accepted();
                return Ok(response);
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Why::Refused,
            status => return Err(Error::Status { url: told(&at), status }),
        };
        turn.refused(why.clone()).await;
        Err(refused(why))
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
