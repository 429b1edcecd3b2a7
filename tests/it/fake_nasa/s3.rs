//! An S3 bucket that serves ranges of objects to requests with temporary credentials, and that can refuse them as S3 does outside
//! its region.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use bytes::Bytes;
use tokio::runtime::Runtime;

use super::archive::serve;

/// The session token that the archive gives with its credentials.
const SESSION: &str = "s3-session";
const ETAG: &str = "\"0123456789abcdef\"";

#[derive(Default)]
struct Inside {
    /// Objects by `/bucket/key`.
    objects: HashMap<String, Bytes>,
    refuses: bool,
    /// Number of successful range requests, and of the bytes in their responses.
    answered: (usize, usize),
}

type Shared = Arc<Mutex<Inside>>;

/// The server; dropping it stops it.
pub(crate) struct S3 {
    inside: Shared,
    port: u16,
    runtime: Option<Runtime>,
}

impl S3 {
    pub(crate) fn new() -> S3 {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let inside = Shared::default();
        let port = serve(&runtime, Router::new().fallback(answer).with_state(Arc::clone(&inside))).port();
        S3 { inside, port, runtime: Some(runtime) }
    }

    /// Stores an object at `/bucket/key`.
    pub(crate) fn put(&self, path: &str, content: Bytes) {
        self.inside.lock().unwrap().objects.insert(path.to_owned(), content);
    }

    /// Refuses every request from now on.
    pub(crate) fn refuse(&self) {
        self.inside.lock().unwrap().refuses = true;
    }

    /// Serves objects again.
    pub(crate) fn accept(&self) {
        self.inside.lock().unwrap().refuses = false;
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Number of successful range requests since the last call, and of their bytes.
    pub(crate) fn answered(&self) -> (usize, usize) {
        std::mem::take(&mut self.inside.lock().unwrap().answered)
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response<Body> {
    let mut inside = shared.lock().unwrap();
    let refused = inside.refuses || !is_signed(request.headers());
    if refused {
        let text = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
        return status(StatusCode::FORBIDDEN, Body::from(text));
    }
    let Some(object) = inside.objects.get(request.uri().path()).cloned() else {
        return status(StatusCode::NOT_FOUND, Body::from("<Error><Code>NoSuchKey</Code></Error>"));
    };
    if request.headers().get(header::IF_MATCH).is_some_and(|wanted| wanted != ETAG) {
        return status(StatusCode::PRECONDITION_FAILED, Body::empty());
    }
    let range = request.headers().get(header::RANGE).map(|range| range.to_str().unwrap().to_owned());
    let Range { start, end } = range.as_deref().map_or(0..object.len(), |range| requested(range, object.len()));
    if start >= end {
        return status(StatusCode::RANGE_NOT_SATISFIABLE, Body::empty());
    }
    inside.answered.0 += 1;
    inside.answered.1 += end - start;
    let builder = Response::builder()
        .header(header::ETAG, ETAG)
        .header(header::LAST_MODIFIED, "Wed, 21 Oct 2020 07:28:00 GMT")
        .header(header::CONTENT_LENGTH, end - start);
    let builder = match range {
        Some(_) => builder
            .status(StatusCode::PARTIAL_CONTENT)
            .header(header::CONTENT_RANGE, format!("bytes {start}-{}/{}", end - 1, object.len())),
        None => builder,
    };
    builder.body(Body::from(object.slice(start..end))).unwrap()
}

/// Whether the request has the credentials that the archive issued.
fn is_signed(headers: &HeaderMap) -> bool {
    let has = |name: &str, text: &str| headers.get(name).is_some_and(|value| value.to_str().unwrap().contains(text));
    has("x-amz-security-token", SESSION) && has("authorization", "Credential=key-") && has("authorization", "us-west-2")
}

/// `bytes=0-9` of an object of `len` bytes.
fn requested(range: &str, len: usize) -> Range<usize> {
    let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
    first.parse().unwrap()..(last.parse::<usize>().unwrap() + 1).min(len)
}

fn status(code: StatusCode, body: Body) -> Response<Body> {
    Response::builder().status(code).body(body).unwrap()
}
