//! An S3 server in this process, on loopback. It checks the conditions of a write and writes in one step, as S3 does and as other test
//! servers do not, and it answers wrongly when a test wants it to: late, with an error, or not at all.
//!
//! It has one bucket, keeps objects in memory, issues temporary keys, and knows the requests that `object_store` makes for isdb. Signatures are not checked; the
//! id of the key and the token are.

mod exchange;
mod http;
mod issued_keys;

use std::collections::BTreeMap;
use std::io::BufReader;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

pub use exchange::{Exchange, Request, rounds};

use http::{Answer, Call, escaped, read_call};
use issued_keys::IssuedKeys;
pub use issued_keys::{KEY_ID, SECRET, SESSION_TOKEN, SSO_TOKEN};

/// The name of the bucket.
pub const BUCKET: &str = "bucket";
/// Keys in one page of a listing: few, so that tests have several pages.
const PAGE: usize = 10;
/// Keys in one page of a listing of S3.
const LONG_PAGE: usize = 1_000;

/// What the server does with a request instead of answering it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: it answers.
    #[default]
    None,
    /// It answers with a status and an error code of S3, and does nothing else.
    Refuse(u16, &'static str),
    /// It closes the connection before it does anything.
    Reset,
    /// It does what is requested, and closes the connection without an answer.
    LoseAnswer,
    /// It answers late.
    Delay(Duration),
}

type Faults = Box<dyn FnMut(&Request) -> Fault + Send>;

/// The server, which runs as long as the process.
#[derive(Clone)]
pub struct S3Server {
    shared: Arc<Shared>,
}

struct Shared {
    address: SocketAddr,
    objects: Mutex<BTreeMap<String, Object>>,
    requests: Mutex<Vec<Request>>,
    exchanges: Mutex<Vec<Exchange>>,
    page: AtomicUsize,
    faults: Mutex<Option<Faults>>,
    writes: AtomicU64,
    ignores_conditions: AtomicBool,
    is_read_only: AtomicBool,
    is_public: AtomicBool,
    issued: IssuedKeys,
}

struct Object {
    content: Arc<Vec<u8>>,
    tag: String,
    modified: DateTime<Utc>,
}

impl S3Server {
    /// Starts a server with an empty bucket.
    #[must_use]
    pub fn start() -> S3Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let shared = Arc::new(Shared {
            address: listener.local_addr().expect("an address"),
            objects: Mutex::default(),
            requests: Mutex::default(),
            exchanges: Mutex::default(),
            page: AtomicUsize::new(PAGE),
            faults: Mutex::default(),
            writes: AtomicU64::new(0),
            ignores_conditions: AtomicBool::new(false),
            is_read_only: AtomicBool::new(false),
            is_public: AtomicBool::new(false),
            issued: IssuedKeys::default(),
        });
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&served);
                thread::spawn(move || serve(&shared, stream));
            }
        });
        S3Server { shared }
    }

    /// The URL of the server.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    /// The variables with which a program uses the server.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, String); 5] {
        [
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ]
    }

    /// Calls `faults` for each request from now on.
    pub fn set_faults(&self, faults: impl FnMut(&Request) -> Fault + Send + 'static) {
        *lock(&self.shared.faults) = Some(Box::new(faults));
    }

    /// Answers all requests from now on.
    pub fn clear_faults(&self) {
        *lock(&self.shared.faults) = None;
    }

    /// Ignores the conditions of writes, as older stores do.
    pub fn ignore_conditions(&self) {
        self.shared.ignores_conditions.store(true, Ordering::SeqCst);
    }

    /// Refuses writes and removals from now on.
    pub fn set_read_only(&self) {
        self.shared.is_read_only.store(true, Ordering::SeqCst);
    }

    /// Answers requests for objects and listings that are not signed from now on, and refuses writes.
    pub fn set_public(&self) {
        self.shared.is_public.store(true, Ordering::SeqCst);
        self.set_read_only();
    }

    /// Issues temporary keys that are valid so long, from now on; an hour without this.
    pub fn set_key_lifetime(&self, lifetime: Duration) {
        self.shared.issued.set_lifetime(lifetime);
    }

    /// The number of temporary keys that were issued.
    #[must_use]
    pub fn issued_keys(&self) -> usize {
        self.shared.issued.count()
    }

    /// Returns the requests since the last call.
    #[must_use]
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut *lock(&self.shared.requests))
    }

    /// Returns the exchanges that ended since the last call.
    #[must_use]
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        std::mem::take(&mut *lock(&self.shared.exchanges))
    }

    /// Lists as many keys in a page as S3 does.
    pub fn list_long_pages(&self) {
        self.shared.page.store(LONG_PAGE, Ordering::SeqCst);
    }

    /// The keys of all objects.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        lock(&self.shared.objects).keys().cloned().collect()
    }

    /// The content of an object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        lock(&self.shared.objects).get(key).map(|object| object.content.to_vec())
    }

    /// Creates or replaces an object, as another client would.
    pub fn put(&self, key: &str, content: &[u8]) {
        self.shared.put(&mut lock(&self.shared.objects), key, content.to_vec());
    }

    /// Removes all objects.
    pub fn clear(&self) {
        lock(&self.shared.objects).clear();
    }

    /// Removes an object.
    pub fn remove(&self, key: &str) {
        lock(&self.shared.objects).remove(key);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers the requests of one connection.
fn serve(shared: &Shared, stream: TcpStream) {
    let Ok(mut writer) = stream.try_clone() else { return };
    let mut reader = BufReader::new(stream);
    while let Some(call) = read_call(&mut reader) {
        let (request, began) = (call.as_request(), Instant::now());
        lock(&shared.requests).push(request.clone());
        let fault = lock(&shared.faults).as_mut().map_or(Fault::None, |faults| faults(&request));
        let answer = match fault {
            Fault::None => shared.answer(&call),
            Fault::Refuse(status, code) => Answer::error(status, code),
            Fault::Reset => return,
            Fault::LoseAnswer => {
                shared.answer(&call);
                return;
            }
            Fault::Delay(delay) => {
                thread::sleep(delay);
                shared.answer(&call)
            }
        };
        let is_head = call.method == "HEAD";
        let (answered, ended) = (if is_head { 0 } else { answer.body.len() }, Instant::now());
        // Before the client can have the answer, so that no later request seems to have come at the same time.
        lock(&shared.exchanges).push(Exchange { request, answered, began, ended });
        if answer.write(&mut writer, is_head).is_err() {
            return;
        }
    }
}

impl Call {
    fn as_request(&self) -> Request {
        let key = match () {
            () if self.query.contains_key("list-type") => "?list",
            () if self.query.contains_key("delete") => "?delete",
            () => self.key.split_once('/').map_or("", |(_, key)| key),
        };
        let prefix = self.query.get("prefix").cloned().unwrap_or_default();
        Request { method: self.method.clone(), key: key.to_owned(), prefix, bytes: self.body.len() }
    }
}

impl Shared {
    fn answer(&self, call: &Call) -> Answer {
        if let Some(answer) = self.issued.answer(call) {
            return answer;
        }
        let (bucket, key) = call.key.split_once('/').unwrap_or((&call.key, ""));
        let authorization = call.headers.get("authorization").map(String::as_str).unwrap_or_default();
        let is_anonymous = authorization.is_empty() && self.is_public.load(Ordering::SeqCst);
        if !is_anonymous && !authorization.contains(&format!("Credential={KEY_ID}/")) {
            return Answer::error(403, if authorization.is_empty() { "AccessDenied" } else { "InvalidAccessKeyId" });
        }
        if call
            .headers
            .get("x-amz-security-token")
            .is_some_and(|token| token.contains("expired") || self.issued.is_expired(token))
        {
            return Answer::error(400, "ExpiredToken");
        }
        if bucket != BUCKET {
            return Answer::error(404, "NoSuchBucket");
        }
        if self.is_read_only.load(Ordering::SeqCst) && ["PUT", "POST"].contains(&call.method.as_str()) {
            return Answer::error(403, "AccessDenied");
        }
        match call.method.as_str() {
            "GET" if call.query.contains_key("list-type") => self.list(call),
            "GET" | "HEAD" => self.read(call, key),
            "PUT" => self.write(call, key),
            "POST" if call.query.contains_key("delete") => self.delete(call),
            _ => Answer::error(405, "MethodNotAllowed"),
        }
    }

    /// Writes an object, and returns its entity tag.
    fn put(&self, objects: &mut BTreeMap<String, Object>, key: &str, content: Vec<u8>) -> String {
        let tag = format!("\"{:032x}\"", self.writes.fetch_add(1, Ordering::SeqCst) + 1);
        let object = Object { content: Arc::new(content), tag: tag.clone(), modified: Utc::now() };
        objects.insert(key.to_owned(), object);
        tag
    }

    fn write(&self, call: &Call, key: &str) -> Answer {
        let mut objects = lock(&self.objects);
        let existing = objects.get(key).map(|object| object.tag.clone());
        if !self.ignores_conditions.load(Ordering::SeqCst) {
            if call.headers.contains_key("if-none-match") && existing.is_some() {
                return Answer::error(412, "PreconditionFailed");
            }
            match (call.headers.get("if-match"), existing) {
                (Some(_), None) => return Answer::error(404, "NoSuchKey"),
                (Some(tag), Some(existing)) if *tag != existing => return Answer::error(412, "PreconditionFailed"),
                _ => {}
            }
        }
        let tag = self.put(&mut objects, key, call.body.clone());
        Answer { status: 200, headers: vec![("ETag", tag)], body: Arc::default() }
    }

    fn read(&self, call: &Call, key: &str) -> Answer {
        let objects = lock(&self.objects);
        let Some(object) = objects.get(key) else { return Answer::error(404, "NoSuchKey") };
        let mut headers = vec![
            ("ETag", object.tag.clone()),
            ("Last-Modified", object.modified.format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        ];
        let size = object.content.len();
        let Some(range) = call.headers.get("range").and_then(|range| range.strip_prefix("bytes=")) else {
            return Answer { status: 200, headers, body: Arc::clone(&object.content) };
        };
        let (start, end) = match range.split_once('-').expect("a range of bytes") {
            ("", last) => (size.saturating_sub(last.parse().expect("a number of bytes")), size),
            (start, end) => {
                let (start, end): (usize, usize) = (start.parse().expect("a start"), end.parse().expect("an end"));
                (start, (end + 1).min(size))
            }
        };
        if start >= size {
            return Answer::error(416, "InvalidRange");
        }
        headers.push(("Content-Range", format!("bytes {start}-{}/{size}", end - 1)));
        Answer { status: 206, headers, body: Arc::new(object.content[start..end].to_vec()) }
    }

    fn list(&self, call: &Call) -> Answer {
        let text = |name: &str| call.query.get(name).cloned().unwrap_or_default();
        let (prefix, delimiter) = (text("prefix"), text("delimiter"));
        // A continuation token is the last key or prefix of the page before.
        let after = call.query.get("continuation-token").or_else(|| call.query.get("start-after")).cloned();
        let objects = lock(&self.objects);
        let start = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let (mut contents, mut folders, mut last) = (String::new(), Vec::<String>::new(), None);
        let mut is_cut = false;
        let mut count = 0;
        for (key, object) in objects.range::<String, _>((start, Bound::Unbounded)) {
            let Some(rest) = key.strip_prefix(&prefix) else { continue };
            let folder = (!delimiter.is_empty()).then(|| rest.split_once(delimiter.as_str())).flatten();
            let folder = folder.map(|(folder, _)| format!("{prefix}{folder}{delimiter}"));
            if folder.is_some() && (folder.as_ref() == folders.last() || folder == after) {
                continue;
            }
            if count == self.page.load(Ordering::SeqCst) {
                is_cut = true;
                break;
            }
            count += 1;
            match folder {
                Some(folder) => {
                    last = Some(folder.clone());
                    folders.push(folder);
                }
                None => {
                    last = Some(key.clone());
                    let modified = object.modified.format("%Y-%m-%dT%H:%M:%S%.3fZ");
                    contents += &format!(
                        "<Contents><Key>{}</Key><LastModified>{modified}</LastModified><ETag>{}</ETag><Size>{}</Size></Contents>",
                        escaped(key),
                        escaped(&object.tag),
                        object.content.len()
                    );
                }
            }
        }
        let folders: String = folders
            .iter()
            .map(|folder| format!("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", escaped(folder)))
            .collect();
        let next = last.filter(|_| is_cut).map_or_else(String::new, |last| {
            format!("<NextContinuationToken>{}</NextContinuationToken>", escaped(&last))
        });
        Answer::xml(200, &format!("<ListBucketResult>{contents}{folders}{next}</ListBucketResult>"))
    }

    fn delete(&self, call: &Call) -> Answer {
        let body = String::from_utf8_lossy(&call.body);
        let mut objects = lock(&self.objects);
        let mut deleted = String::new();
        for part in body.split("<Key>").skip(1) {
            let key = part.split("</Key>").next().unwrap_or_default();
            objects.remove(&key.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"));
            deleted += &format!("<Deleted><Key>{key}</Key></Deleted>");
        }
        Answer::xml(200, &format!("<DeleteResult>{deleted}</DeleteResult>"))
    }
}
