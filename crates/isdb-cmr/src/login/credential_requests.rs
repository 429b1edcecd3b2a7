//! Requests with credentials, and what their responses say about the credentials.

use chrono::Utc;
use reqwest::header::AUTHORIZATION;
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use secrecy::ExposeSecret;

use crate::error::{Error, Result};
use crate::http::redirect::redirect_target;
use crate::http::url::redacted;
use crate::login::credential_check::{Rejection, SendPermit};
use crate::login::credential_kind::CredentialKind;
use crate::login::credentials::{Login, Token};
use crate::login::session::Earthdata;

impl Earthdata {
    /// Sends user and password to the login host, which accepts them by a redirect to another host. Any other response to
    /// unchecked ones counts as a rejection, so that no other file sends them again.
    pub(super) async fn send_login(
        &self,
        at: &Url,
        login: &Login,
        request: RequestBuilder,
        url: &Url,
    ) -> Result<Response> {
        let rejected = |rejection| self.rejection_error(CredentialKind::Login, rejection);
        let permit = self.login_check.permit().await.map_err(rejected)?;
        let response = self.send(at, request.basic_auth(&login.user, Some(login.password.expose_secret()))).await?;
        let leads_away = matches!(redirect_target(at, &response), Ok(Some(next)) if !self.hosts.is_login(&next));
        match response.status() {
            _ if leads_away => {
                permit.accept();
                Ok(response)
            }
            // The host has not checked them.
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Ok(response),
            status if status.is_server_error() => Ok(response),
            StatusCode::UNAUTHORIZED => {
                permit.reject(Rejection::Refused).await;
                Err(rejected(Rejection::Refused))
            }
            // The login was accepted before, so only this file is forbidden.
            StatusCode::FORBIDDEN if permit.is_accepted() => Err(Error::Forbidden { url: redacted(url) }),
            _ if permit.is_accepted() => Ok(response),
            status => {
                let rejection = match status {
                    StatusCode::FORBIDDEN => Rejection::Refused,
                    _ => Rejection::Unexpected { url: redacted(at) },
                };
                permit.reject(rejection.clone()).await;
                Err(rejected(rejection))
            }
        }
    }

    /// Sends the token to the archive; None if it is invalid and there is a login to use instead. `needs_session` says that the
    /// URL may need the session of a login although the token is valid.
    pub(super) async fn send_token(
        &self,
        at: &Url,
        token: &Token,
        request: RequestBuilder,
        needs_session: bool,
    ) -> Result<Option<Response>> {
        let rejected = |rejection| self.rejection_error(CredentialKind::Token, rejection);
        let has_login = self.credentials.login.is_some();
        let give_up = async |permit: SendPermit<'_>, error: Error| {
            let is_first = permit.reject(Rejection::Refused).await;
            if !has_login {
                return Err(error);
            }
            if is_first {
                self.fall_back_to_login(&error);
            }
            Ok(None)
        };
        let permit = match self.token_check.permit().await {
            Ok(permit) => permit,
            Err(_) if has_login => return Ok(None),
            Err(rejection) => return Err(rejected(rejection)),
        };
        let header = match token.header(Utc::now()) {
            Ok(header) => header,
            Err(error) => return give_up(permit, error).await,
        };
        let response = self.send(at, request.header(AUTHORIZATION, header)).await?;
        let leads_to_login = redirect_target(at, &response)?.is_some_and(|next| self.hosts.is_login(&next));
        match response.status() {
            // A malfunctioning host may refuse every request: a token that was accepted before is rejected only if the login
            // host confirms it.
            StatusCode::UNAUTHORIZED if permit.is_accepted() && self.is_token_valid(token).await != Some(false) => {}
            StatusCode::UNAUTHORIZED => return give_up(permit, rejected(Rejection::Refused)).await,
            // The token was accepted before, so only this file needs more.
            _ if leads_to_login && (needs_session || permit.is_accepted()) => {}
            // Either the token is invalid, or the first file needs more. If the login host does not answer, the next file tries
            // the token again.
            _ if leads_to_login => match self.is_token_valid(token).await {
                Some(true) => permit.accept(),
                Some(false) => {
                    permit.reject(Rejection::Refused).await;
                    if has_login {
                        self.fall_back_to_login(&rejected(Rejection::Refused));
                    }
                }
                None => {}
            },
            status if status.is_success() || status.is_redirection() => permit.accept(),
            _ => {}
        }
        Ok(Some(response))
    }
}
