//! The second host, the target of presigned links: it serves ranges of files and plays the tricks of the archive.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use bytes::Bytes;
use futures::stream::{self, StreamExt};

use super::archive::{File, SIGNATURE, Shared, Trick, last_part, note, plain, trick};

/// Bodies are sent in pieces of this size.
const PIECE: usize = 16 << 10;

pub(super) async fn store(
    State(shared): State<Shared>,
    Query(query): Query<HashMap<String, String>>,
    request: Request,
) -> Response<Body> {
    let at = note(&shared, "store", &request);
    let name = last_part(&request);
    if request.headers().contains_key(header::AUTHORIZATION) {
        return plain(400, "Only one auth mechanism allowed");
    }
    if query.get("Signature").map(String::as_str) != Some(SIGNATURE) {
        return plain(403, "<Error><Code>AccessDenied</Code></Error>");
    }
    let trick = trick(&shared, &name, |trick| !matches!(trick, Trick::Archive(..) | Trick::WantLogin | Trick::Revoke));
    match trick {
        Some(Trick::Store(status)) => return plain(status, ""),
        Some(Trick::Page) => {
            let mut page = plain(200, "<!DOCTYPE html><title>Earthdata Login</title>");
            page.headers_mut().insert(header::CONTENT_TYPE, "text/html; charset=utf-8".parse().unwrap());
            return page;
        }
        Some(Trick::Junk) => {
            let junk = b"<!DOCTYPE html><title>Maintenance</title>".chunks(3).map(Bytes::from_static);
            let mut junk = plain(200, Body::from_stream(stream::iter(junk.map(Ok::<_, Infallible>))));
            junk.headers_mut().insert(header::CONTENT_TYPE, "application/octet-stream".parse().unwrap());
            return junk;
        }
        _ => {}
    }
    let (file, slow) = {
        let inside = shared.lock().unwrap();
        (inside.files[&name].clone(), inside.slow)
    };
    let length = file.content.len();
    let from = range(request.headers(), &file).filter(|_| trick != Some(Trick::IgnoreRange));
    let mut response = Response::builder().header(header::CONTENT_TYPE, "application/x-hdf5");
    if let Some(etag) = &file.etag {
        response = response.header(header::ETAG, etag);
    }
    if let Some(modified) = &file.modified {
        response = response.header(header::LAST_MODIFIED, modified);
    }
    let content = match from {
        Some(from) if from >= length => {
            let response = response.status(416).header(header::CONTENT_RANGE, format!("bytes */{length}"));
            return response.body(Body::empty()).unwrap();
        }
        Some(from) => {
            let from = if trick == Some(Trick::OtherRange) { from - 1000 } else { from };
            response = response
                .status(StatusCode::PARTIAL_CONTENT)
                .header(header::CONTENT_RANGE, format!("bytes {from}-{}/{length}", length - 1));
            file.content.slice(from..)
        }
        None => file.content.clone(),
    };
    if trick == Some(Trick::Endless) {
        let body = stream::iter([Ok::<_, Infallible>(content)]).chain(stream::pending());
        return response.header(header::CONTENT_LENGTH, 1_u64 << 60).body(Body::from_stream(body)).unwrap();
    }
    if trick == Some(Trick::TooLong) {
        let doubled = [content.clone(), content].concat();
        return response.body(Body::from_stream(stream::iter([Ok::<_, Infallible>(Bytes::from(doubled))]))).unwrap();
    }
    let end = match trick {
        Some(Trick::Cut(end) | Trick::Stall(end) | Trick::Trickle(end)) => end.min(content.len()),
        _ => content.len(),
    };
    let announced = content.len();
    // The early end of a body: an error closes the connection, a future that never ends keeps it open.
    let next = content.slice(end..);
    let trickle = stream::iter(next).then(|byte| async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok::<_, std::io::Error>(Bytes::from(vec![byte]))
    });
    let (stalls, trickles) = (matches!(trick, Some(Trick::Stall(_))), matches!(trick, Some(Trick::Trickle(_))));
    let ending = stream::once(async move {
        if stalls {
            std::future::pending::<()>().await;
        }
        // Time to send the bytes before the end.
        tokio::time::sleep(Duration::from_millis(30)).await;
        Err::<Bytes, _>(std::io::Error::other("cut"))
    });
    let pieces: Vec<Bytes> =
        (0..end).step_by(PIECE).map(|start| content.slice(start..end.min(start + PIECE))).collect();
    let counting = Arc::clone(&shared);
    let body = stream::iter(pieces).then(move |piece| {
        let counting = Arc::clone(&counting);
        async move {
            if !slow.is_zero() {
                tokio::time::sleep(slow).await;
            }
            counting.lock().unwrap().seen[at].sent += piece.len() as u64;
            Ok::<_, std::io::Error>(piece)
        }
    });
    let response = response.header(header::CONTENT_LENGTH, announced);
    if trickles {
        return response.body(Body::from_stream(body.chain(trickle))).unwrap();
    }
    let body = if end < announced { Body::from_stream(body.chain(ending)) } else { Body::from_stream(body) };
    response.body(body).unwrap()
}

/// The beginning of the requested range, if the file still matches the validators.
fn range(headers: &HeaderMap, file: &File) -> Option<usize> {
    let text = |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let from = text(header::RANGE)?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().unwrap();
    let meant = text(header::IF_RANGE);
    (meant.is_none() || meant == file.etag || meant == file.modified).then_some(from)
}
