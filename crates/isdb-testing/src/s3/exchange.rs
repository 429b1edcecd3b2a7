//! What a test sees of the requests.

use std::time::Instant;

/// A request, as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method: GET, HEAD, PUT or POST.
    pub method: String,
    /// The key; `?list` for a listing, `?delete` for a removal.
    pub key: String,
    /// The prefix of a listing.
    pub prefix: String,
    /// The bytes of the body.
    pub bytes: usize,
}

/// A request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The request.
    pub request: Request,
    /// The bytes of the answer's body.
    pub answered: usize,
    /// When the request was there.
    pub began: Instant,
    /// When the answer was sent.
    pub ended: Instant,
}

/// The sequential rounds of these exchanges: the most of them that came one after another, each sent after the answer to the one before.
#[must_use]
pub fn rounds(exchanges: &[Exchange]) -> usize {
    let mut by_end: Vec<&Exchange> = exchanges.iter().collect();
    by_end.sort_by_key(|exchange| exchange.ended);
    let mut last: Option<Instant> = None;
    let mut rounds = 0;
    for exchange in by_end {
        if last.is_none_or(|last| exchange.began >= last) {
            rounds += 1;
            last = Some(exchange.ended);
        }
    }
    rounds
}
