//! Checks credentials with the login host.

use chrono::{DateTime, NaiveDate, Utc};
use reqwest::header::AUTHORIZATION;
use reqwest::{Response, StatusCode, Url};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::http::body::read_limited;
use crate::http::headers::is_web_page;
use crate::http::url::redacted;
use crate::login::credential_check::Rejection;
use crate::login::credential_kind::CredentialKind;
use crate::login::credentials::Token;
use crate::login::session::Earthdata;

/// Lists the tokens of a user; requested with user and password.
const TOKENS_PATH: &str = "/api/users/tokens";
/// Describes the user of a token; requested with the token.
const USER_INFO_PATH: &str = "/oauth/userInfo";
const MAX_RESPONSE_BYTES: usize = 1 << 20;

/// The user that the login host recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The Earthdata user; None if the host accepts a token without naming its user.
    pub user: Option<String>,
    /// The credentials that the host accepted.
    pub accepted: CredentialKind,
    /// The source of the credentials.
    pub origin: String,
    /// The expiry of the token that was sent, or of the user's token that expires last.
    pub token_expires: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct UserInfo {
    uid: Option<String>,
}

#[derive(Deserialize)]
struct IssuedToken {
    expiration_date: Option<String>,
}

impl Earthdata {
    /// Checks the token with the login host; without a token, or after its refusal, checks user and password. Each is sent
    /// once, and nothing is created on the host.
    ///
    /// # Errors
    /// [`Error::LoginRefused`] if the credentials are wrong, [`Error::NoLogin`] if there are none, and the errors of any request.
    pub async fn check(&self) -> Result<Account> {
        if let Some(token) = &self.credentials.token {
            match self.request_login_host(USER_INFO_PATH, CredentialKind::Token).await {
                Err(error @ Error::LoginRefused { .. }) if self.credentials.login.is_some() => {
                    self.fall_back_to_login(&error);
                }
                response => {
                    let (claims, info) = (token.claims(), json::<UserInfo>(response?).await);
                    let user = info.and_then(|info| info.uid).or(claims.user);
                    let origin = token.origin.clone();
                    return Ok(Account {
                        user,
                        accepted: CredentialKind::Token,
                        origin,
                        token_expires: claims.expires,
                    });
                }
            }
        }
        let Some(login) = &self.credentials.login else {
            return Err(Error::NoLogin { url: redacted(&self.hosts.login) });
        };
        let response = self.request_login_host(TOKENS_PATH, CredentialKind::Login).await?;
        let tokens = json::<Vec<IssuedToken>>(response).await.unwrap_or_default();
        let token_expires = tokens.iter().filter_map(|token| parse_day(token.expiration_date.as_deref()?)).max();
        let (user, origin) = (Some(login.user.clone()), login.origin.clone());
        Ok(Account { user, accepted: CredentialKind::Login, origin, token_expires })
    }

    /// Whether the login host accepts the token; None if its response does not say.
    pub(crate) async fn is_token_valid(&self, token: &Token) -> Option<bool> {
        let url = self.login_host_url(USER_INFO_PATH).ok()?;
        let request = self.client.get(url.clone()).header(AUTHORIZATION, token.header(Utc::now()).ok()?);
        let response = self.send(&url, request).await.ok()?;
        match response.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Some(false),
            status => (status.is_success() && !is_web_page(response.headers())).then_some(true),
        }
    }

    fn login_host_url(&self, path: &str) -> Result<Url> {
        let prefix = self.hosts.login.as_str().trim_end_matches('/');
        Url::parse(&format!("{prefix}{path}")).map_err(|_| Error::InvalidAddress {
            url: redacted(&self.hosts.login),
            problem: "cannot be the base of a URL".to_owned(),
        })
    }

    /// Requests `path` of the login host with credentials of this kind.
    async fn request_login_host(&self, path: &str, kind: CredentialKind) -> Result<Response> {
        let url = self.login_host_url(path)?;
        let rejected = |rejection| self.rejection_error(kind, rejection);
        let request = self.client.get(url.clone());
        let request = match (kind, &self.credentials.token, &self.credentials.login) {
            (CredentialKind::Token, Some(token), _) => request.header(AUTHORIZATION, token.header(Utc::now())?),
            (CredentialKind::Login, _, Some(login)) => {
                request.basic_auth(&login.user, Some(login.password.expose_secret()))
            }
            _ => return Err(Error::NoLogin { url: redacted(&url) }),
        };
        let permit = self.credential_check(kind).permit().await.map_err(rejected)?;
        let response = self.send(&url, request).await?;
        let rejection = match response.status() {
            // A web page neither accepts nor refuses them.
            status if status.is_success() && is_web_page(response.headers()) => {
                Rejection::Unexpected { url: redacted(&url) }
            }
            status if status.is_success() => {
                permit.accept();
                return Ok(response);
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Rejection::Refused,
            status => return Err(Error::Status { url: redacted(&url), status }),
        };
        permit.reject(rejection.clone()).await;
        Err(rejected(rejection))
    }
}

/// Decodes the body of `response`; None if it has another form. The credentials are valid in any case.
async fn json<T: DeserializeOwned>(response: Response) -> Option<T> {
    serde_json::from_slice(&read_limited(response, MAX_RESPONSE_BYTES).await.ok()??).ok()
}

/// Parses a date such as `12/15/2021` as the start of that day.
fn parse_day(text: &str) -> Option<DateTime<Utc>> {
    Some(NaiveDate::parse_from_str(text, "%m/%d/%Y").ok()?.and_hms_opt(0, 0, 0)?.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expiry_of_a_token_is_parsed() {
        assert_eq!(parse_day("12/15/2021").unwrap().to_rfc3339(), "2021-12-15T00:00:00+00:00");
        assert_eq!(parse_day("2021-12-15"), None);
    }
}
