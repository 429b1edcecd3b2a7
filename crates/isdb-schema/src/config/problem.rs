//! What is wrong with YAML that is no config, in words that name what would be right.

use serde_yaml::{Error, MessageFormatter, UserMessageFormatter};

use crate::suggest::near_told;

/// One sentence on `error`, without its place.
pub(super) fn problem(error: &Error) -> String {
    match error.without_snippet() {
        Error::Eof { .. } | Error::SerdeMissingField { field: "product", .. } => {
            "the key product is missing; `product: ATL08` is right".to_owned()
        }
        Error::SerdeUnknownField { field, expected, .. } => match near_told(field, expected.iter().copied()) {
            near if near.is_empty() => format!("there is no key {field}; there are: {}", expected.join(", ")),
            near => format!("there is no key {field}{near}"),
        },
        Error::DuplicateMappingKey { key, .. } => match key {
            Some(key) => format!("the key {key} is there twice"),
            None => "a key is there twice".to_owned(),
        },
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            let unexpected = if unexpected == "unit value" { "nothing" } else { unexpected };
            format!("{unexpected} stands where {expected} belongs")
        }
        Error::Unexpected { expected: "mapping start", .. } => "keys belong here, each as `key: value`".to_owned(),
        Error::Unexpected { expected: "string scalar", .. } => "a text belongs here".to_owned(),
        Error::NullIntoString { .. } => "the value is missing".to_owned(),
        Error::UnknownAnchor { .. } => "no value above has this anchor (&name)".to_owned(),
        other => {
            let told = UserMessageFormatter.format_message(other);
            told.lines().next().unwrap_or_default().to_owned()
        }
    }
}
