//! Messages for YAML that is not a config, with what was expected.

use serde_yaml::{Error, MessageFormatter, UserMessageFormatter};

use crate::suggest::did_you_mean;

/// One sentence on `error`, without its position.
pub(super) fn problem(error: &Error) -> String {
    match error.without_snippet() {
        Error::Eof { .. } | Error::SerdeMissingField { field: "product", .. } => {
            "missing key product; add `product: ATL08`".to_owned()
        }
        Error::SerdeUnknownField { field, expected, .. } => match did_you_mean(field, expected.iter().copied()) {
            question if question.is_empty() => format!("unknown key {field}; the keys are {}", expected.join(", ")),
            question => format!("unknown key {field}{question}"),
        },
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            format!("expected one of {}, found {variant}", expected.join(", "))
        }
        Error::DuplicateMappingKey { key, .. } => match key {
            Some(key) => format!("duplicate key {key}"),
            None => "duplicate key".to_owned(),
        },
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            let unexpected = if unexpected == "unit value" { "nothing" } else { unexpected };
            format!("expected {expected}, found {unexpected}")
        }
        Error::InvalidScalar { ty: "u64", .. } => "expected a whole number".to_owned(),
        Error::InvalidScalar { ty: "boolean", .. } => "expected true or false".to_owned(),
        Error::Unexpected { expected: "mapping start", .. } => "expected keys, each as `key: value`".to_owned(),
        Error::Unexpected { expected: "string scalar", .. } => "expected a single value".to_owned(),
        Error::NullIntoString { .. } => "missing value".to_owned(),
        Error::UnknownAnchor { .. } => "unknown anchor: no value above has this &name".to_owned(),
        other => {
            let message = UserMessageFormatter.format_message(other);
            message.lines().next().unwrap_or_default().to_owned()
        }
    }
}
