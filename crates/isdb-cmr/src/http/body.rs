//! Response bodies, read into memory up to a limit.

use reqwest::Response;

/// Reads the body of `response`; None if it has more than `max_bytes`.
pub(crate) async fn read_limited(mut response: Response, max_bytes: usize) -> reqwest::Result<Option<Vec<u8>>> {
    if response.content_length().is_some_and(|length| length > max_bytes as u64) {
        return Ok(None);
    }
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await? {
        if body.len() + bytes.len() > max_bytes {
            return Ok(None);
        }
        body.extend_from_slice(&bytes);
    }
    Ok(Some(body))
}
