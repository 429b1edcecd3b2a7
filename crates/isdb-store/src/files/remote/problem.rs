//! What an object store's refusal means, and what helps.

use object_store::Error as Source;

use super::credential_request::CredentialProblem;

/// What kind of answer an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The object does not exist.
    NotFound,
    /// The object exists, or another writer changed it.
    Changed,
    /// The object ends before the first of the requested bytes.
    BeyondEnd,
    /// The store cannot do what was requested, such as a conditional write.
    NotImplemented,
    /// Everything else: permissions, credentials, settings, the network.
    Other,
}

/// An error of an object store in words.
#[derive(Debug)]
pub(crate) struct StoreProblem {
    pub(crate) refusal: Refusal,
    /// The store's code and message, or the network's.
    pub(crate) text: String,
    pub(crate) hint: Option<String>,
}

/// Codes of S3 that say what to do.
const HINTS: [(&[&str], &str); 8] = [
    (
        &["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"],
        "the session token has expired: get a new one, such as by `aws sso login`",
    ),
    (&["RequestTimeTooSkewed"], "the clock of this machine differs from the store's: set it, such as by NTP"),
    (
        &[
            "PermanentRedirect",
            "AuthorizationHeaderMalformed",
            "TemporaryRedirect",
            "IllegalLocationConstraintException",
        ],
        REGION,
    ),
    (
        &["InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "UnrecognizedClientException"],
        "the store does not know this key: check AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
    ),
    (&["AccessDenied", "AllAccessDisabled"], DENIED),
    (
        &["NoSuchBucket"],
        "check the name of the bucket and AWS_ENDPOINT_URL; an S3-compatible store may need AWS_VIRTUAL_HOSTED_STYLE_REQUEST=false \
         or true",
    ),
    (&["SlowDown", "ServiceUnavailable", "InternalError"], "the store is overloaded: run the command again later"),
    (&["NotImplemented"], SINGLE_WRITER),
];

const REGION: &str =
    "the bucket is in another region: set AWS_REGION to the one that `aws s3api get-bucket-location` prints";
const DENIED: &str =
    "these credentials lack a permission for the bucket; a public one may need AWS_SKIP_SIGNATURE=true";
const SINGLE_WRITER: &str =
    "--single-writer writes without conditional requests, if no other process writes to the database";
const NO_CREDENTIALS: &str =
    "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; a public bucket needs AWS_SKIP_SIGNATURE=true";
const NO_TLS: &str = "AWS_ALLOW_HTTP=true allows requests without TLS";
const UNREACHABLE: &str = "check AWS_ENDPOINT_URL, AWS_REGION and the network";

impl StoreProblem {
    pub(crate) fn new(error: &Source) -> StoreProblem {
        let all = causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ");
        let tag = |name: &str| between(&all, &format!("<{name}>"), &format!("</{name}>"));
        let code = tag("Code").unwrap_or_default();
        let hint = HINTS.iter().find(|(codes, _)| codes.contains(&code)).map(|(_, hint)| *hint);
        let refusal = match error {
            // The bucket, and not the object.
            _ if code == "NoSuchBucket" => Refusal::Other,
            Source::NotFound { .. } => Refusal::NotFound,
            Source::AlreadyExists { .. } | Source::Precondition { .. } => Refusal::Changed,
            Source::NotImplemented { .. } | Source::NotSupported { .. } => Refusal::NotImplemented,
            _ if code == "NotImplemented" => Refusal::NotImplemented,
            _ if code == "InvalidRange" || all.contains("416 Range Not Satisfiable") => Refusal::BeyondEnd,
            _ => Refusal::Other,
        };
        if !code.is_empty() {
            let text = match tag("Message").filter(|message| !message.is_empty()) {
                Some(message) => format!("{code}: {message}"),
                None => code.to_owned(),
            };
            return StoreProblem { refusal, text, hint: hint.map(str::to_owned) };
        }
        if let Some(problem) = causes(error).find_map(|cause| cause.downcast_ref::<CredentialProblem>()) {
            return StoreProblem { refusal, text: problem.to_string(), hint: problem.hint.clone() };
        }
        if let Some(missing) = causes(error).find_map(|cause| cause.downcast_ref::<NoCredentials>()) {
            return StoreProblem { refusal, text: missing.to_string(), hint: Some(NO_CREDENTIALS.to_owned()) };
        }
        let (text, hint) = match refusal {
            Refusal::NotFound => ("it does not exist".to_owned(), None),
            Refusal::Changed => ("it exists, or another process changed it".to_owned(), None),
            Refusal::BeyondEnd => ("it is shorter".to_owned(), None),
            Refusal::NotImplemented => ("the store cannot do this".to_owned(), Some(SINGLE_WRITER)),
            Refusal::Other if all.contains("403 Forbidden") => {
                ("the store refuses it (403 Forbidden)".to_owned(), Some(DENIED))
            }
            Refusal::Other if all.contains("Received redirect without LOCATION") => {
                ("the store redirects to another region".to_owned(), Some(REGION))
            }
            Refusal::Other if all.contains("URL scheme is not allowed") => {
                ("requests without TLS are not allowed".to_owned(), Some(NO_TLS))
            }
            Refusal::Other => {
                let innermost = causes(error).last().map(ToString::to_string);
                (innermost.unwrap_or_else(|| all.clone()), all.contains("HTTP error").then_some(UNREACHABLE))
            }
        };
        StoreProblem { refusal, text, hint: hint.map(str::to_owned) }
    }
}

/// Neither a setting nor this machine has credentials.
#[derive(Debug, thiserror::Error)]
#[error("found no credentials in the environment, in ~/.aws, or of this machine")]
pub(super) struct NoCredentials;

/// The causes of an error, the error itself first.
fn causes<'e>(error: &'e Source) -> impl Iterator<Item = &'e (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &'e (dyn std::error::Error + 'static)), |error| error.source())
}

pub(super) fn between<'t>(text: &'t str, begin: &str, end: &str) -> Option<&'t str> {
    let rest = &text[text.find(begin)? + begin.len()..];
    rest.get(..rest.find(end)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(answer: &str) -> StoreProblem {
        StoreProblem::new(&Source::Generic { store: "S3", source: answer.into() })
    }

    #[test]
    fn the_code_and_the_message_of_the_store_are_shown_with_what_helps() {
        let expired = problem(
            "Server returned non-2xx status code: 400 Bad Request: <?xml version=\"1.0\"?><Error>\
            <Code>ExpiredToken</Code><Message>The provided token has expired.</Message><Token-0>secret</Token-0></Error>",
        );
        assert_eq!(expired.text, "ExpiredToken: The provided token has expired.");
        assert!(expired.hint.unwrap().contains("expired"));
        let skewed = problem("<Error><Code>RequestTimeTooSkewed</Code><Message>x</Message></Error>");
        assert!(skewed.hint.unwrap().contains("clock"));
        let region =
            problem("Received redirect without LOCATION, this normally indicates an incorrectly configured region");
        assert!(region.hint.unwrap().contains("AWS_REGION"));
    }

    #[test]
    fn a_missing_bucket_is_not_a_missing_object() {
        let source = "404 Not Found: <Error><Code>NoSuchBucket</Code><Message>m</Message></Error>".into();
        let missing = StoreProblem::new(&Source::NotFound { path: "a".to_owned(), source });
        assert_eq!(missing.refusal, Refusal::Other);
        let object = StoreProblem::new(&Source::NotFound { path: "a".to_owned(), source: "404".into() });
        assert_eq!(object.refusal, Refusal::NotFound);
    }
}
