//! Requests to NASA's archive in the name of a user. Redirects are followed by hand, and each hop decides anew who may see
//! which credential; credentials that were refused once are never sent again.

use std::time::Duration;

use chrono::Utc;
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, COOKIE, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};

use crate::cause::root;
use crate::closed::Closed;
use crate::cookies::Cookies;
use crate::credentials::{Credentials, Login, Token};
use crate::error::{Error, Result};
use crate::hosts::{Hosts, bare, is_http, told};
use crate::notices::Notices;
use crate::redirect::redirect;
use crate::s3_credentials::S3Cache;
use crate::trial::{Trial, Turn, Why};

const MAX_HOPS: usize = 10;
const CONNECT: Duration = Duration::from_secs(30);

/// A session with NASA's archive: credentials, cookies (in memory only), and what is known of both. A process needs one: it is
/// the session that remembers a refusal.
#[derive(Debug)]
pub struct Earthdata {
    pub(crate) client: Client,
    pub(crate) hosts: Hosts,
    pub(crate) credentials: Credentials,
    cookies: Cookies,
    pub(crate) token: Trial,
    pub(crate) login: Trial,
    patience: Duration,
    notices: Notices,
    pub(crate) closed: Closed,
    pub(crate) s3: S3Cache,
}

/// An answer that is no redirect and no refusal.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) response: Response,
    /// Whether a redirect led to a host that is neither the archive's nor the login's: a presigned link, which ends.
    pub(crate) behind_link: bool,
}

/// What a request carries to show who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Nothing,
    Token,
    Login,
}

/// One way from a URL to its answer.
struct Trip<'a> {
    url: &'a Url,
    /// Whether a token that is sent to the login host here may still be good for files.
    is_for_session: bool,
    /// A trip that was sent to the login host goes on with its cookie: the token was of no use.
    sent_to_login: bool,
    /// User and password are shown once on a trip.
    login_shown: bool,
}

impl Earthdata {
    /// A session that has asked nothing yet. `patience` is how long a host may stay silent, or send next to nothing.
    ///
    /// # Errors
    /// When the token has expired and there is no login beside it, or the HTTP client cannot be set up.
    pub fn new(credentials: Credentials, hosts: Hosts, patience: Duration) -> Result<Earthdata> {
        Earthdata::with(credentials, hosts, patience, Notices::default())
    }

    /// As [`Earthdata::new`]; calls `listener` with a line of text where a token is not used any more, which is logged otherwise.
    ///
    /// # Errors
    /// As [`Earthdata::new`].
    pub fn with_notices(
        credentials: Credentials,
        hosts: Hosts,
        patience: Duration,
        listener: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Earthdata> {
        Earthdata::with(credentials, hosts, patience, Notices::to(listener))
    }

    fn with(mut credentials: Credentials, hosts: Hosts, patience: Duration, notices: Notices) -> Result<Earthdata> {
        let expired = credentials.token.as_ref().and_then(|token| token.header(Utc::now()).err());
        if let Some(error) = expired {
            if credentials.login.is_none() {
                return Err(error);
            }
            notices.tell(&by_login(&error));
            credentials.token = None;
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
            notices,
            closed: Closed::default(),
            s3: S3Cache::default(),
        })
    }

    /// Follows `url` to an answer. The archive sees the token, or sends us to the login host, which sees user and password and
    /// sends us back with a cookie; hosts outside see neither.
    pub(crate) async fn get(&self, url: &Url, headers: &HeaderMap) -> Result<Answer> {
        self.follow(Trip { url, is_for_session: false, sent_to_login: false, login_shown: false }, headers).await
    }

    /// Follows `url`, which may take the login's session only, whatever the token is worth elsewhere.
    pub(crate) async fn get_by_session(&self, url: &Url) -> Result<Answer> {
        let trip = Trip { url, is_for_session: true, sent_to_login: false, login_shown: false };
        self.follow(trip, &HeaderMap::new()).await
    }

    async fn follow(&self, mut trip: Trip<'_>, headers: &HeaderMap) -> Result<Answer> {
        let url = trip.url;
        if !is_http(url) {
            return Err(Error::Address { url: told(url), problem: "is no address of http or https".to_owned() });
        }
        let mut at = bare(url);
        for hops in 0..=MAX_HOPS {
            let (response, shown) = self.hop(&at, headers, &mut trip).await?;
            let status = response.status();
            let Some(next) = redirect(&at, &response)? else {
                return self.judged(url, &at, hops, response, shown);
            };
            if self.hosts.is_login(&next) && !self.hosts.is_login(&at) {
                // Another host could have its own application logged in to.
                if !self.hosts.is_archive(&at) {
                    return Err(Error::Foreign { url: told(url) });
                }
                if trip.sent_to_login {
                    return Err(Error::Forbidden { url: told(url) });
                }
                trip.sent_to_login = true;
                self.needs_login(url).await?;
            }
            tracing::debug!(from = told(&at), to = told(&next), status = status.as_u16(), "redirect");
            at = next;
        }
        Err(Error::Answer { url: told(url), problem: format!("more than {MAX_HOPS} redirects") })
    }

    /// One request, with what its host may see. Credentials that nobody has judged yet travel one request at a time, so that a
    /// wrong password is sent once however many files are wanted.
    async fn hop(&self, at: &Url, headers: &HeaderMap, trip: &mut Trip<'_>) -> Result<(Response, Shown)> {
        let request = || {
            let request = self.client.get(at.clone()).headers(headers.clone()).header(ACCEPT_ENCODING, "identity");
            match self.cookies.of(at) {
                Some(cookie) => request.header(COOKIE, cookie),
                None => request,
            }
        };
        let may_show_login = self.hosts.is_login(at) && trip.sent_to_login && !trip.login_shown;
        if let (true, Some(login)) = (may_show_login, &self.credentials.login) {
            trip.login_shown = true;
            return Ok((self.by_login(at, login, request(), trip.url).await?, Shown::Login));
        }
        if let (true, false, Some(token)) = (self.hosts.is_archive(at), trip.sent_to_login, &self.credentials.token)
            && let Some(response) = self.by_token(at, token, request(), trip).await?
        {
            return Ok((response, Shown::Token));
        }
        Ok((self.send(at, request()).await?, Shown::Nothing))
    }

    /// Shows user and password to the login host, which takes them by sending us away. Whatever else it answers to those that
    /// it never took is a refusal: no other file may send them again.
    async fn by_login(&self, at: &Url, login: &Login, request: RequestBuilder, url: &Url) -> Result<Response> {
        let turn = self.login.turn().await.map_err(|why| self.login_error(why))?;
        let response = self.send(at, request.basic_auth(&login.user, Some(login.password.reveal()))).await?;
        let leads_away = matches!(redirect(at, &response), Ok(Some(next)) if !self.hosts.is_login(&next));
        match response.status() {
            _ if leads_away => {
                turn.accepted();
                Ok(response)
            }
            // It has not looked at them.
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Ok(response),
            status if status.is_server_error() => Ok(response),
            StatusCode::UNAUTHORIZED => {
                turn.refused(Why::Refused).await;
                Err(self.login_error(Why::Refused))
            }
            // What was taken before still is good: this file alone wants more.
            StatusCode::FORBIDDEN if turn.is_known() => Err(Error::Forbidden { url: told(url) }),
            _ if turn.is_known() => Ok(response),
            status => {
                let why = match status {
                    StatusCode::FORBIDDEN => Why::Refused,
                    _ => Why::Unanswered { url: told(at) },
                };
                turn.refused(why.clone()).await;
                Err(self.login_error(why))
            }
        }
    }

    /// Shows the token to the archive; None when it is worth nothing and there is a login to go on with.
    async fn by_token(
        &self,
        at: &Url,
        token: &Token,
        request: RequestBuilder,
        trip: &Trip<'_>,
    ) -> Result<Option<Response>> {
        let has_login = self.credentials.login.is_some();
        let give_up = async |turn: Turn<'_>, error: Error| {
            let is_news = turn.refused(Why::Refused).await;
            if !has_login {
                return Err(error);
            }
            if is_news {
                self.go_on_by_login(&error);
            }
            Ok(None)
        };
        let turn = match self.token.turn().await {
            Ok(turn) => turn,
            Err(_) if has_login => return Ok(None),
            Err(why) => return Err(self.token_error(why)),
        };
        let header = match token.header(Utc::now()) {
            Ok(header) => header,
            Err(error) => return give_up(turn, error).await,
        };
        let response = self.send(at, request.header(AUTHORIZATION, header)).await?;
        let to_login = redirect(at, &response)?.is_some_and(|next| self.hosts.is_login(&next));
        match response.status() {
            // A host that is out of order refuses everybody: what has worked before is refused only if the login host says so.
            StatusCode::UNAUTHORIZED if turn.is_known() && self.knows_token(token).await != Some(false) => {}
            StatusCode::UNAUTHORIZED => return give_up(turn, self.token_error(Why::Refused)).await,
            // A token that was of use before still is: this file alone wants more.
            _ if to_login && (trip.is_for_session || turn.is_known()) => {}
            // It may be refused, or the first file may want more. Without an answer the next file tries it again.
            _ if to_login => match self.knows_token(token).await {
                Some(true) => turn.accepted(),
                Some(false) => {
                    turn.refused(Why::Refused).await;
                    if has_login {
                        self.go_on_by_login(&self.token_error(Why::Refused));
                    }
                }
                None => {}
            },
            status if status.is_success() || status.is_redirection() => turn.accepted(),
            _ => {}
        }
        Ok(Some(response))
    }

    /// Sends `request`, whose headers and query are never told.
    pub(crate) async fn send(&self, at: &Url, request: RequestBuilder) -> Result<Response> {
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
            true => self.stalled(at),
            false => {
                let what = if error.is_connect() { "could not be reached" } else { "broke off" };
                Error::Connection { url: told(at), what, reason: root(&error.without_url()) }
            }
        }
    }

    /// Next to nothing came for as long as we wait.
    pub(crate) fn stalled(&self, at: &Url) -> Error {
        Error::Stalled { url: told(at), seconds: self.patience.as_secs() }
    }

    /// How long a host may stay silent, or send next to nothing.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// A file's host has sent us to the login host: do we have what it will ask for?
    async fn needs_login(&self, url: &Url) -> Result<()> {
        match (&self.credentials.login, &self.credentials.token) {
            (Some(_), _) => self.login.refusal().await.map_or(Ok(()), |why| Err(self.login_error(why))),
            (None, None) => Err(Error::NoLogin { url: told(url) }),
            (None, Some(_)) => Err(match self.token.refusal().await {
                Some(why) => self.token_error(why),
                None => Error::Forbidden { url: told(url) },
            }),
        }
    }

    /// The end of a trip after so many redirects: an answer for the caller, or the word that we may not.
    fn judged(&self, url: &Url, at: &Url, redirects: usize, response: Response, shown: Shown) -> Result<Answer> {
        let outside = !self.hosts.is_archive(at) && !self.hosts.is_login(at);
        match response.status() {
            StatusCode::UNAUTHORIZED
                if !outside && shown == Shown::Nothing && self.credentials == Credentials::default() =>
            {
                Err(Error::NoLogin { url: told(url) })
            }
            // The token is good, as the login host says: the archive may take it when it is asked again.
            StatusCode::UNAUTHORIZED if shown == Shown::Token => Ok(Answer { response, behind_link: false }),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if !outside => Err(Error::Forbidden { url: told(url) }),
            // The login host shows a page where it wants an answer that only a person can give.
            status if status.is_success() && self.hosts.is_login(at) && !self.hosts.is_login(url) => {
                Err(Error::Page { url: told(url) })
            }
            _ => Ok(Answer { response, behind_link: outside && redirects > 0 }),
        }
    }

    /// Why the user and password are not sent.
    pub(crate) fn login_error(&self, why: Why) -> Error {
        let whence = self.credentials.login.as_ref().map(|login| login.whence.clone()).unwrap_or_default();
        match why {
            Why::Refused => Error::Refused { what: "login", whence },
            Why::Unanswered { url } => Error::NotAccepted { url, whence },
        }
    }

    /// Why the token is not sent.
    pub(crate) fn token_error(&self, why: Why) -> Error {
        let whence = self.credentials.token.as_ref().map(|token| token.whence.clone()).unwrap_or_default();
        match why {
            Why::Refused => Error::Refused { what: "token", whence },
            Why::Unanswered { url } => Error::NotAccepted { url, whence },
        }
    }

    /// Tells why the token is not used any more, where a login takes its place.
    pub(crate) fn go_on_by_login(&self, error: &Error) {
        self.notices.tell(&by_login(error));
    }
}

/// Why the token is not used any more, where a login takes its place.
fn by_login(error: &Error) -> String {
    format!("{error}; going on by user and password")
}
