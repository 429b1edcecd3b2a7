//! Requests to NASA's archive on behalf of a user. Redirects are followed here and not by the HTTP client, so that each hop
//! sends only the credentials that its host may see; credentials that were rejected once are never sent again.

use std::time::Duration;

use chrono::Utc;
use reqwest::header::{ACCEPT_ENCODING, COOKIE, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};

use crate::error::{Error, Result};
use crate::http::USER_AGENT;
use crate::http::cause::root_cause;
use crate::http::redirect::redirect_target;
use crate::http::url::{is_http, redacted, without_credentials};
use crate::login::cookies::CookieJars;
use crate::login::credential_check::{CredentialCheck, Rejection};
use crate::login::credential_kind::CredentialKind;
use crate::login::credentials::Credentials;
use crate::login::hosts::Hosts;
use crate::login::refusals::ConsecutiveRefusals;
use crate::login::s3_credentials::S3CredentialCache;
use crate::notices::Notices;

const MAX_REDIRECTS: usize = 10;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// A session with NASA's archive: credentials, cookies (in memory only), and whether the credentials were accepted. A process
/// needs a single session, which remembers a rejection for all its requests.
#[derive(Debug)]
pub struct Earthdata {
    pub(crate) client: Client,
    pub(crate) hosts: Hosts,
    pub(crate) credentials: Credentials,
    cookies: CookieJars,
    pub(super) token_check: CredentialCheck,
    pub(super) login_check: CredentialCheck,
    stall_timeout: Duration,
    notices: Notices,
    pub(crate) refusals: ConsecutiveRefusals,
    pub(crate) s3_credentials: S3CredentialCache,
}

/// A response that is neither a redirect nor a refusal.
#[derive(Debug)]
pub(crate) struct ArchiveResponse {
    pub(crate) response: Response,
    /// Whether redirects led to a host that is neither the archive's nor the login host: a presigned link, which expires.
    pub(crate) is_presigned: bool,
}

/// A URL to request, and the state of its chain of redirects so far.
struct RedirectChain<'a> {
    url: &'a Url,
    /// Whether the URL may need the session of a login, although the token is valid for files.
    needs_session: bool,
    /// Whether the archive has redirected to the login host. From then on the cookie of that host is sent and not the token,
    /// which did not help.
    was_sent_to_login: bool,
    /// Whether user and password were sent: they are sent once per chain.
    has_sent_login: bool,
}

impl Earthdata {
    /// Creates a session without sending a request. `stall_timeout` is how long a host may send nothing, or next to nothing.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] if the token has expired and the login is missing, [`Error::Client`] if the HTTP client cannot be
    /// created.
    pub fn new(credentials: Credentials, hosts: Hosts, stall_timeout: Duration) -> Result<Earthdata> {
        Earthdata::build(credentials, hosts, stall_timeout, Notices::default())
    }

    /// Creates a session like [`Earthdata::new`] that calls `listener` with a line of text when it stops using the token. Without
    /// a listener the line is logged.
    ///
    /// # Errors
    /// The errors of [`Earthdata::new`].
    pub fn with_notices(
        credentials: Credentials,
        hosts: Hosts,
        stall_timeout: Duration,
        listener: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Earthdata> {
        Earthdata::build(credentials, hosts, stall_timeout, Notices::new(listener))
    }

    fn build(
        mut credentials: Credentials,
        hosts: Hosts,
        stall_timeout: Duration,
        notices: Notices,
    ) -> Result<Earthdata> {
        let expired = credentials.token.as_ref().and_then(|token| token.header(Utc::now()).err());
        if let Some(error) = expired {
            if credentials.login.is_none() {
                return Err(error);
            }
            notices.send(&fallback_notice(&error));
            credentials.token = None;
        }
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .referer(false)
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT.min(stall_timeout))
            .read_timeout(stall_timeout)
            .build()
            .map_err(Error::Client)?;
        Ok(Earthdata {
            client,
            hosts,
            credentials,
            cookies: CookieJars::default(),
            token_check: CredentialCheck::default(),
            login_check: CredentialCheck::default(),
            stall_timeout,
            notices,
            refusals: ConsecutiveRefusals::default(),
            s3_credentials: S3CredentialCache::default(),
        })
    }

    /// Requests `url` and follows its redirects. The archive gets the token, or redirects to the login host, which gets user and
    /// password and redirects back with a cookie; other hosts get neither.
    pub(crate) async fn get(&self, url: &Url, headers: &HeaderMap) -> Result<ArchiveResponse> {
        let chain = RedirectChain { url, needs_session: false, was_sent_to_login: false, has_sent_login: false };
        self.follow(chain, headers).await
    }

    /// Requests `url` like [`Earthdata::get`], for a URL that may need the session of a login although the token is valid.
    pub(crate) async fn get_with_session(&self, url: &Url) -> Result<ArchiveResponse> {
        let chain = RedirectChain { url, needs_session: true, was_sent_to_login: false, has_sent_login: false };
        self.follow(chain, &HeaderMap::new()).await
    }

    async fn follow(&self, mut chain: RedirectChain<'_>, headers: &HeaderMap) -> Result<ArchiveResponse> {
        let url = chain.url;
        if !is_http(url) {
            return Err(Error::InvalidAddress {
                url: redacted(url),
                problem: "expected an http or https URL".to_owned(),
            });
        }
        let mut current = without_credentials(url);
        for redirects in 0..=MAX_REDIRECTS {
            let (response, sent) = self.request_hop(&current, headers, &mut chain).await?;
            let status = response.status();
            let Some(next) = redirect_target(&current, &response)? else {
                return self.check_final_response(url, &current, redirects, response, sent);
            };
            if self.hosts.is_login(&next) && !self.hosts.is_login(&current) {
                // Otherwise any host could have the user log in to its own application.
                if !self.hosts.is_archive(&current) {
                    return Err(Error::UntrustedHost { url: redacted(url) });
                }
                if chain.was_sent_to_login {
                    return Err(Error::Forbidden { url: redacted(url) });
                }
                chain.was_sent_to_login = true;
                self.require_login(url).await?;
            }
            tracing::debug!(from = redacted(&current), to = redacted(&next), status = status.as_u16(), "redirect");
            current = next;
        }
        Err(Error::InvalidResponse { url: redacted(url), problem: format!("more than {MAX_REDIRECTS} redirects") })
    }

    /// Sends one request with the credentials that its host may see, and returns which were sent. Unchecked credentials are sent
    /// by one request at a time, so that a wrong password is sent once, no matter how many files are requested.
    async fn request_hop(
        &self,
        at: &Url,
        headers: &HeaderMap,
        chain: &mut RedirectChain<'_>,
    ) -> Result<(Response, Option<CredentialKind>)> {
        let request = || {
            let request = self.client.get(at.clone()).headers(headers.clone()).header(ACCEPT_ENCODING, "identity");
            match self.cookies.header(at) {
                Some(cookie) => request.header(COOKIE, cookie),
                None => request,
            }
        };
        let may_send_login = self.hosts.is_login(at) && chain.was_sent_to_login && !chain.has_sent_login;
        if let (true, Some(login)) = (may_send_login, &self.credentials.login) {
            chain.has_sent_login = true;
            return Ok((self.send_login(at, login, request(), chain.url).await?, Some(CredentialKind::Login)));
        }
        if let (true, false, Some(token)) =
            (self.hosts.is_archive(at), chain.was_sent_to_login, &self.credentials.token)
            && let Some(response) = self.send_token(at, token, request(), chain.needs_session).await?
        {
            return Ok((response, Some(CredentialKind::Token)));
        }
        Ok((self.send(at, request()).await?, None))
    }

    /// Sends `request`, and stores the cookies of the response. Headers and query are never logged.
    pub(crate) async fn send(&self, at: &Url, request: RequestBuilder) -> Result<Response> {
        let response = request.send().await.map_err(|error| self.connection_error(at, error))?;
        self.cookies.store(at, &response);
        tracing::debug!(
            method = "GET",
            url = redacted(at),
            status = response.status().as_u16(),
            bytes = response.content_length(),
            "request"
        );
        Ok(response)
    }

    /// Converts an error of the HTTP client; the result does not contain the query.
    pub(crate) fn connection_error(&self, at: &Url, error: reqwest::Error) -> Error {
        match error.is_timeout() && !error.is_connect() {
            true => self.stall_error(at),
            false => {
                let what = if error.is_connect() { "connection failed" } else { "connection was interrupted" };
                Error::Connection { url: redacted(at), what, reason: root_cause(&error.without_url()) }
            }
        }
    }

    /// The error for a connection that sent next to nothing for the stall timeout.
    pub(crate) fn stall_error(&self, at: &Url) -> Error {
        Error::Stalled { url: redacted(at), seconds: self.stall_timeout.as_secs() }
    }

    /// The time for which a host may send nothing, or next to nothing.
    pub(crate) fn stall_timeout(&self) -> Duration {
        self.stall_timeout
    }

    /// The check of this kind of credentials.
    pub(crate) fn credential_check(&self, kind: CredentialKind) -> &CredentialCheck {
        match kind {
            CredentialKind::Token => &self.token_check,
            CredentialKind::Login => &self.login_check,
        }
    }

    /// Fails if the session has nothing to send to the login host, to which `url` has redirected.
    async fn require_login(&self, url: &Url) -> Result<()> {
        let rejected = |kind, rejection| Err(self.rejection_error(kind, rejection));
        match (&self.credentials.login, &self.credentials.token) {
            (Some(_), _) => match self.login_check.rejection().await {
                Some(rejection) => rejected(CredentialKind::Login, rejection),
                None => Ok(()),
            },
            (None, None) => Err(Error::NoLogin { url: redacted(url) }),
            (None, Some(_)) => match self.token_check.rejection().await {
                Some(rejection) => rejected(CredentialKind::Token, rejection),
                None => Err(Error::Forbidden { url: redacted(url) }),
            },
        }
    }

    /// Returns the last response of a redirect chain, or an error if it denies access.
    fn check_final_response(
        &self,
        url: &Url,
        at: &Url,
        redirects: usize,
        response: Response,
        sent: Option<CredentialKind>,
    ) -> Result<ArchiveResponse> {
        let is_outside = !self.hosts.is_archive(at) && !self.hosts.is_login(at);
        match response.status() {
            StatusCode::UNAUTHORIZED if !is_outside && sent.is_none() && self.credentials.is_empty() => {
                Err(Error::NoLogin { url: redacted(url) })
            }
            // The login host has confirmed the token: the archive may accept it in the next attempt.
            StatusCode::UNAUTHORIZED if sent == Some(CredentialKind::Token) => {
                Ok(ArchiveResponse { response, is_presigned: false })
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if !is_outside => {
                Err(Error::Forbidden { url: redacted(url) })
            }
            // The login host responds with a page if the user has to confirm something there.
            status if status.is_success() && self.hosts.is_login(at) && !self.hosts.is_login(url) => {
                Err(Error::WebPage { url: redacted(url) })
            }
            _ => Ok(ArchiveResponse { response, is_presigned: is_outside && redirects > 0 }),
        }
    }

    /// The error for rejected credentials of this kind.
    pub(crate) fn rejection_error(&self, kind: CredentialKind, rejection: Rejection) -> Error {
        let (token, login) = (self.credentials.token.as_ref(), self.credentials.login.as_ref());
        let origin = match kind {
            CredentialKind::Token => token.map(|token| token.origin.clone()),
            CredentialKind::Login => login.map(|login| login.origin.clone()),
        };
        let origin = origin.unwrap_or_default();
        match rejection {
            Rejection::Refused => Error::LoginRefused { kind, origin },
            Rejection::Unexpected { url } => Error::UnexpectedLoginResponse { url, kind, origin },
        }
    }

    /// Sends a notice that the login replaces the token.
    pub(crate) fn fall_back_to_login(&self, error: &Error) {
        self.notices.send(&fallback_notice(error));
    }
}

fn fallback_notice(error: &Error) -> String {
    format!("{error}; continuing with user and password")
}
