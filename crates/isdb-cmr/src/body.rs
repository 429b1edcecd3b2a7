//! Bodies of answers that are read whole: never more than was thought of.

use reqwest::Response;

/// The body of `response`; None when it has more than `most` bytes.
pub(crate) async fn at_most(mut response: Response, most: usize) -> reqwest::Result<Option<Vec<u8>>> {
    if response.content_length().is_some_and(|length| length > most as u64) {
        return Ok(None);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > most {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}
