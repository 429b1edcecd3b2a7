//! Cookies, in memory only, with a separate jar for each origin.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::{HeaderValue, SET_COOKIE};
use reqwest::{Response, Url};

/// A cookie jar for each origin (scheme, host and port).
///
/// A cookie is a credential, and a browser's rules would share it too widely: they ignore the port, so that the login cookie of
/// a mirror would go to every other server of its host, and a cookie for the domain `.earthdata.nasa.gov`, which any archive may
/// set, would go to the login host. Within an origin, reqwest's jar applies paths, expiry and `Secure`.
#[derive(Default)]
pub(crate) struct CookieJars(Mutex<HashMap<String, Arc<Jar>>>);

impl CookieJars {
    /// Returns the `Cookie` header for a request to `url`, marked as sensitive.
    pub(crate) fn header(&self, url: &Url) -> Option<HeaderValue> {
        let jar = Arc::clone(self.jars().get(&url.origin().ascii_serialization())?);
        let mut value = jar.cookies(url)?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Stores the cookies that `response` from `url` sets.
    pub(crate) fn store(&self, url: &Url, response: &Response) {
        let mut cookies = response.headers().get_all(SET_COOKIE).iter().peekable();
        if cookies.peek().is_some() {
            let jar = Arc::clone(self.jars().entry(url.origin().ascii_serialization()).or_default());
            jar.set_cookies(&mut cookies, url);
        }
    }

    fn jars(&self) -> MutexGuard<'_, HashMap<String, Arc<Jar>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CookieJars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
