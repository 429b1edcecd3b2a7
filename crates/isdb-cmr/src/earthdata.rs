//! Requests to NASA's archive in the name of a user. Redirects are followed by hand, and each hop decides anew who may see
//! which credential; credentials that were refused once are never sent again.

use std::time::Duration;

use chrono::Utc;
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, COOKIE, HeaderMap, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};

use crate::cookies::Cookies;
use crate::credentials::Credentials;
use crate::error::{Error, Result};
use crate::hosts::{Hosts, bare, told};
use crate::s3_credentials::S3Cache;
use crate::trial::Trial;

const MAX_HOPS: usize = 10;
const CONNECT: Duration = Duration::from_secs(30);

/// A session with NASA's archive: credentials, cookies (in memory only), and what is known of both. A process needs one: it is
/// the session that remembers a refusal.
#[derive(Debug)]
pub struct Earthdata {
    client: Client,
    pub(crate) hosts: Hosts,
    pub(crate) credentials: Credentials,
    cookies: Cookies,
    token: Trial,
    login: Trial,
    patience: Duration,
    pub(crate) s3: S3Cache,
}

/// An answer that is no redirect and no refusal.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) response: Response,
    /// Whether a host answered that is neither the archive's nor the login's: behind a presigned link.
    pub(crate) outside: bool,
}

/// What a request carries to show who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Nothing,
    Token,
    Login,
}

impl Earthdata {
    /// A session that has asked nothing yet. `patience` is how long a host may stay silent.
    ///
    /// # Errors
    /// When the token has expired, or the HTTP client cannot be set up.
    pub fn new(credentials: Credentials, hosts: Hosts, patience: Duration) -> Result<Earthdata> {
        if let Some(token) = &credentials.token {
            token.header(Utc::now())?;
        }
        let client = Client::builder()
            .user_agent(concat!("isdb/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .referer(false)
            .http1_only()
            .connect_timeout(CONNECT.min(patience))
            .read_timeout(patience)
            .build()
            .map_err(Error::Client)?;
        Ok(Earthdata {
            client,
            hosts,
            credentials,
            cookies: Cookies::default(),
            token: Trial::default(),
            login: Trial::default(),
            patience,
            s3: S3Cache::default(),
        })
    }

    /// Follows `url` to an answer. The archive sees the token, or sends us to the login host, which sees user and password and
    /// sends us back with a cookie; hosts outside see neither.
    pub(crate) async fn get(&self, url: &Url, headers: &HeaderMap) -> Result<Answer> {
        let mut at = bare(url);
        // A trip that was sent to the login host goes on with its cookie: the token was of no use.
        let mut sent_to_login = false;
        for _ in 0..=MAX_HOPS {
            let (response, shown) = self.hop(&at, headers, sent_to_login).await?;
            let status = response.status();
            let Some(next) = redirect(&at, &response)? else {
                return self.judged(url, &at, response, shown).await;
            };
            if self.hosts.is_login(&next) && !self.hosts.is_login(&at) {
                if sent_to_login {
                    return Err(Error::Forbidden { url: told(url) });
                }
                sent_to_login = true;
                self.needs_login(url, shown).await?;
            }
            tracing::debug!(from = told(&at), to = told(&next), status = status.as_u16(), "redirect");
            at = next;
        }
        Err(Error::Answer { url: told(url), problem: format!("more than {MAX_HOPS} redirects") })
    }

    /// One request, with what its host may see. Credentials that nobody has judged yet travel one request at a time, so that a
    /// wrong password is sent once however many files are wanted.
    async fn hop(&self, at: &Url, headers: &HeaderMap, sent_to_login: bool) -> Result<(Response, Shown)> {
        let request = self.client.get(at.clone()).headers(headers.clone()).header(ACCEPT_ENCODING, "identity");
        let request = match self.cookies.of(at) {
            Some(cookie) => request.header(COOKIE, cookie),
            None => request,
        };
        if let (true, Some(login)) = (self.hosts.is_login(at), &self.credentials.login) {
            let turn = self.login.turn().await.ok_or_else(|| self.refused_login())?;
            let response = self.send(at, request.basic_auth(&login.user, Some(login.password.reveal()))).await?;
            match response.status() {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    turn.refused().await;
                    return Err(self.refused_login());
                }
                status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {}
                _ => turn.accepted(),
            }
            return Ok((response, Shown::Login));
        }
        if let (true, false, Some(token)) = (self.hosts.is_archive(at), sent_to_login, &self.credentials.token) {
            match self.token.turn().await {
                Some(turn) => {
                    let response = self.send(at, request.header(AUTHORIZATION, token.header(Utc::now())?)).await?;
                    let to_login = redirect(at, &response)?.is_some_and(|next| self.hosts.is_login(&next));
                    match response.status() {
                        StatusCode::UNAUTHORIZED => {
                            turn.refused().await;
                            return Err(self.refused_token());
                        }
                        // A token that was of use before still is: this file alone wants more.
                        _ if to_login => turn.refused_if_untried(),
                        status if status.is_success() || status.is_redirection() => turn.accepted(),
                        _ => {}
                    }
                    return Ok((response, Shown::Token));
                }
                None if self.credentials.login.is_none() => return Err(self.refused_token()),
                None => {}
            }
        }
        Ok((self.send(at, request).await?, Shown::Nothing))
    }

    /// Sends `request`, whose headers and query are never told.
    async fn send(&self, at: &Url, request: RequestBuilder) -> Result<Response> {
        let response = request.send().await.map_err(|error| self.broken(at, error))?;
        self.cookies.keep(at, &response);
        tracing::debug!(
            method = "GET",
            url = told(at),
            status = response.status().as_u16(),
            bytes = response.content_length(),
            "request"
        );
        Ok(response)
    }

    /// The connection failed: as an error that holds no query.
    pub(crate) fn broken(&self, at: &Url, error: reqwest::Error) -> Error {
        match error.is_timeout() && !error.is_connect() {
            true => Error::Stalled { url: told(at), seconds: self.patience.as_secs() },
            false => Error::Connection { url: told(at), source: error.without_url() },
        }
    }

    /// The archive has sent us to the login host: do we have what it will ask for?
    async fn needs_login(&self, url: &Url, shown: Shown) -> Result<()> {
        match (&self.credentials.login, shown) {
            (None, Shown::Token) => Err(self.refused_token()),
            (None, _) => Err(Error::NoLogin { url: told(url) }),
            (Some(_), _) if self.login.is_refused().await => Err(self.refused_login()),
            (Some(_), _) => Ok(()),
        }
    }

    /// The end of a trip: an answer for the caller, or the word that we may not.
    async fn judged(&self, url: &Url, at: &Url, response: Response, shown: Shown) -> Result<Answer> {
        let outside = !self.hosts.is_archive(at) && !self.hosts.is_login(at);
        match response.status() {
            StatusCode::UNAUTHORIZED
                if !outside && shown == Shown::Nothing && self.credentials == Credentials::default() =>
            {
                Err(Error::NoLogin { url: told(url) })
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if !outside => Err(Error::Forbidden { url: told(url) }),
            // The login host shows a page where it wants an answer that only a person can give.
            status if status.is_success() && self.hosts.is_login(at) && !self.hosts.is_login(url) => {
                Err(Error::Page { url: told(url) })
            }
            _ => Ok(Answer { response, outside }),
        }
    }

    fn refused_login(&self) -> Error {
        let whence = self.credentials.login.as_ref().map(|login| login.whence.clone()).unwrap_or_default();
        Error::Refused { what: "login", whence }
    }

    fn refused_token(&self) -> Error {
        let whence = self.credentials.token.as_ref().map(|token| token.whence.clone()).unwrap_or_default();
        Error::Refused { what: "token", whence }
    }

    /// Asks the login host at `path`, with the token if `by_token`, else with user and password.
    pub(crate) async fn ask_login_host(&self, path: &str, by_token: bool) -> Result<Response> {
        let prefix = self.hosts.login.as_str().trim_end_matches('/');
        let at = Url::parse(&format!("{prefix}{path}"))
            .map_err(|_| Error::Answer { url: told(&self.hosts.login), problem: "is no base for a URL".to_owned() })?;
        let (trial, refused) = match by_token {
            true => (&self.token, self.refused_token()),
            false => (&self.login, self.refused_login()),
        };
        let request = self.client.get(at.clone());
        let request = match (by_token, &self.credentials.token, &self.credentials.login) {
            (true, Some(token), _) => request.header(AUTHORIZATION, token.header(Utc::now())?),
            (false, _, Some(login)) => request.basic_auth(&login.user, Some(login.password.reveal())),
            _ => return Err(Error::NoLogin { url: told(&at) }),
        };
        let Some(turn) = trial.turn().await else { return Err(refused) };
        let response = self.send(&at, request).await?;
        match response.status() {
            status if status.is_success() => {
                turn.accepted();
                Ok(response)
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                turn.refused().await;
                Err(refused)
            }
            status => Err(Error::Status { url: told(&at), status }),
        }
    }
}

/// Where `response` sends us; None when it answers. Never from https to http.
fn redirect(at: &Url, response: &Response) -> Result<Option<Url>> {
    let wrong = |problem: &str| Error::Answer { url: told(at), problem: problem.to_owned() };
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let next = location.and_then(|text| at.join(text).ok()).ok_or_else(|| wrong("redirects nowhere"))?;
    match (at.scheme(), next.scheme()) {
        ("https" | "http", "https") | ("http", "http") => Ok(Some(bare(&next))),
        _ => Err(wrong("redirects to what is not https")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(from: &str, status: u16, location: Option<&str>) -> Result<Option<String>> {
        let mut response = axum::http::Response::builder().status(status);
        if let Some(location) = location {
            response = response.header(LOCATION, location);
        }
        let response = Response::from(response.body("").unwrap());
        Ok(redirect(&Url::parse(from).unwrap(), &response)?.map(String::from))
    }

    #[test]
    fn a_redirect_takes_no_user_along_and_never_leaves_https() {
        let from = "https://data.example/a/b.h5";
        assert_eq!(next(from, 200, Some("/x")).unwrap(), None);
        assert_eq!(next(from, 303, Some("/x?y=1")).unwrap().unwrap(), "https://data.example/x?y=1");
        assert_eq!(next(from, 307, Some("https://u:p@other.example/")).unwrap().unwrap(), "https://other.example/");
        for wrong in [None, Some("http://data.example/x"), Some("file:///etc/passwd"), Some("https://")] {
            assert!(next(from, 302, wrong).is_err(), "{wrong:?}");
        }
        assert!(
            next("http://127.0.0.1:1/", 302, Some("http://127.0.0.1:2/")).unwrap().is_some(),
            "a mirror on loopback"
        );
    }
}
