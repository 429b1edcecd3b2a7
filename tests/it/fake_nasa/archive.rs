//! The archive, as NASA's: it redirects through a login to presigned links on a second host. [`Trick`]s play the failures that were
//! observed. Every request is recorded.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, Response, header};
use axum::routing::get;
use bytes::Bytes;
use tokio::runtime::Runtime;

use super::content::fingerprint;
use super::store::store;

pub(crate) const USER: &str = "ann";
pub(crate) const PASSWORD: &str = "pass-of-ann";
pub(crate) const TOKEN: &str = "token-of-ann";
/// `ann:pass-of-ann` as Basic authentication sends it.
pub(crate) const BASIC: &str = "YW5uOnBhc3Mtb2YtYW5u";
/// The signature in presigned links.
pub(crate) const SIGNATURE: &str = "presigned-secret";
const SESSION: &str = "session-cookie";

/// One failure; each applies to one request for the file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Trick {
    /// The archive responds with this status and these headers.
    Archive(u16, Vec<(&'static str, String)>),
    /// The second host responds with this status, without a body.
    Store(u16),
    /// The connection breaks after this many bytes of the body.
    Cut(usize),
    /// The body stops after this many bytes, and the connection stays open.
    Stall(usize),
    /// The whole file although a range was requested.
    IgnoreRange,
    /// A login page with status 200.
    Page,
    /// A body that is not HDF5, a few bytes at a time, without a content type of a page.
    Junk,
    /// An announced length larger than any disk.
    Endless,
    /// From now on tokens are refused, by the login host as well.
    Revoke,
    /// More bytes than announced.
    TooLong,
    /// After this many bytes, one byte at a time.
    Trickle(usize),
    /// A range with another beginning than the requested one.
    OtherRange,
    /// The archive redirects to the login whatever credentials it receives.
    WantLogin,
}

#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) content: Bytes,
    pub(crate) etag: Option<String>,
    pub(crate) modified: Option<String>,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// `archive`, `login` or `store`.
    pub(crate) host: &'static str,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// Bytes of the body that were handed to the connection.
    pub(crate) sent: u64,
}

#[derive(Default)]
pub(super) struct Inside {
    pub(super) files: HashMap<String, File>,
    tricks: HashMap<String, VecDeque<Trick>>,
    pub(super) seen: Vec<Seen>,
    /// The pause before every piece of a body.
    pub(super) slow: Duration,
    /// The status for a wrong password: 401, 200 with a page, or 302 to itself.
    wrong_login: u16,
    /// The expiration of temporary S3 credentials.
    s3_expiration: &'static str,
    /// Whether tokens are refused.
    is_revoked: bool,
    archive: String,
    store: String,
    login: String,
}

pub(super) type Shared = Arc<Mutex<Inside>>;

/// The three hosts; dropping it stops them.
pub(crate) struct Archive {
    inside: Shared,
    runtime: Option<Runtime>,
}

impl Archive {
    pub(crate) fn new() -> Archive {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let inside = Shared::default();
        {
            let mut inside = inside.lock().unwrap();
            inside.s3_expiration = "2099-01-01 00:00:00+00:00";
            inside.wrong_login = 401;
        }
        let archive = Router::new()
            .route("/data/{name}", get(archive))
            .route("/login", get(callback))
            .route("/s3credentials", get(s3_credentials));
        let login = Router::new()
            .route("/oauth/authorize", get(authorize))
            .route("/api/users/tokens", get(tokens))
            .route("/oauth/userInfo", get(user_info));
        let store = Router::new().route("/bucket/{name}", get(store));
        let ports =
            [archive, login, store].map(|router| serve(&runtime, router.with_state(Arc::clone(&inside))).port());
        let [archive, login, store] = ports;
        {
            let mut inside = inside.lock().unwrap();
            inside.archive = format!("http://127.0.0.1:{archive}");
            inside.login = format!("http://127.0.0.1:{login}");
            inside.store = format!("http://localhost:{store}");
        }
        Archive { inside, runtime: Some(runtime) }
    }

    /// Publishes a file under this name, or replaces it.
    pub(crate) fn put(&self, name: &str, content: Bytes) {
        let etag = Some(format!("\"{:x}\"", fingerprint(&content)));
        let modified = Some("Wed, 21 Oct 2020 07:28:00 GMT".to_owned());
        self.put_as(name, File { content, etag, modified });
    }

    pub(crate) fn put_as(&self, name: &str, file: File) {
        self.inside.lock().unwrap().files.insert(name.to_owned(), file);
    }

    /// The tricks of the next requests for the file, in order.
    pub(crate) fn play(&self, name: &str, tricks: impl IntoIterator<Item = Trick>) {
        self.inside.lock().unwrap().tricks.entry(name.to_owned()).or_default().extend(tricks);
    }

    /// Removes the tricks of the file.
    pub(crate) fn forget_tricks(&self, name: &str) {
        self.inside.lock().unwrap().tricks.remove(name);
    }

    pub(crate) fn slow_down(&self, each_piece: Duration) {
        self.inside.lock().unwrap().slow = each_piece;
    }

    pub(crate) fn answer_wrong_logins_with(&self, status: u16) {
        self.inside.lock().unwrap().wrong_login = status;
    }

    pub(crate) fn s3_expiration(&self, text: &'static str) {
        self.inside.lock().unwrap().s3_expiration = text;
    }

    /// Accepts the token again after [`Trick::Revoke`].
    pub(crate) fn accept_tokens(&self) {
        self.inside.lock().unwrap().is_revoked = false;
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("{}/data/{name}", self.inside.lock().unwrap().archive)
    }

    pub(crate) fn s3_endpoint(&self) -> String {
        format!("{}/s3credentials", self.inside.lock().unwrap().archive)
    }

    pub(crate) fn login_url(&self) -> String {
        self.inside.lock().unwrap().login.clone()
    }

    /// The hosts to which a token may be sent.
    pub(crate) fn hosts(&self) -> String {
        self.inside.lock().unwrap().archive.clone()
    }

    /// All requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.inside.lock().unwrap().seen.clone()
    }

    /// Number of requests to `host` for paths that end in `end`.
    pub(crate) fn count(&self, host: &str, end: &str) -> usize {
        self.seen().iter().filter(|seen| seen.host == host && seen.path.ends_with(end)).count()
    }

    /// Number of bytes of the file that were sent in all responses.
    pub(crate) fn sent(&self, name: &str) -> u64 {
        let of = |seen: &Seen| seen.host == "store" && seen.path.ends_with(&format!("/{name}"));
        self.seen().iter().filter(|seen| of(seen)).map(|seen| seen.sent).sum()
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

pub(super) fn serve(runtime: &Runtime, router: Router) -> SocketAddr {
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// Records the request and returns its index.
pub(super) fn note(shared: &Shared, host: &'static str, request: &Request) -> usize {
    let (path, headers) = (request.uri().path().to_owned(), request.headers().clone());
    let seen = &mut shared.lock().unwrap().seen;
    seen.push(Seen { host, path, headers, sent: 0 });
    seen.len() - 1
}

fn shows(request: &Request, name: header::HeaderName, text: &str) -> bool {
    request.headers().get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(text))
}

fn to(status: u16, location: &str) -> Response<Body> {
    Response::builder().status(status).header(header::LOCATION, location).body(Body::empty()).unwrap()
}

pub(super) fn plain(status: u16, body: impl Into<Body>) -> Response<Body> {
    Response::builder().status(status).body(body.into()).unwrap()
}

fn to_login(shared: &Shared, path: &str) -> Response<Body> {
    let login = shared.lock().unwrap().login.clone();
    to(302, &format!("{login}/oauth/authorize?client_id=archive&response_type=code&state={path}"))
}

/// Removes and returns the next trick of the file if `wanted` accepts it.
pub(super) fn trick(shared: &Shared, name: &str, wanted: impl Fn(&Trick) -> bool) -> Option<Trick> {
    let mut inside = shared.lock().unwrap();
    let tricks = inside.tricks.get_mut(name)?;
    tricks.front().is_some_and(wanted).then(|| tricks.pop_front()).flatten()
}

pub(super) fn last_part(request: &Request) -> String {
    request.uri().path().rsplit('/').next().unwrap().to_owned()
}

async fn archive(State(shared): State<Shared>, request: Request) -> Response<Body> {
    note(&shared, "archive", &request);
    let name = last_part(&request);
    if let Some(Trick::Archive(status, headers)) = trick(&shared, &name, |trick| matches!(trick, Trick::Archive(..))) {
        let mut response = plain(status, "");
        for (name, value) in headers {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        return response;
    }
    if trick(&shared, &name, |trick| *trick == Trick::Revoke).is_some() {
        shared.lock().unwrap().is_revoked = true;
    }
    let knows = shows(&request, header::COOKIE, SESSION);
    let has_token = shows(&request, header::AUTHORIZATION, TOKEN) && !shared.lock().unwrap().is_revoked;
    if trick(&shared, &name, |trick| *trick == Trick::WantLogin).is_some() {
        return to_login(&shared, request.uri().path());
    }
    if request.headers().contains_key(header::AUTHORIZATION) && !has_token {
        return plain(401, "invalid_token");
    }
    if !knows && !has_token {
        return to_login(&shared, request.uri().path());
    }
    let inside = shared.lock().unwrap();
    match inside.files.contains_key(&name) {
        true => to(303, &format!("{}/bucket/{name}?A-userid=ann&Signature={SIGNATURE}", inside.store)),
        false => plain(404, ""),
    }
}

async fn callback(
    State(shared): State<Shared>,
    Query(query): Query<HashMap<String, String>>,
    request: Request,
) -> Response<Body> {
    note(&shared, "archive", &request);
    let mut response = to(302, query.get("state").unwrap());
    let cookie = format!("session={SESSION}; Path=/; HttpOnly");
    response.headers_mut().insert(header::SET_COOKIE, cookie.parse().unwrap());
    response
}

/// Requires a session; a token is not enough.
async fn s3_credentials(State(shared): State<Shared>, request: Request) -> Response<Body> {
    note(&shared, "archive", &request);
    if !shows(&request, header::COOKIE, SESSION) {
        return to_login(&shared, "/s3credentials");
    }
    let inside = shared.lock().unwrap();
    let number = inside.seen.iter().filter(|seen| seen.path == "/s3credentials").count();
    let text = format!(
        r#"{{"accessKeyId":"key-{number}","secretAccessKey":"s3-secret","sessionToken":"s3-session","expiration":"{}"}}"#,
        inside.s3_expiration
    );
    plain(200, text)
}

async fn authorize(
    State(shared): State<Shared>,
    Query(query): Query<HashMap<String, String>>,
    request: Request,
) -> Response<Body> {
    note(&shared, "login", &request);
    match shows(&request, header::AUTHORIZATION, BASIC) {
        true => {
            let archive = shared.lock().unwrap().archive.clone();
            to(302, &format!("{archive}/login?code=once&state={}", query.get("state").unwrap()))
        }
        false => {
            let status = shared.lock().unwrap().wrong_login;
            match status {
                302 => to(302, &request.uri().to_string()),
                _ => plain(status, "<!DOCTYPE html><title>Earthdata Login</title>"),
            }
        }
    }
}

async fn tokens(State(shared): State<Shared>, request: Request) -> Response<Body> {
    note(&shared, "login", &request);
    match shows(&request, header::AUTHORIZATION, BASIC) {
        true => plain(200, r#"[{"access_token":"x","token_type":"Bearer","expiration_date":"12/15/2099"}]"#),
        false => plain(401, r#"{"error":"invalid_credentials"}"#),
    }
}

async fn user_info(State(shared): State<Shared>, request: Request) -> Response<Body> {
    note(&shared, "login", &request);
    match shows(&request, header::AUTHORIZATION, TOKEN) && !shared.lock().unwrap().is_revoked {
        true => plain(200, r#"{"uid":"ann"}"#),
        false => plain(401, ""),
    }
}
