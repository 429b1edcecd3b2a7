//! Cookies, in memory only and each origin's apart: a cookie for one port of a host is none for another.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::{HeaderValue, SET_COOKIE};
use reqwest::{Response, Url};

/// The cookies of every origin that has set some.
#[derive(Default)]
pub(crate) struct Cookies(Mutex<HashMap<String, Arc<Jar>>>);

impl Cookies {
    /// What to send to `url`, marked so that nothing prints it.
    pub(crate) fn of(&self, url: &Url) -> Option<HeaderValue> {
        let jar = Arc::clone(self.jars().get(&url.origin().ascii_serialization())?);
        let mut value = jar.cookies(url)?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Keeps what `response` from `url` sets.
    pub(crate) fn keep(&self, url: &Url, response: &Response) {
        let mut set = response.headers().get_all(SET_COOKIE).iter().peekable();
        if set.peek().is_some() {
            let jar = Arc::clone(self.jars().entry(url.origin().ascii_serialization()).or_default());
            jar.set_cookies(&mut set, url);
        }
    }

    fn jars(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Jar>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
